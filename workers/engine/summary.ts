import type { Statistic } from '../../src/model/statistics.js';
import {
  SUMMARY_COUNT,
  SUMMARY_FIRST,
  SUMMARY_FIRST_SLOT,
  SUMMARY_HELD,
  SUMMARY_HELD_SLOTS,
  SUMMARY_LAST,
  SUMMARY_LAST_SLOT,
  SUMMARY_MAX,
  SUMMARY_MEAN,
  SUMMARY_MIN,
  SUMMARY_SQUARES,
  SUMMARY_SUM,
} from '../kernel/layout.js';

/** What a sample is in another unit: `value * factor + offset`; the factor is above 0. */
export interface Scale {
  readonly factor: number;
  readonly offset: number;
}

export const UNSCALED: Scale = { factor: 1, offset: 0 };

/**
 * Summary of samples as the kernel leaves it (exports/statistics.ts). Summaries of several series,
 * such as those of a job's hosts, merge to that of all their samples.
 */
export class Summary {
  count = 0;
  sum = 0;
  min = NaN;
  max = NaN;
  mean = NaN;
  squares = NaN;
  first = NaN;
  firstSlot = NaN;
  last = NaN;
  lastSlot = NaN;
  held = NaN;
  heldSlots = NaN;

  /** Takes over the summary at `address`. `doubles` is a view of memory by address / 8. */
  read(doubles: Float64Array, address: number): this {
    this.count = doubles[(address + SUMMARY_COUNT) >>> 3]!;
    this.sum = doubles[(address + SUMMARY_SUM) >>> 3]!;
    this.min = doubles[(address + SUMMARY_MIN) >>> 3]!;
    this.max = doubles[(address + SUMMARY_MAX) >>> 3]!;
    this.mean = doubles[(address + SUMMARY_MEAN) >>> 3]!;
    this.squares = doubles[(address + SUMMARY_SQUARES) >>> 3]!;
    this.first = doubles[(address + SUMMARY_FIRST) >>> 3]!;
    this.firstSlot = doubles[(address + SUMMARY_FIRST_SLOT) >>> 3]!;
    this.last = doubles[(address + SUMMARY_LAST) >>> 3]!;
    this.lastSlot = doubles[(address + SUMMARY_LAST_SLOT) >>> 3]!;
    this.held = doubles[(address + SUMMARY_HELD) >>> 3]!;
    this.heldSlots = doubles[(address + SUMMARY_HELD_SLOTS) >>> 3]!;
    return this;
  }

  /** Writes it to `target` from `index` on, as the kernel does. */
  store(target: Float64Array, index: number): void {
    target[index + SUMMARY_COUNT / 8] = this.count;
    target[index + SUMMARY_SUM / 8] = this.sum;
    target[index + SUMMARY_MIN / 8] = this.min;
    target[index + SUMMARY_MAX / 8] = this.max;
    target[index + SUMMARY_MEAN / 8] = this.mean;
    target[index + SUMMARY_SQUARES / 8] = this.squares;
    target[index + SUMMARY_FIRST / 8] = this.first;
    target[index + SUMMARY_FIRST_SLOT / 8] = this.firstSlot;
    target[index + SUMMARY_LAST / 8] = this.last;
    target[index + SUMMARY_LAST_SLOT / 8] = this.lastSlot;
    target[index + SUMMARY_HELD / 8] = this.held;
    target[index + SUMMARY_HELD_SLOTS / 8] = this.heldSlots;
  }

  /** One that stays as it is. */
  copy(): Summary {
    const made = new Summary();
    made.#take(this);
    return made;
  }

  /** Field by field: `Object.assign` takes ten times as long. */
  #take(other: Summary): void {
    this.count = other.count;
    this.sum = other.sum;
    this.min = other.min;
    this.max = other.max;
    this.mean = other.mean;
    this.squares = other.squares;
    this.first = other.first;
    this.firstSlot = other.firstSlot;
    this.last = other.last;
    this.lastSlot = other.lastSlot;
    this.held = other.held;
    this.heldSlots = other.heldSlots;
  }

  /**
   * Adds the samples of another summary. Of samples in the same slot, this one's are the first and
   * the last.
   */
  merge(other: Summary): void {
    if (other.count === 0) return;
    if (this.count === 0) {
      this.#take(other);
      return;
    }
    const count = this.count + other.count;
    const share = other.count / count;
    const difference = other.mean - this.mean;
    this.squares += other.squares + difference * difference * (this.count * share);
    this.mean += difference * share;
    this.count = count;
    this.sum += other.sum;
    this.min = Math.min(this.min, other.min);
    this.max = Math.max(this.max, other.max);
    this.held += other.held;
    this.heldSlots += other.heldSlots;
    if (other.firstSlot < this.firstSlot) {
      this.first = other.first;
      this.firstSlot = other.firstSlot;
    }
    if (other.lastSlot > this.lastSlot) {
      this.last = other.last;
      this.lastSlot = other.lastSlot;
    }
  }

  /**
   * A statistic of samples of `stepSec` seconds, in another unit if `scale` says so; NaN where
   * there is none, for want of samples or because it is beyond what a number can be. Percentiles
   * are not in a summary.
   */
  statistic(kind: Statistic['kind'], stepSec: number, scale: Scale): number {
    if (this.count === 0) return kind === 'count' ? 0 : NaN;
    const value = scaleStatistic(kind, this.#value(kind, stepSec), scale, this.count, stepSec);
    return Number.isFinite(value) ? value : NaN;
  }

  #value(kind: Statistic['kind'], stepSec: number): number {
    switch (kind) {
      case 'count':
        return this.count;
      case 'sum':
        return this.sum;
      case 'avg':
        return this.sum / this.count;
      case 'min':
        return this.min;
      case 'max':
        return this.max;
      case 'first':
        return this.first;
      case 'last':
        return this.last;
      case 'stddev':
        // A mean is rounded: of equal samples it may differ from each.
        return this.min === this.max ? 0 : Math.sqrt(this.squares / this.count);
      case 'integral':
        return this.sum * stepSec;
      case 'twa':
        return this.held / this.heldSlots;
      case 'percentile':
        return NaN;
    }
  }
}

/** A statistic of `count` samples, each of which becomes `value * factor + offset`. */
export function scaleStatistic(
  kind: Statistic['kind'],
  value: number,
  { factor, offset }: Scale,
  count: number,
  stepSec: number,
): number {
  switch (kind) {
    case 'count':
      return value;
    case 'stddev':
      return value * factor;
    case 'sum':
      return value * factor + offset * count;
    case 'integral':
      return value * factor + offset * count * stepSec;
    default:
      return value * factor + offset;
  }
}
