import type { Kernel } from '../kernel/kernel.js';
import {
  EXPORT_VALUES,
  EXPORT_VALUES_BYTES,
  HEAD_SLOTS,
  SERIES_LAST_SLOT,
} from '../kernel/layout.js';
import type { Words } from '../engine/engine.js';

/** Samples are looked for in so many times as many slots: with more gaps than samples there is no telling. */
const SLOTS_PER_SAMPLE = 2;
const SLOTS_MAX = EXPORT_VALUES_BYTES / 8;

/** Reads the newest values of series. */
export class NewestValues {
  readonly #kernel: Kernel;
  readonly #values: Float64Array;

  constructor(kernel: Kernel, memory: WebAssembly.Memory) {
    this.#kernel = kernel;
    // A fixed region: this view stays good when the heap grows.
    this.#values = new Float64Array(memory.buffer, EXPORT_VALUES, SLOTS_MAX);
  }

  /** The value of a series' newest sample; NaN if that was freed. */
  last(words: Words, series: number): number {
    this.#kernel.readSeries(series, words[(series + SERIES_LAST_SLOT) >>> 2]!, 1, EXPORT_VALUES);
    return this.#values[0]!;
  }

  /** Whether the newest so many samples of a series are all the same. */
  isStuck(words: Words, series: number, samples: number): boolean {
    const last = words[(series + SERIES_LAST_SLOT) >>> 2]!;
    // Fast path: mostly the head tells.
    const few = this.#equalSamples(series, last, HEAD_SLOTS);
    if (Math.abs(few) >= samples) return true;
    if (few < 0) return false;
    const slots = Math.min(SLOTS_MAX, samples * SLOTS_PER_SAMPLE);
    return Math.abs(this.#equalSamples(series, last, slots)) >= samples;
  }

  /**
   * How many samples of the slots up to `last` are the same as the newest one, counted backwards; negative
   * if there is another one before them.
   */
  #equalSamples(series: number, last: number, wanted: number): number {
    const slots = Math.min(wanted, last + 1);
    this.#kernel.readSeries(series, last + 1 - slots, slots, EXPORT_VALUES);
    const newest = this.#values[slots - 1]!;
    let count = 0;
    for (let i = slots - 1; i >= 0; i--) {
      const value = this.#values[i]!;
      if (Number.isNaN(value)) continue;
      if (value !== newest) return -count;
      count++;
    }
    return count;
  }
}
