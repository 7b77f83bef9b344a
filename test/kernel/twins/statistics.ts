import type { Slots } from './aggregate.js';

export interface Statistics {
  readonly count: number;
  readonly sum: number;
  /** NaN if there is no sample. */
  readonly min: number;
  readonly max: number;
  /** Sum of magnitudes: what a rounding error is measured against. */
  readonly magnitude: number;
  /** Whether all samples are integers. */
  readonly isWhole: boolean;
}

/** Over the samples of a range. */
export function statistics(slots: Slots, from: number, count: number): Statistics {
  const present: number[] = [];
  for (let slot = from; slot < from + count; slot++) {
    const value = slots.get(slot);
    if (value !== undefined) present.push(value);
  }
  return {
    count: present.length,
    sum: present.reduce((total, value) => total + value, 0),
    min: present.length > 0 ? Math.min(...present) : NaN,
    max: present.length > 0 ? Math.max(...present) : NaN,
    magnitude: present.reduce((total, value) => total + Math.abs(value), 0),
    isWhole: present.every(Number.isInteger),
  };
}
