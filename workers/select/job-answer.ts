import type { JobRange, JobStatsRequest } from '../../src/model/selection.js';
import { parseStatistic, type Statistic } from '../../src/model/statistics.js';
import type { JobProblem } from '../../src/protocol/select.js';
import { conversion } from '../../src/units/conversion.js';
import { parseUnit } from '../../src/units/unit.js';
import { UNSCALED, type Summary } from '../engine/summary.js';
import type { SelectTools } from './select-tools.js';

/** What was found of a job. */
export interface JobResult {
  readonly metrics: Map<string, JobMetricResult>;
  readonly problems: JobProblem[];
}

export interface JobMetricResult {
  readonly stepSec: number;
  /** Over the samples of all hosts. */
  readonly total: Summary;
  /** By index of the host in the job, where they are wanted. */
  readonly hosts: Map<number, Summary>;
  /** Hosts that have samples of it. */
  hostCount: number;
}

/** Writes the answer to a request for statistics of jobs, job by job. */
export class JobAnswer {
  readonly #tools: SelectTools;
  readonly #byHost: boolean;
  readonly #statistics: readonly { readonly name: string; readonly kind: Statistic['kind'] }[];
  #isFirst = true;

  constructor(tools: SelectTools, { stats, byHost }: JobStatsRequest) {
    this.#tools = tools;
    this.#byHost = byHost;
    this.#statistics = stats.map((name) => ({ name, kind: parseStatistic(name)!.kind }));
  }

  head(): void {
    this.#tools.writer.text('{"jobs":[');
  }

  tail(): void {
    this.#tools.writer.text(']}');
  }

  write(job: JobRange, { metrics, problems }: JobResult): void {
    const { cluster } = job;
    const value = {
      id: job.id,
      cluster,
      hosts: job.hosts.length,
      from: job.fromSec,
      to: job.toSec,
      metrics: Object.fromEntries(
        [...metrics]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, result]) => [name, this.#metric(job, name, result)]),
      ),
      footprint: this.#footprint(cluster, metrics),
      energy: this.#energy(cluster, metrics),
      problems: problems.length > 0 ? textsOf(problems) : undefined,
    };
    this.#tools.writer.text((this.#isFirst ? '' : ',') + JSON.stringify(value));
    this.#isFirst = false;
  }

  #metric(job: JobRange, name: string, result: JobMetricResult): object {
    const { stepSec, total, hosts, hostCount } = result;
    const unit = this.#tools.unitOf(job.cluster, name);
    return {
      unit: unit === '' ? undefined : unit,
      ...this.#values(total, stepSec),
      hosts: hostCount,
      'by-host': this.#byHost
        ? Object.fromEntries(
            [...hosts]
              .sort(([a], [b]) => a - b)
              .map(([index, summary]) => [job.hosts[index]!, this.#values(summary, stepSec)]),
          )
        : undefined,
    };
  }

  #values(summary: Summary, stepSec: number): Record<string, number | null> {
    const values: Record<string, number | null> = {};
    for (const { name, kind } of this.#statistics) {
      const value = summary.statistic(kind, stepSec, UNSCALED);
      values[name] = Number.isNaN(value) ? null : value;
    }
    return values;
  }

  /** The statistic that stands for a job in lists, as cluster.json says. */
  #footprint(cluster: string, metrics: JobResult['metrics']): Record<string, number> | undefined {
    const footprint: Record<string, number> = {};
    for (const [name, kind] of this.#tools.footprints.get(cluster) ?? []) {
      const result = metrics.get(name);
      const value = result ? result.total.statistic(kind, result.stepSec, UNSCALED) : NaN;
      if (!Number.isNaN(value)) footprint[`${name}_${kind}`] = value;
    }
    return Object.keys(footprint).length === 0 ? undefined : footprint;
  }

  /** Joules by metric, where cluster.json says that it is of power or energy. */
  #energy(cluster: string, metrics: JobResult['metrics']): Record<string, number> | undefined {
    const energy: Record<string, number> = {};
    for (const [name, of] of this.#tools.energies.get(cluster) ?? []) {
      const result = metrics.get(name);
      const from = parseUnit(this.#tools.unitOf(cluster, name));
      const to = parseUnit(of === 'power' ? 'W' : 'J');
      const scale = from && to && conversion(from, to);
      if (!result || !scale) continue;
      const value = result.total.statistic(
        of === 'power' ? 'integral' : 'sum',
        result.stepSec,
        scale,
      );
      if (!Number.isNaN(value)) energy[name] = value;
    }
    return Object.keys(energy).length === 0 ? undefined : energy;
  }
}

/** One for each metric, that of the first host, whichever shards the hosts are of. */
function textsOf(problems: readonly JobProblem[]): string[] {
  const byMetric = new Map<string, JobProblem>();
  for (const problem of problems) {
    const known = byMetric.get(problem.metric);
    if (!known || problem.host < known.host) byMetric.set(problem.metric, problem);
  }
  return [...byMetric.values()].map(({ error }) => error).sort();
}
