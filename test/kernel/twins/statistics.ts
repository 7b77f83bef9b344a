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

/** What a summary holds, told sample by sample. NaN where there is none. */
export interface Summary {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  /** Of the population. */
  readonly stddev: number;
  readonly first: number;
  readonly firstSlot: number;
  readonly last: number;
  readonly lastSlot: number;
  /** Average over the slots that samples hold, their own and up to four behind it. */
  readonly twa: number;
  readonly magnitude: number;
  readonly samples: readonly number[];
}

const HOLD_SLOTS = 5;

export function summarize(slots: Slots, from: number, count: number): Summary {
  const samples: number[] = [];
  const at: number[] = [];
  for (let slot = from; slot < from + count; slot++) {
    const value = slots.get(slot);
    if (value === undefined) continue;
    samples.push(value);
    at.push(slot);
  }
  const mean = exactSum(samples) / samples.length;
  const squares = exactSum(samples.map((value) => (value - mean) ** 2));
  const held = at.map((slot, i) => Math.min((at[i + 1] ?? from + count) - slot, HOLD_SLOTS));
  const area = exactSum(samples.flatMap((value, i) => Array<number>(held[i]!).fill(value)));
  return {
    count: samples.length,
    sum: exactSum(samples),
    min: samples.reduce((least, value) => Math.min(least, value), Infinity),
    max: samples.reduce((most, value) => Math.max(most, value), -Infinity),
    stddev: Math.sqrt(squares / samples.length),
    first: samples[0] ?? NaN,
    firstSlot: at[0] ?? NaN,
    last: samples.at(-1) ?? NaN,
    lastSlot: at.at(-1) ?? NaN,
    twa: area / exactSum(held),
    magnitude: samples.reduce((total, value) => total + Math.abs(value), 0),
    samples,
  };
}

/** The sum rounded once: partial sums that do not overlap (Shewchuk 1997). */
export function exactSum(values: readonly number[]): number {
  const parts: number[] = [];
  for (const value of values) {
    let rest = value;
    let kept = 0;
    for (const part of parts) {
      const [large, small] = Math.abs(rest) < Math.abs(part) ? [part, rest] : [rest, part];
      const total = large + small;
      const cut = small - (total - large);
      if (cut !== 0) parts[kept++] = cut;
      rest = total;
    }
    parts.length = kept;
    parts.push(rest);
  }
  return parts.reduceRight((total, part) => total + part, 0);
}

/** NumPy's default: linear between the closest ranks. NaN if there is no sample. */
export function percentile(samples: readonly number[], percent: number): number {
  const sorted = Float64Array.from(samples).sort();
  const rank = (percent / 100) * (sorted.length - 1);
  const low = sorted[Math.floor(rank)];
  const high = sorted[Math.ceil(rank)];
  if (low === undefined || high === undefined) return NaN;
  return low + (high - low) * (rank - Math.floor(rank));
}
