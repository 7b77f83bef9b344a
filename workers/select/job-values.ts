import type { JobRange } from '../../src/model/selection.js';
import { WANTS_SQUARES } from '../kernel/layout.js';
import type { Metric } from '../engine/metrics.js';
import type { Level } from '../engine/level-tree.js';
import { Summary } from '../engine/summary.js';
import { extentOf } from './extent.js';
import { makePart, type Part } from './parts.js';
import type { SelectTools } from './select-tools.js';
import type { Scope, Unit } from './units.js';

const WORK_BYTES = 4096;
/** Sources of hosts' values that are kept for one request. */
const SOURCES_MAX = 50_000;

/** Where a job is on its hosts: the same for all hosts and metrics of it. */
export interface JobScope {
  readonly scope: Scope;
  readonly scopeKey: string;
}

export function scopeOf({ ids }: JobRange): JobScope {
  const scope = { type: '', subType: '', ids, subIds: null };
  return { scope, scopeKey: ids === null ? 'job' : `job ${ids.join()}` };
}

/** What a host's value of a metric is made of. */
interface Source {
  /** A series whose samples are the value; 0 = there is none. */
  readonly own: number;
  /** Takes its place in slots in which it has no sample; undefined = nothing does. */
  readonly part: Part | undefined;
}

/** Summaries of hosts' values over the time of a job. */
export class JobValues {
  readonly #tools: SelectTools;
  readonly #wanted: number;
  readonly #summary = new Summary();
  // By metric and scope, then host: what was found when the tree had `#generation`.
  readonly #sources = new Map<string, Map<Level, Source | string | undefined>>();
  #sourceCount = 0;
  #generation = -1;
  // What is asked for now.
  #metric!: Metric;
  #place!: JobScope;
  #isWhole = true;
  #from = 0;
  #count = 0;
  #hosts!: Map<Level, Source | string | undefined>;
  /** Samples that were read since it was set to 0. */
  samples = 0;

  constructor(tools: SelectTools, wantsSquares: boolean) {
    this.#tools = tools;
    this.#wanted = wantsSquares ? WANTS_SQUARES : 0;
  }

  /** Says what `of` is to be asked for. Again when the tree may have changed. */
  ask(metric: Metric, job: JobRange, place: JobScope): void {
    const { generation } = this.#tools.tree;
    if (generation !== this.#generation || this.#sourceCount > SOURCES_MAX) {
      this.#sources.clear();
      this.#sourceCount = 0;
      this.#generation = generation;
    }
    const key = `${metric.index}/${place.scopeKey}`;
    const known = this.#sources.get(key);
    this.#hosts = known ?? new Map();
    if (!known) this.#sources.set(key, this.#hosts);
    this.#metric = metric;
    this.#place = place;
    this.#isWhole = job.ids === null;
    this.#from = Math.ceil(job.fromSec / metric.stepSec);
    this.#count = Math.max(0, Math.ceil(job.toSec / metric.stepSec) - this.#from);
  }

  /**
   * Of a host; good until it is called again. undefined if the host has nothing of the metric; a
   * text if it can not be combined.
   */
  of(host: Level): Summary | string | undefined {
    let source = this.#hosts.get(host);
    if (source === undefined && !this.#hosts.has(host)) {
      source = this.#find(host);
      this.#hosts.set(host, source);
      this.#sourceCount++;
    }
    if (source === undefined || typeof source === 'string') return source;
    this.#tools.combiner.reset();
    const { own, part } = source;
    if (own !== 0) {
      const summary = this.#ofSeries(own);
      // Fast path: without a gap its own samples are all there is.
      if (!part || summary.count === this.#count) return summary;
    }
    return this.#ofPart(part!);
  }

  #find(host: Level): Source | string | undefined {
    const { hostUnits } = this.#tools;
    const { scope, scopeKey } = this.#place;
    const metric = this.#metric;
    const units = hostUnits.find(host, metric, scope, scopeKey, this.#generation);
    const [unit] = units.list;
    if (!unit) return undefined;
    if (metric.aggregation === null && unit.seriesCount > 1) {
      return `metric ${metric.name} has no aggregation, and ${unit.seriesCount} series of ${host.name} are asked for as one`;
    }
    const { own, isAlone } = ownOf(unit);
    if (isAlone) return { own, part: undefined };
    const operation = metric.aggregation!;
    const part = makePart(host, metric, units, scopeKey, operation, true, this.#isWhole);
    return { own, part };
  }

  /** One series that answers alone: from its blocks. */
  #ofSeries(series: number): Summary {
    const { statistics, combiner } = this.#tools;
    const work = combiner.allocate(WORK_BYTES);
    const summary = this.#summary;
    statistics.summarizeSeries(series, this.#from, this.#count, this.#wanted, work, summary);
    this.samples += 256;
    return summary;
  }

  #ofPart(part: Part): Summary {
    const { accumulator, statistics, combiner } = this.#tools;
    const { first, end } = extentOf(this.#tools, [part], this.#from, this.#count);
    const count = Math.max(0, end - first);
    const accumulated = accumulator.begin(this.#metric.aggregation!, count);
    accumulator.add(accumulated, part, first, count);
    accumulator.finish(accumulated, count, false);
    const work = combiner.allocate(WORK_BYTES);
    const { values } = accumulated;
    const summary = this.#summary;
    statistics.summarizeValues(values, first, count, this.#wanted, work, summary);
    this.samples += count * part.seriesCount;
    return summary;
  }
}

/** The series that is a unit's value but for its gaps (0 = none), and whether it is all there is. */
function ownOf({ group: { series, layered } }: Unit): { own: number; isAlone: boolean } {
  if (series.length === 1 && layered.length === 0) return { own: series[0]!, isAlone: true };
  const own = series.length === 0 && layered.length === 1 ? layered[0]!.own : 0;
  return { own, isAlone: false };
}
