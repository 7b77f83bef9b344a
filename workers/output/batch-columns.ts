import { padded } from './arrow-message.js';
import { validityBytes, type BatchBody } from './batch-body.js';

/** Rows of a column, gathered until its batch is written. */
export interface BatchColumn {
  readonly bufferCount: number;
  /** Bytes that `write` adds to the body. */
  readonly bytes: number;
  write(body: BatchBody): void;
  clear(): void;
}

const WORD = 2 ** 32;

/** Numbers; what is not finite is null. */
export class NumberColumn implements BatchColumn {
  readonly bufferCount = 2;
  readonly #type: 'int32' | 'float64' | 'seconds';
  readonly #width: number;
  #numbers: number[] = [];
  #nulls = 0;

  constructor(type: 'int32' | 'float64' | 'seconds') {
    this.#type = type;
    this.#width = type === 'int32' ? 4 : 8;
  }

  add(value: number): void {
    this.#numbers.push(value);
    if (!Number.isFinite(value)) this.#nulls++;
  }

  get bytes(): number {
    const rows = this.#numbers.length;
    return validityBytes(rows, this.#nulls) + padded(rows * this.#width);
  }

  write(body: BatchBody): void {
    const numbers = this.#numbers;
    const width = this.#width;
    const { view } = body;
    body.column(numbers.length, this.#nulls);
    body.validity(numbers.length, this.#nulls, (row) => !Number.isFinite(numbers[row]!));
    let at = body.buffer(numbers.length * width);
    for (const number of numbers) {
      if (this.#type === 'float64') view.setFloat64(at, number, true);
      else view.setInt32(at, number, true);
      if (this.#type === 'seconds') view.setInt32(at + 4, Math.floor(number / WORD), true);
      at += width;
    }
  }

  clear(): void {
    this.#numbers = [];
    this.#nulls = 0;
  }
}

/** Texts; an empty one is null. */
export class TextColumn implements BatchColumn {
  readonly bufferCount = 3;
  #texts: string[] = [];
  #lengths: number[] = [];
  #textBytes = 0;
  #nulls = 0;
  #last = '';
  #lastBytes = 0;

  add(text: string): void {
    // Most series have the name of the one before them.
    if (text !== this.#last) {
      this.#last = text;
      this.#lastBytes = Buffer.byteLength(text);
    }
    this.#texts.push(text);
    this.#lengths.push(this.#lastBytes);
    this.#textBytes += this.#lastBytes;
    if (text === '') this.#nulls++;
  }

  get bytes(): number {
    const rows = this.#texts.length;
    return validityBytes(rows, this.#nulls) + padded((rows + 1) * 4) + padded(this.#textBytes);
  }

  write(body: BatchBody): void {
    const texts = this.#texts;
    const { bytes } = body;
    body.column(texts.length, this.#nulls);
    body.validity(texts.length, this.#nulls, (row) => texts[row] === '');
    writeOffsets(body, this.#lengths);
    let at = body.buffer(this.#textBytes);
    texts.forEach((text, row) => {
      const length = this.#lengths[row]!;
      if (length === text.length) {
        // Fast path: ASCII. A call out of JavaScript is dearer than a short name.
        for (let i = 0; i < length; i++) bytes[at + i] = text.charCodeAt(i);
      } else {
        bytes.write(text, at);
      }
      at += length;
    });
  }

  clear(): void {
    this.#texts = [];
    this.#lengths = [];
    this.#textBytes = 0;
    this.#nulls = 0;
  }
}

/** Lists of Float64; their items are written by the caller, who has them in shared memory. */
export class ListColumn implements BatchColumn {
  readonly bufferCount = 2;
  #counts: number[] = [];
  #isNull: boolean[] = [];
  #nulls = 0;
  #items = 0;

  add(count: number, isNull: boolean): void {
    this.#counts.push(count);
    this.#isNull.push(isNull);
    this.#items += count;
    if (isNull) this.#nulls++;
  }

  /** Items of all rows. */
  get items(): number {
    return this.#items;
  }

  /** Bytes without those of the items. */
  get bytes(): number {
    const rows = this.#counts.length;
    return validityBytes(rows, this.#nulls) + padded((rows + 1) * 4);
  }

  write(body: BatchBody): void {
    body.column(this.#counts.length, this.#nulls);
    body.validity(this.#counts.length, this.#nulls, (row) => this.#isNull[row]!);
    writeOffsets(body, this.#counts);
  }

  clear(): void {
    this.#counts = [];
    this.#isNull = [];
    this.#nulls = 0;
    this.#items = 0;
  }
}

/** Where each row begins, and where the last one ends. */
function writeOffsets(body: BatchBody, lengths: readonly number[]): void {
  let at = body.buffer((lengths.length + 1) * 4);
  let offset = 0;
  body.view.setInt32(at, 0, true);
  for (const length of lengths) {
    offset += length;
    at += 4;
    body.view.setInt32(at, offset, true);
  }
}
