import { StoreError } from '../../src/model/errors.js';
import { globMatcher, isGlob } from '../../src/model/glob.js';
import type { JobRange } from '../../src/model/selection.js';
import { limitPassed } from '../../src/protocol/query-limits.js';
import {
  JOB_ROW_FIELDS,
  JOB_ROW_NAMES,
  type JobMetric,
  type JobProblem,
  type JobStatsShare,
  type JobStatsTask,
} from '../../src/protocol/select.js';
import type { Level } from '../engine/level-tree.js';
import type { Metric } from '../engine/metrics.js';
import { Summary } from '../engine/summary.js';
import type { Run, RunTurn } from '../query-queue.js';
import { JobAnswer, type JobResult } from './job-answer.js';
import { JobValues, scopeOf } from './job-values.js';
import type { SelectTools } from './select-tools.js';

const SAMPLES_BETWEEN_LOOKS = 250_000;
/** The same of low priority, whose turns are shorter. */
const LOW_SAMPLES_BETWEEN_LOOKS = 50_000;
/** What a host's summary costs besides its samples, in samples. */
const HOST_SAMPLES = 200;
/** Text of a turn. */
const TURN_BYTES_MAX = 1024 * 1024;

/** Statistics of many jobs in work, in turns; a job is done in one. */
export class JobStatsRun implements Run {
  readonly mustGoOn = false;
  readonly #tools: SelectTools;
  readonly #task: JobStatsTask;
  readonly #values: JobValues;
  readonly #answer: JobAnswer;
  readonly #work: Iterator<void, void>;
  readonly #deadlineMs: number;
  // What is answered of a share.
  readonly #metrics = new Map<string, number>();
  readonly #listed: JobMetric[] = [];
  #rows = new Float64Array(1024 * JOB_ROW_FIELDS);
  #rowCount = 0;
  readonly #problems: JobProblem[] = [];
  /** Of patterns, by cluster. */
  readonly #known = new Map<string, readonly string[]>();
  /** Hosts of the job in work. */
  #levels: {
    readonly job: JobRange | undefined;
    readonly generation: number;
    readonly list: readonly (Level | undefined)[];
  } = { job: undefined, generation: -1, list: [] };
  #untilMs = 0;
  #address = 0;
  #bytesBefore = 0;
  #samplesUnlooked = SAMPLES_BETWEEN_LOOKS;

  constructor(tools: SelectTools, task: JobStatsTask) {
    this.#tools = tools;
    this.#task = task;
    this.#values = new JobValues(tools, task.jobStats.stats.includes('stddev'));
    this.#answer = new JobAnswer(tools, task.jobStats);
    this.#deadlineMs = performance.now() + tools.limits.queryTimeMsMax;
    this.#work = task.finish ? this.#finish(task.finish) : this.#all();
  }

  turn(address: number, end: number, untilMs: number): RunTurn {
    const { writer } = this.#tools;
    this.#address = address;
    this.#untilMs = untilMs;
    writer.begin(address, end);
    try {
      const { done } = this.#work.next();
      const bytes = writer.at - address;
      this.#bytesBefore += bytes;
      if (!done) return { bytes, isDone: false };
      return {
        bytes,
        isDone: true,
        result: this.#task.isShared ? { jobStats: this.#share() } : {},
      };
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return { bytes: 0, isDone: true, result: { error: error.toData() } };
    }
  }

  *#all(): Generator<void, void> {
    const { jobs } = this.#task.jobStats;
    if (!this.#task.isShared) this.#answer.head();
    for (let index = 0; index < jobs.length; index++) {
      const result = yield* this.#job(jobs[index]!, index);
      if (this.#task.isShared) this.#keep(index, result);
      else this.#answer.write(jobs[index]!, result);
      this.#checkSize();
      if (this.#isOver()) yield;
    }
    if (!this.#task.isShared) this.#answer.tail();
  }

  *#job(job: JobRange, index: number): Generator<void, JobResult> {
    const result: JobResult = { metrics: new Map(), problems: [] };
    const { known, unknown } = this.#metricsOf(job);
    for (const metric of unknown) {
      const error = `unknown metric: ${metric}`;
      result.problems.push({ job: index, metric, host: -1, error });
    }
    for (const metric of known) yield* this.#metric(job, index, metric, result);
    return result;
  }

  *#metric(
    job: JobRange,
    jobIndex: number,
    metric: Metric,
    result: JobResult,
  ): Generator<void, void> {
    const { byHost } = this.#task.jobStats;
    const { tree, regrid } = this.#tools;
    const place = scopeOf(job);
    const total = new Summary();
    const hosts = new Map<number, Summary>();
    let hostCount = 0;
    let isTold = false;
    let generation = -1;
    let levels: readonly (Level | undefined)[] = [];
    for (let index = 0; index < job.hosts.length; index++) {
      if (tree.generation !== generation) {
        // Between turns hosts may come and go.
        ({ generation } = tree);
        this.#tools.metrics.checkSame(metric, job.cluster);
        levels = this.#levelsOf(job);
        this.#values.ask(metric, job, place);
      }
      const level = levels[index];
      if (level && regrid.isPending) {
        regrid.settle(level, metric);
        this.#values.ask(metric, job, place);
      }
      const summary = level && this.#values.of(level);
      if (typeof summary === 'string') {
        const problem = { job: jobIndex, metric: metric.name, host: index, error: summary };
        if (!isTold) result.problems.push(problem);
        isTold = true;
      } else if (summary !== undefined && summary.count > 0) {
        total.merge(summary);
        if (byHost) hosts.set(index, summary.copy());
        hostCount++;
      }
      if (this.#isLate()) yield;
    }
    if (hostCount === 0) return;
    result.metrics.set(metric.name, { stepSec: metric.stepSec, total, hosts, hostCount });
  }

  /** Of each host of a job, as the tree is now. */
  #levelsOf(job: JobRange): readonly (Level | undefined)[] {
    const { tree } = this.#tools;
    const { generation } = tree;
    if (this.#levels.job !== job || this.#levels.generation !== generation) {
      const cluster = tree.find([job.cluster]);
      const list = job.hosts.map((host) => cluster?.children?.get(host));
      this.#levels = { job, generation, list };
    }
    return this.#levels.list;
  }

  /** Metrics of a job: those it names, or those that have a footprint. */
  #metricsOf({ cluster, metrics }: JobRange): { known: Metric[]; unknown: readonly string[] } {
    const { metrics: all, footprints } = this.#tools;
    const patterns = metrics ?? [...(footprints.get(cluster)?.keys() ?? [])];
    const unknown: string[] = [];
    const known = new Map<string, Metric>();
    for (const pattern of patterns) {
      for (const name of this.#namesOf(pattern, cluster)) {
        const metric = all.find(name, cluster);
        if (metric) known.set(name, metric);
        else if (metrics !== null && !all.isTaken(name, cluster)) unknown.push(name);
      }
    }
    return { known: [...known.values()], unknown };
  }

  #namesOf(pattern: string, cluster: string): readonly string[] {
    if (!isGlob(pattern)) return [pattern];
    const key = `${cluster}\n${pattern}`;
    let names = this.#known.get(key);
    if (!names) {
      const matches = globMatcher(pattern);
      names = [...this.#tools.metrics.namesOf(cluster)].filter(matches);
      this.#known.set(key, names);
    }
    return names;
  }

  /** Of several shards' answers: rows to be put together. */
  #keep(job: number, { metrics, problems }: JobResult): void {
    this.#problems.push(...problems);
    for (const [name, { stepSec, total, hosts, hostCount }] of metrics) {
      const metric = this.#metricIndex(name, stepSec);
      this.#addRow(job, metric, -hostCount, total);
      for (const [host, summary] of hosts) this.#addRow(job, metric, host, summary);
    }
  }

  #metricIndex(name: string, stepSec: number): number {
    // Clusters may have it at different steps.
    const key = `${stepSec} ${name}`;
    const known = this.#metrics.get(key);
    if (known !== undefined) return known;
    this.#metrics.set(key, this.#listed.length);
    return this.#listed.push({ name, stepSec }) - 1;
  }

  #addRow(job: number, metric: number, host: number, summary: Summary): void {
    const at = this.#rowCount++ * JOB_ROW_FIELDS;
    if (at + JOB_ROW_FIELDS > this.#rows.length) {
      const grown = new Float64Array(this.#rows.length * 2);
      grown.set(this.#rows);
      this.#rows = grown;
    }
    this.#rows.set([job, metric, host], at);
    summary.store(this.#rows, at + JOB_ROW_NAMES);
  }

  #share(): JobStatsShare {
    const rows = this.#rows.slice(0, this.#rowCount * JOB_ROW_FIELDS);
    return { metrics: this.#listed, rows, problems: this.#problems };
  }

  *#finish(shares: readonly JobStatsShare[]): Generator<void, void> {
    const { jobs } = this.#task.jobStats;
    const results = jobs.map((): JobResult => ({ metrics: new Map(), problems: [] }));
    for (const { metrics, rows, problems } of shares) {
      for (const problem of problems) results[problem.job]!.problems.push(problem);
      for (let at = 0; at < rows.length; at += JOB_ROW_FIELDS) {
        const { name, stepSec } = metrics[rows[at + 1]!]!;
        const { metrics: found } = results[rows[at]!]!;
        let entry = found.get(name);
        if (!entry) {
          entry = { stepSec, total: new Summary(), hosts: new Map(), hostCount: 0 };
          found.set(name, entry);
        }
        const summary = new Summary().read(rows, (at + JOB_ROW_NAMES) * 8);
        const host = rows[at + 2]!;
        if (host < 0) {
          entry.total.merge(summary);
          entry.hostCount -= host;
        } else entry.hosts.set(host, summary);
      }
    }
    this.#answer.head();
    for (let index = 0; index < jobs.length; index++) {
      this.#answer.write(jobs[index]!, results[index]!);
      this.#checkSize();
      if (this.#isOver()) yield;
    }
    this.#answer.tail();
  }

  #checkSize(): void {
    const { limits, writer } = this.#tools;
    const bytes =
      this.#bytesBefore + writer.at - this.#address + this.#rowCount * JOB_ROW_FIELDS * 8;
    if (bytes > limits.answerBytesMax) {
      const what = `an answer of more than ${limits.answerBytesMax} bytes`;
      throw limitPassed(what, 'answer-bytes-max', limits.answerBytesMax);
    }
  }

  /** Counts what was read, and looks at the clock from time to time: whether the turn is over. */
  #isLate(): boolean {
    this.#samplesUnlooked += this.#values.samples + HOST_SAMPLES;
    this.#values.samples = 0;
    const lookAt = this.#task.isLow ? LOW_SAMPLES_BETWEEN_LOOKS : SAMPLES_BETWEEN_LOOKS;
    if (this.#samplesUnlooked < lookAt) return false;
    this.#samplesUnlooked = 0;
    if (performance.now() > this.#deadlineMs) {
      const { queryTimeMsMax } = this.#tools.limits;
      throw limitPassed('the request took too long', 'query-time-ms-max', queryTimeMsMax);
    }
    return performance.now() > this.#untilMs;
  }

  #isOver(): boolean {
    const { writer } = this.#tools;
    return writer.at - this.#address > TURN_BYTES_MAX || performance.now() > this.#untilMs;
  }
}
