import type { Kernel } from '../kernel/kernel.js';
import { SKETCH_BUCKET_SHIFT, SKETCH_BUCKETS, SKETCH_BYTES } from '../kernel/layout.js';

const DOUBLE_BYTES = 8;
/** Samples of a series that are read at a time. */
const PART_SLOTS = 512;
const PART_BYTES = PART_SLOTS * DOUBLE_BYTES;
const SIGN_BUCKET = SKETCH_BUCKETS / 2;
/** Buckets of a sign from here on are of infinity and of what is missing. */
const MISSING_BUCKET = 0x7ff00000 >>> SKETCH_BUCKET_SHIFT;

/**
 * Percentiles of samples that are added part by part: of few by partial sorting, of many from a
 * sketch. Rank and interpolation are those of exports/statistics.ts.
 */
export class Percentiles {
  readonly #kernel: Kernel;
  readonly #words: Uint32Array;
  /** Samples up to which percentiles are exact. */
  exactMax: number;
  #part = 0;
  /** Address of the samples, or of the sketch. */
  #samples = 0;
  #isExact = true;
  #count = 0;

  /** The memory is looked at within its fixed regions only. */
  constructor(kernel: Kernel, memory: WebAssembly.Memory, exactMax: number) {
    this.#kernel = kernel;
    this.#words = new Uint32Array(memory.buffer);
    this.exactMax = exactMax;
  }

  /** Bytes of the work area for so many samples at most. */
  workBytes(samplesMax: number): number {
    const isExact = samplesMax <= this.exactMax;
    // Of many slots few may have a sample: which it is will be known when they are counted.
    const exactBytes = Math.min(samplesMax, this.exactMax) * DOUBLE_BYTES;
    return PART_BYTES + (isExact ? exactBytes : Math.max(exactBytes, SKETCH_BYTES));
  }

  /** Begins anew: no more than `samplesMax` samples will be added. `work` is a multiple of 8. */
  begin(samplesMax: number, work: number): void {
    this.#part = work;
    this.#samples = work + PART_BYTES;
    this.#count = 0;
    this.#isExact = samplesMax <= this.exactMax;
    if (!this.#isExact) {
      const first = this.#samples >>> 2;
      this.#words.fill(0, first, first + SKETCH_BUCKETS);
    }
  }

  addSeries(series: number, from: number, count: number): void {
    for (let done = 0; done < count; done += PART_SLOTS) {
      const slots = Math.min(PART_SLOTS, count - done);
      this.#kernel.readSeries(series, from + done, slots, this.#part);
      this.addValues(this.#part, slots);
    }
  }

  /** `count` Float64, NaN = missing. */
  addValues(values: number, count: number): void {
    if (this.#isExact) {
      const end = this.#samples + this.#count * DOUBLE_BYTES;
      this.#count += this.#kernel.copyPresent(values, count, end);
    } else this.#kernel.addToSketch(values, count, this.#samples);
  }

  /** The percentiles (0 … 100) of what was added, in the order asked; NaN if it was nothing. */
  take(percents: readonly number[]): number[] {
    if (!this.#isExact) this.#count = this.#countSketch();
    if (this.#count === 0) return percents.map(() => NaN);
    const ranks = percents.map((percent) => (percent / 100) * (this.#count - 1));
    const whole = new Set(ranks.flatMap((rank) => [Math.floor(rank), Math.ceil(rank)]));
    const ascending = [...whole].sort((a, b) => a - b);
    const values = this.#isExact ? this.#select(ascending) : this.#walk(ascending);
    return ranks.map((rank) => {
      const lower = Math.floor(rank);
      return between(values.get(lower)!, values.get(Math.ceil(rank))!, rank - lower);
    });
  }

  #select(ascending: readonly number[]): Map<number, number> {
    // All of lower ranks are in front of the one that was selected last.
    let from = 0;
    const values = new Map<number, number>();
    for (const rank of ascending) {
      values.set(rank, this.#kernel.selectRank(this.#samples, from, this.#count, rank));
      from = rank;
    }
    return values;
  }

  #countSketch(): number {
    const first = this.#samples >>> 2;
    let count = 0;
    for (let bucket = 0; bucket < MISSING_BUCKET; bucket++) {
      count += this.#words[first + bucket]! + this.#words[first + SIGN_BUCKET + bucket]!;
    }
    return count;
  }

  /** Walks the buckets from the least value on: negative ones first, from the largest magnitude. */
  #walk(ascending: readonly number[]): Map<number, number> {
    const first = this.#samples >>> 2;
    const values = new Map<number, number>();
    let passed = 0;
    let next = 0;
    for (let step = 0; step < 2 * MISSING_BUCKET && next < ascending.length; step++) {
      const isNegative = step < MISSING_BUCKET;
      const bucket = isNegative ? SIGN_BUCKET + MISSING_BUCKET - 1 - step : step - MISSING_BUCKET;
      passed += this.#words[first + bucket]!;
      for (; next < ascending.length && ascending[next]! < passed; next++) {
        values.set(ascending[next]!, bucketValue(bucket));
      }
    }
    return values;
  }
}

const bits = new DataView(new ArrayBuffer(DOUBLE_BYTES));

/**
 * What stands for the values of a bucket. Its ends are at 1 + m/128 and 1 + (m+1)/128 times a power
 * of two; the harmonic mean of both is off by the same share of either, at most 1/257.
 */
function bucketValue(bucket: number): number {
  const low = doubleOf(bucket * 2 ** SKETCH_BUCKET_SHIFT);
  if (low === 0) return 0;
  const high = doubleOf((bucket + 1) * 2 ** SKETCH_BUCKET_SHIFT);
  return Number.isFinite(high) ? low / (low / 2 / high + 0.5) : low * (256 / 255.5);
}

function doubleOf(upperWord: number): number {
  bits.setUint32(0, upperWord);
  return bits.getFloat64(0);
}

/** As NumPy does: from whichever end is nearer. */
function between(low: number, high: number, share: number): number {
  if (share === 0) return low;
  const distance = high - low;
  return share < 0.5 ? low + distance * share : high - distance * (1 - share);
}
