import { ReadError, type ByteSource } from './byte-source.js';

const QUOTE = 34;
const PLUS = 43;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
const NINE = 57;
const LETTER_E = 101;
const BACKSLASH = 92;
const SPACE = 32;

/** Digits of an integer that a double holds exactly. */
const DIGITS_EXACT_MAX = 15;
const POWERS_OF_TEN = Array.from({ length: DIGITS_EXACT_MAX + 1 }, (_, n) => Number(`1e${n}`));
const TEXT_BYTES_MAX = 4096;
const DEPTH_MAX = 64;

/** Reads JSON token by token: a checkpoint of any size takes no more memory than a column. */
export class JsonScanner {
  readonly #source: ByteSource;
  readonly #text = Buffer.alloc(TEXT_BYTES_MAX);

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** The next byte that is no blank, which stays; -1 at the end. */
  next(): number {
    const source = this.#source;
    for (;;) {
      const byte = source.peek();
      if (byte > SPACE || byte < 0) return byte;
      source.skip(1);
    }
  }

  /** Takes a sign such as `{` if it is next. */
  takeIf(sign: string): boolean {
    if (this.next() !== sign.charCodeAt(0)) return false;
    this.#source.skip(1);
    return true;
  }

  expect(sign: string): void {
    if (!this.takeIf(sign)) this.fail(`"${sign}" is missing`);
  }

  /** The keys of an object, each with its value next, which the caller takes; `null` has none. */
  *keys(): Generator<string> {
    if (this.takeNull()) return;
    this.expect('{');
    if (this.takeIf('}')) return;
    do {
      const key = this.text();
      this.expect(':');
      yield key;
    } while (this.takeIf(','));
    this.expect('}');
  }

  takeNull(): boolean {
    if (this.next() !== 110) return false;
    this.#word('null');
    return true;
  }

  text(): string {
    this.next();
    const source = this.#source;
    const at = source.offset;
    this.expect('"');
    const bytes: number[] = [QUOTE];
    for (let isEscaped = false; ;) {
      const byte = source.peek();
      if (byte < 0) this.fail('the file ends within a text');
      if (bytes.length > TEXT_BYTES_MAX) this.fail('a text is too long');
      bytes.push(byte);
      source.skip(1);
      if (isEscaped) isEscaped = false;
      else if (byte === BACKSLASH) isEscaped = true;
      else if (byte === QUOTE) break;
    }
    try {
      return JSON.parse(Buffer.from(bytes).toString()) as string;
    } catch (error) {
      throw new ReadError(at, (error as Error).message);
    }
  }

  /** A number. Fast path: at most 15 digits and no exponent, so that one division is exact. */
  number(): number {
    this.next();
    const source = this.#source;
    const at = source.offset;
    const text = this.#text;
    let length = 0;
    let digits = 0;
    let count = 0;
    let decimals = -1;
    let isPlain = true;
    for (;;) {
      const byte = source.peek();
      if (byte >= ZERO && byte <= NINE) {
        digits = digits * 10 + byte - ZERO;
        count++;
        if (decimals >= 0) decimals++;
      } else if (byte === POINT && decimals < 0 && count > 0) decimals = 0;
      else if (byte === POINT || byte === PLUS || (byte | SPACE) === LETTER_E) isPlain = false;
      else if (byte !== MINUS) break;
      else if (length > 0) isPlain = false;
      if (length === text.length) this.fail('a number is too long');
      text[length++] = byte;
      source.skip(1);
    }
    if (isPlain && count > 0 && count <= DIGITS_EXACT_MAX && decimals !== 0) {
      const value = decimals > 0 ? digits / POWERS_OF_TEN[decimals]! : digits;
      return text[0] === MINUS ? -value : value;
    }
    const value = length === 0 ? NaN : Number(text.toString('latin1', 0, length));
    if (Number.isNaN(value)) throw new ReadError(at, 'a number is missing or damaged');
    return value;
  }

  /** Passes over a value of any kind. */
  skipValue(depth = 0): void {
    if (depth > DEPTH_MAX) this.fail('values are too deep');
    const byte = String.fromCharCode(Math.max(0, this.next()));
    if (byte === '"') this.text();
    else if (byte === '{') for (const _ of this.keys()) this.skipValue(depth + 1);
    else if (byte === '[') {
      this.expect('[');
      if (this.takeIf(']')) return;
      do this.skipValue(depth + 1);
      while (this.takeIf(','));
      this.expect(']');
    } else if (byte === 'n') this.#word('null');
    else if (byte === 't') this.#word('true');
    else if (byte === 'f') this.#word('false');
    else this.number();
  }

  fail(reason: string): never {
    const { offset, size } = this.#source;
    throw new ReadError(offset, offset >= size ? 'the file ends too early' : reason);
  }

  #word(word: string): void {
    const source = this.#source;
    if (!source.has(word.length)) this.fail('');
    if (source.view(word.length).toString('latin1') !== word) this.fail(`"${word}" is damaged`);
    source.skip(word.length);
  }
}
