import type { JobRange } from '../../src/model/selection.js';
import { WANTS_SQUARES } from '../kernel/layout.js';
import type { Metric } from '../engine/metrics.js';
import type { Group } from '../engine/select.js';
import type { Level } from '../engine/level-tree.js';
import { Summary } from '../engine/summary.js';
import { extentOf } from './extent.js';
import { makePart } from './parts.js';
import type { SelectTools } from './select-tools.js';
import type { Scope, Unit } from './units.js';

const WORK_BYTES = 4096;

/** Where a job is on its hosts: the same for all hosts and metrics of it. */
export interface JobScope {
  readonly scope: Scope;
  readonly scopeKey: string;
}

export function scopeOf({ ids }: JobRange): JobScope {
  const scope = { type: '', subType: '', ids, subIds: null };
  return { scope, scopeKey: ids === null ? 'job' : `job ${ids.join()}` };
}

/** Summaries of hosts' values over the time of a job. */
export class JobValues {
  readonly #tools: SelectTools;
  readonly #wanted: number;
  /** Samples that were read since it was set to 0. */
  samples = 0;

  constructor(tools: SelectTools, wantsSquares: boolean) {
    this.#tools = tools;
    this.#wanted = wantsSquares ? WANTS_SQUARES : 0;
  }

  /** undefined if the host has nothing of the metric; a text if it can not be combined. */
  of(host: Level, metric: Metric, job: JobRange, place: JobScope): Summary | string | undefined {
    const { hostUnits, tree, combiner } = this.#tools;
    const [unit] = hostUnits.find(host, metric, place.scope, place.scopeKey, tree.generation);
    if (!unit) return undefined;
    if (metric.aggregation === null && unit.seriesCount > 1) {
      return `metric ${metric.name} has no aggregation, and ${unit.seriesCount} series of ${host.name} are asked for as one`;
    }
    const from = Math.ceil(job.fromSec / metric.stepSec);
    const count = Math.max(0, Math.ceil(job.toSec / metric.stepSec) - from);
    combiner.reset();
    return (
      this.#ofOne(unit.group, from, count) ??
      this.#ofSeveral(host, unit, metric, place, job.ids === null, from, count)
    );
  }

  /** One series that answers alone: from its blocks. */
  #ofOne({ series, layered }: Group, from: number, count: number): Summary | undefined {
    if (series.length === 1 && layered.length === 0) return this.#ofSeries(series[0]!, from, count);
    const own = series.length === 0 && layered.length === 1 ? layered[0]!.own : 0;
    if (own === 0) return undefined;
    // Without a gap its own samples are all there is.
    const summary = this.#ofSeries(own, from, count);
    return summary.count === count ? summary : undefined;
  }

  #ofSeries(series: number, from: number, count: number): Summary {
    const { statistics, combiner } = this.#tools;
    const summary = new Summary();
    combiner.borrowed(() => {
      const work = combiner.allocate(WORK_BYTES);
      statistics.summarizeSeries(series, from, count, this.#wanted, work, summary);
    });
    this.samples += 256;
    return summary;
  }

  #ofSeveral(
    host: Level,
    unit: Unit,
    metric: Metric,
    { scopeKey }: JobScope,
    isWhole: boolean,
    from: number,
    count: number,
  ): Summary {
    const { accumulator, statistics, combiner } = this.#tools;
    const operation = metric.aggregation!;
    const part = makePart(host, metric, [unit], scopeKey, operation, true, isWhole);
    const { first, end } = extentOf(this.#tools, [part], from, count);
    const read = Math.max(0, end - first);
    const summary = new Summary();
    if (read === 0) return summary;
    const accumulated = accumulator.begin(operation, read);
    accumulator.add(accumulated, part, metric, first, read);
    accumulator.finish(accumulated, read, false);
    const work = combiner.allocate(WORK_BYTES);
    statistics.summarizeValues(accumulated.values, first, read, this.#wanted, work, summary);
    this.samples += read * unit.seriesCount;
    return summary;
  }
}
