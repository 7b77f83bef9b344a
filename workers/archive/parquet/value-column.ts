import { dataPage, dictionaryPage, type Page } from './page.js';
import { bitsFor, HybridWriter } from './hybrid.js';

/** Different values of one row group at most: with more of them a page's indexes save little. */
const DICTIONARY_MAX = 1 << 16;
const TABLE_SLOTS = 4 * DICTIONARY_MAX;
/** What a value of many digits takes when its bytes are split into streams. */
const SPLIT_BYTES = 7;

/**
 * The values of a row group, page by page. Most metrics have few different values, as they are
 * rounded: their indexes in a dictionary of the row group take a third of what else is smallest. A
 * page whose values are all different has its bytes split into eight streams instead.
 */
export class ValueColumn {
  readonly #dictionary = new Float64Array(DICTIONARY_MAX);
  readonly #words = new Uint32Array(this.#dictionary.buffer);
  /** Open addressing: index + 1 of a value, 0 = free. */
  readonly #table = new Int32Array(TABLE_SLOTS);
  readonly #hybrid = new HybridWriter();
  #indexes = new Uint32Array(0);
  #count = 0;
  #pages: Page[] = [];
  min = Infinity;
  max = -Infinity;

  /** Adds a page; `values` has no NaN. */
  addPage(values: Float64Array): void {
    const count = values.length;
    if (this.#indexes.length < count) this.#indexes = new Uint32Array(count);
    const known = this.#count;
    const isTaken = this.#intern(values, known);
    if (!isTaken) this.#forget(known);
    for (let i = 0; i < count; i++) {
      const value = values[i]!;
      if (value < this.min) this.min = value;
      if (value > this.max) this.max = value;
    }
    this.#pages.push(isTaken ? this.#dictionaryPage(count) : splitPage(values));
  }

  /** The dictionary, where there is one, and the pages; the column is empty then. */
  take(): { dictionary: Page | undefined; pages: Page[] } {
    const plain = Buffer.from(this.#dictionary.buffer, 0, this.#count * 8);
    const dictionary = this.#count > 0 ? dictionaryPage(plain, this.#count) : undefined;
    const pages = this.#pages;
    this.#pages = [];
    this.#count = 0;
    this.#table.fill(0);
    this.min = Infinity;
    this.max = -Infinity;
    return { dictionary, pages };
  }

  /** Gives each value an index; false if a page without a dictionary is smaller. */
  #intern(values: Float64Array, known: number): boolean {
    const words = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
    const own = this.#words;
    const table = this.#table;
    const mask = TABLE_SLOTS - 1;
    let newMax = Math.min(DICTIONARY_MAX - known, (values.length * SPLIT_BYTES) / 8);
    newMax -= (values.length * bitsFor(known + newMax)) / 64;
    for (let i = 0; i < values.length; i++) {
      const low = words[2 * i]!;
      const high = words[2 * i + 1]!;
      let hash = Math.imul(low ^ (low >>> 15), 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b);
      hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
      let slot = (hash ^ (hash >>> 16)) & mask;
      for (;;) {
        const entry = table[slot]!;
        if (entry === 0) {
          if (this.#count - known >= newMax) return false;
          this.#dictionary[this.#count++] = values[i]!;
          table[slot] = this.#count;
          this.#indexes[i] = this.#count - 1;
          break;
        }
        if (own[2 * entry - 2] === low && own[2 * entry - 1] === high) {
          this.#indexes[i] = entry - 1;
          break;
        }
        slot = (slot + 1) & mask;
      }
    }
    return true;
  }

  /** Takes back the values from the `known`-th on. They filled free slots, so all others stay in reach. */
  #forget(known: number): void {
    const table = this.#table;
    for (let slot = 0; slot < TABLE_SLOTS; slot++) if (table[slot]! > known) table[slot] = 0;
    this.#count = known;
  }

  #dictionaryPage(count: number): Page {
    const bits = bitsFor(this.#count);
    return dataPage(this.#hybrid.page(this.#indexes, count, bits), count, 'RLE_DICTIONARY');
  }
}

/** The first byte of all values, then the second of all: those that hardly differ lie together. */
function splitPage(values: Float64Array): Page {
  const count = values.length;
  const from = new Uint8Array(values.buffer, values.byteOffset, count * 8);
  const split = new Uint8Array(count * 8);
  for (let i = 0, at = 0; i < count; i++) {
    for (let byte = 0; byte < 8; byte++) split[byte * count + i] = from[at++]!;
  }
  return dataPage(split, count, 'BYTE_STREAM_SPLIT');
}
