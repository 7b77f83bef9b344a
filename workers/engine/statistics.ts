import {
  parseStatistic,
  STATISTIC_NAMES_TEXT,
  type Statistic,
} from '../../src/model/statistics.js';
import type { Kernel } from '../kernel/kernel.js';
import { SUMMARY_BYTES, WANTS_ENDS, WANTS_HELD, WANTS_SQUARES } from '../kernel/layout.js';
import { Percentiles } from './percentiles.js';
import { Summary, UNSCALED, type Scale } from './summary.js';

/** The kernel's work area of a block. */
const BLOCK_BYTES = 2048;

/** Statistics that were asked for: made once, then taken of many series. */
export interface StatisticsPlan {
  readonly statistics: readonly Statistic[];
  /** WANTS_* together. */
  readonly wanted: number;
  /** Percentiles asked for, in their order among the others. */
  readonly percents: readonly number[];
}

/** Throws RangeError for a name that is none: requests are checked before (`isStatistic`). */
export function planStatistics(names: readonly string[]): StatisticsPlan {
  const statistics = names.map((name) => {
    const statistic = parseStatistic(name);
    if (!statistic)
      throw new RangeError(`no statistic: '${name}'; there is ${STATISTIC_NAMES_TEXT}`);
    return statistic;
  });
  let wanted = 0;
  for (const { kind } of statistics) {
    if (kind === 'stddev') wanted |= WANTS_SQUARES;
    else if (kind === 'first' || kind === 'last') wanted |= WANTS_ENDS;
    else if (kind === 'twa') wanted |= WANTS_HELD;
  }
  const percents = statistics.flatMap(({ kind, percent }) =>
    kind === 'percentile' ? percent : [],
  );
  return { statistics, wanted, percents };
}

/** Takes statistics of series and of values in the query scratch. */
export class StatisticsTaker {
  readonly #kernel: Kernel;
  readonly #doubles: Float64Array;
  readonly #summary = new Summary();
  readonly #percentiles: Percentiles;

  constructor(kernel: Kernel, memory: WebAssembly.Memory, percentileExactMax: number) {
    this.#kernel = kernel;
    this.#doubles = new Float64Array(memory.buffer);
    this.#percentiles = new Percentiles(kernel, memory, percentileExactMax);
  }

  /** Samples of one result whose percentiles are exact. */
  set percentileExactMax(samplesMax: number) {
    this.#percentiles.exactMax = samplesMax;
  }

  /** Bytes of the work area that statistics over `count` slots need; multiples of 16 are best. */
  workBytes(plan: StatisticsPlan, count: number): number {
    const percentileBytes = plan.percents.length > 0 ? this.#percentiles.workBytes(count) : 0;
    return SUMMARY_BYTES + BLOCK_BYTES + percentileBytes;
  }

  /**
   * Statistics over `count` slots of a series from `from` on, in the plan's order and in the unit
   * that `scale` leads to; NaN where there is none.
   */
  ofSeries(
    series: number,
    from: number,
    count: number,
    stepSec: number,
    plan: StatisticsPlan,
    work: number,
    scale: Scale = UNSCALED,
  ): number[] {
    const summary = this.#summary;
    this.summarizeSeries(series, from, count, plan.wanted, work, summary);
    if (plan.percents.length === 0) return list(plan, summary, [], stepSec, scale);
    this.#percentiles.begin(summary.count, work + SUMMARY_BYTES + BLOCK_BYTES);
    this.#percentiles.addSeries(series, from, count);
    return list(plan, summary, this.#percentiles.take(plan.percents), stepSec, scale);
  }

  /** The same over `count` Float64 (NaN = missing), which stay as they are. */
  ofValues(
    values: number,
    count: number,
    stepSec: number,
    plan: StatisticsPlan,
    work: number,
    scale: Scale = UNSCALED,
  ): number[] {
    const summary = this.#summary;
    this.summarizeValues(values, 0, count, plan.wanted, work, summary);
    if (plan.percents.length === 0) return list(plan, summary, [], stepSec, scale);
    this.#percentiles.begin(summary.count, work + SUMMARY_BYTES + BLOCK_BYTES);
    this.#percentiles.addValues(values, count);
    return list(plan, summary, this.#percentiles.take(plan.percents), stepSec, scale);
  }

  /** Leaves the summary of a series in `summary`, with what WANTS_* say. */
  summarizeSeries(
    series: number,
    from: number,
    count: number,
    wanted: number,
    work: number,
    summary: Summary,
  ): void {
    this.#kernel.summarizeSeries(series, from, count, wanted, work, work + SUMMARY_BYTES);
    summary.read(this.#doubles, work);
  }

  /** The same of values, of which the first is that of slot `from`. */
  summarizeValues(
    values: number,
    from: number,
    count: number,
    wanted: number,
    work: number,
    summary: Summary,
  ): void {
    this.#kernel.summarizeValues(values, from, count, wanted, work);
    summary.read(this.#doubles, work);
  }
}

/** A summary's statistics in the plan's order, percentiles in between. */
function list(
  plan: StatisticsPlan,
  summary: Summary,
  percentiles: readonly number[],
  stepSec: number,
  scale: Scale,
): number[] {
  const values: number[] = [];
  let next = 0;
  for (const { kind } of plan.statistics) {
    if (kind === 'percentile') {
      const value = within(percentiles[next++]!, summary);
      values.push(finite(value * scale.factor + scale.offset));
    } else values.push(summary.statistic(kind, stepSec, scale));
  }
  return values;
}

/** What a sketch tells of the least and the largest sample is known better. */
function within(value: number, { min, max }: Summary): number {
  return Math.min(max, Math.max(min, value));
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : NaN;
}
