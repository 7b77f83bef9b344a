import type { Kernel } from '../kernel/kernel.js';
import {
  EXPORT_TEXT,
  EXPORT_TEXT_BYTES,
  EXPORT_VALUES,
  EXPORT_VALUES_BYTES,
  EXPORT_WORK,
} from '../kernel/layout.js';

/** Slots read at a time. */
const PIECE_SLOTS = EXPORT_VALUES_BYTES / 8;

/** How many values become text at most: 26 bytes each, and what the kernel may overwrite behind. */
export const TEXT_SLOTS_MAX = Math.floor((EXPORT_TEXT_BYTES - 64) / 26);

/** Reads slots of a series, some at a time. */
export class SlotReader {
  readonly #kernel: Kernel;
  readonly #values: Float64Array;
  readonly #text: Buffer;

  constructor(kernel: Kernel, memory: WebAssembly.Memory) {
    this.#kernel = kernel;
    // Fixed regions: these views stay good when the heap grows.
    this.#values = new Float64Array(memory.buffer, EXPORT_VALUES, PIECE_SLOTS);
    this.#text = Buffer.from(memory.buffer, EXPORT_TEXT, EXPORT_TEXT_BYTES);
  }

  /** `[1,null,2.5]`: at most TEXT_SLOTS_MAX slots of a series; -0 as 0, as answers have it. */
  text(series: number, from: number, count: number): string {
    const end = this.#kernel.formatSeries(series, from, count, EXPORT_TEXT, EXPORT_WORK);
    return this.#text.toString('latin1', 0, end - EXPORT_TEXT);
  }

  /** Calls back for each sample from slot `from` to before `until`, in order. */
  forEach(
    series: number,
    from: number,
    until: number,
    callback: (slot: number, value: number) => void,
  ): void {
    for (let first = from; first < until; first += PIECE_SLOTS) {
      const count = Math.min(PIECE_SLOTS, until - first);
      this.#kernel.readSeries(series, first, count, EXPORT_VALUES);
      for (let i = 0; i < count; i++) {
        const value = this.#values[i]!;
        if (!Number.isNaN(value)) callback(first + i, value);
      }
    }
  }
}
