import { ByteWriter } from 'hyparquet-writer/src/bytewriter.js';
import { dataPage, dictionaryPage, type Page } from './page.js';
import { bitsFor, HybridWriter } from './hybrid.js';

/**
 * A column of a row group whose value changes from series to series at most: a dictionary, and runs
 * of its indexes.
 */
export class RunColumn<Value extends string | number> {
  readonly #indexes = new Map<Value, number>();
  readonly #runs: [index: number, times: number][] = [];
  readonly #hybrid = new HybridWriter();
  #rows = 0;

  add(value: Value, times: number): void {
    let index = this.#indexes.get(value);
    if (index === undefined) {
      index = this.#indexes.size;
      this.#indexes.set(value, index);
    }
    const last = this.#runs.at(-1);
    if (last?.[0] === index) last[1] += times;
    else this.#runs.push([index, times]);
    this.#rows += times;
  }

  /** Least and largest value; text by its UTF-8 bytes, numbers as numbers. */
  bounds(): [min: Value, max: Value] {
    const sorted = [...this.#indexes.keys()].toSorted((left, right) =>
      typeof left === 'number'
        ? left - Number(right)
        : Buffer.compare(Buffer.from(left), Buffer.from(String(right))),
    );
    return [sorted[0]!, sorted.at(-1)!];
  }

  /** Dictionary and page; the column is empty then. */
  take(): { dictionary: Page; pages: Page[] } {
    const plain = new ByteWriter();
    for (const value of this.#indexes.keys()) {
      if (typeof value === 'number') plain.appendInt64(BigInt(value));
      else {
        const bytes = Buffer.from(value);
        plain.appendUint32(bytes.length);
        plain.appendBytes(bytes);
      }
    }
    const count = this.#indexes.size;
    const dictionary = dictionaryPage(plain.getBytes(), count);
    const body = this.#hybrid.runs(this.#runs, bitsFor(count));
    const pages = [dataPage(body, this.#rows, 'RLE_DICTIONARY')];
    this.#indexes.clear();
    this.#runs.length = 0;
    this.#rows = 0;
    return { dictionary, pages };
  }
}
