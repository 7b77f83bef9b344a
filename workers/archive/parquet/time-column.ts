import { dataPage, type Page } from './page.js';

/**
 * The times of a row group: plain, since the same times follow one another in all series of a host,
 * which compression sees best where nothing has packed them before.
 */
export class TimeColumn {
  readonly #page: BigInt64Array;
  readonly #words: Int32Array;
  #rows = 0;
  #pages: Page[] = [];
  #from = Infinity;
  #to = -Infinity;

  constructor(pageRows: number) {
    this.#page = new BigInt64Array(pageRows);
    this.#words = new Int32Array(this.#page.buffer);
  }

  /** Earliest and latest second of the row group. */
  get bounds(): [bigint, bigint] {
    return [BigInt(this.#from), BigInt(this.#to)];
  }

  /** Slots of `stepSec` seconds, ascending, as many as the page has room for. */
  add(slots: Float64Array, stepSec: number): void {
    const words = this.#words;
    let at = this.#rows * 2;
    for (let i = 0; i < slots.length; i++) {
      const second = slots[i]! * stepSec;
      // The halves of a 64-bit number: a bigint for each would be slow.
      words[at++] = second | 0;
      words[at++] = Math.floor(second / 0x1_0000_0000);
    }
    this.#rows += slots.length;
    this.#from = Math.min(this.#from, slots[0]! * stepSec);
    this.#to = Math.max(this.#to, slots.at(-1)! * stepSec);
  }

  endPage(): void {
    const body = new Uint8Array(this.#page.buffer, 0, this.#rows * 8);
    this.#pages.push(dataPage(body, this.#rows, 'PLAIN'));
    this.#rows = 0;
  }

  /** The pages; the column is empty then. */
  take(): Page[] {
    const pages = this.#pages;
    this.#pages = [];
    this.#from = Infinity;
    this.#to = -Infinity;
    return pages;
  }
}
