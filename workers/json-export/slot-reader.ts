import type { Kernel } from '../kernel/kernel.js';
import { EXPORT_VALUES, EXPORT_VALUES_BYTES } from '../kernel/layout.js';

/** Slots read at a time. */
const PIECE_SLOTS = EXPORT_VALUES_BYTES / 8;

/** Reads slots of a series, some at a time. */
export class SlotReader {
  readonly #kernel: Kernel;
  readonly #values: Float64Array;

  constructor(kernel: Kernel, memory: WebAssembly.Memory) {
    this.#kernel = kernel;
    // A fixed region: this view stays good when the heap grows.
    this.#values = new Float64Array(memory.buffer, EXPORT_VALUES, PIECE_SLOTS);
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
