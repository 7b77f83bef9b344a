import { RATE_NAMES, type RateName, type Rates } from './rates.js';

/** A row each 10 s: as often as the fastest collectors send. */
export const HISTORY_STEP_SEC = 10;
/** An hour: what went before is a matter for Prometheus. 55 KB. */
export const HISTORY_ROWS = 360;

/** Rows of some range of time; null where nothing is known. */
export interface HistoryPage {
  readonly fromSec: number;
  readonly stepSec: number;
  readonly count: number;
  readonly series: Readonly<Record<RateName, readonly (number | null)[]>>;
}

/**
 * What the store's own numbers were, for the last hour. A row lies where its time says, so that an hour in which the
 * process stood still is one of nulls, and not one that is missing.
 */
export class History {
  /** Row after row. */
  readonly #values = new Float64Array(HISTORY_ROWS * RATE_NAMES.length).fill(NaN);
  /** Number of the step whose row is the newest; steps are counted from 1970. */
  #newest: number;

  constructor(nowSec: number) {
    this.#newest = Math.floor(nowSec / HISTORY_STEP_SEC) - 1;
  }

  /** @param endSec when the row's step ended, a multiple of HISTORY_STEP_SEC. */
  add(endSec: number, rates: Rates): void {
    const step = endSec / HISTORY_STEP_SEC - 1;
    const passed = step - this.#newest;
    if (Math.abs(passed) >= HISTORY_ROWS) this.#values.fill(NaN);
    else {
      // Steps that were passed over; or, where the clock was set back, those that are still to come.
      for (let gap = this.#newest + 1; gap < step; gap++) this.#row(gap).fill(NaN);
      for (let later = step + 1; later <= this.#newest; later++) this.#row(later).fill(NaN);
    }
    const row = this.#row(step);
    RATE_NAMES.forEach((name, at) => (row[at] = rates[name]));
    this.#newest = step;
  }

  /** The newest `seconds`, which is rounded up to whole rows; rows before the start are null. */
  page(seconds: number): HistoryPage {
    const count = Math.min(HISTORY_ROWS, Math.ceil(seconds / HISTORY_STEP_SEC));
    const first = this.#newest - count + 1;
    const rows = Array.from({ length: count }, (_, at) => this.#row(first + at));
    const valuesOf = (at: number): (number | null)[] => rows.map((row) => rounded(row[at]!));
    const series = Object.fromEntries(RATE_NAMES.map((name, at) => [name, valuesOf(at)])) as {
      [name in RateName]: (number | null)[];
    };
    return {
      fromSec: first * HISTORY_STEP_SEC,
      stepSec: HISTORY_STEP_SEC,
      count,
      series,
    };
  }

  #row(step: number): Float64Array {
    const width = RATE_NAMES.length;
    const at = (((step % HISTORY_ROWS) + HISTORY_ROWS) % HISTORY_ROWS) * width;
    return this.#values.subarray(at, at + width);
  }
}

/** To three digits behind the point, which is more than is known; null for what is not known. */
export function rounded(value: number): number | null {
  return Number.isFinite(value) ? Math.round(value * 1000) / 1000 : null;
}
