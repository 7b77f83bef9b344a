import { ANSWER_BASE, SERIES_IDS_MAX } from '../kernel/layout.js';

/** Series by their number in a folder's files, for the kernel: address, and the frame it was saved at. */
export class SeriesTable {
  /** Numbers below it may have a series. */
  count = 1;
  readonly #entries: Uint32Array;

  constructor(memory: WebAssembly.Memory) {
    // Nobody asks while a store is restored. A fixed region: this view stays good when the heap grows.
    this.#entries = new Uint32Array(memory.buffer, ANSWER_BASE, 2 * SERIES_IDS_MAX);
  }

  /** Address of a series, 0 if there is none. */
  at(id: number): number {
    return id < this.count ? this.#entries[2 * id]! : 0;
  }

  /** `frame`: samples of frames before it are in the series already. */
  bind(id: number, series: number, frame: number): void {
    this.growTo(id + 1);
    this.#entries[2 * id] = series;
    this.#entries[2 * id + 1] = frame;
  }

  /** Makes room for numbers below `count`. */
  growTo(count: number): void {
    if (count <= this.count) return;
    if (count > SERIES_IDS_MAX) throw new Error(`series number ${count - 1} is too large`);
    this.#entries.fill(0, 2 * this.count, 2 * count);
    this.count = count;
  }

  /** What was freed has no place any more. */
  forget(removed: ReadonlySet<number>): void {
    for (let id = 1; id < this.count; id++) {
      if (removed.has(this.at(id))) this.#entries[2 * id] = 0;
    }
  }
}
