import { StoreError } from '../../src/model/errors.js';

/** Writes an answer's text into the answer region; the kernel writes the numbers in between. */
export class AnswerWriter {
  /** Address of the next byte. */
  at = 0;
  #end = 0;
  readonly #bytes: Buffer;

  constructor(memory: WebAssembly.Memory) {
    // The answer region is fixed: this view stays good when the heap grows.
    this.#bytes = Buffer.from(memory.buffer);
  }

  begin(address: number, end: number): void {
    this.at = address;
    this.#end = end;
  }

  /** Throws `limit-exceeded` if fewer than `bytes` are left. */
  need(bytes: number): void {
    if (this.at + bytes > this.#end) {
      throw new StoreError(
        'limit-exceeded',
        'the answer would not fit the answer buffer; ask for fewer series or a shorter range',
      );
    }
  }

  text(text: string): void {
    this.need(text.length * 3);
    const bytes = this.#bytes;
    if (text.length < 24) {
      for (let i = 0; i < text.length; i++) {
        const code = text.charCodeAt(i);
        if (code > 127) {
          this.at += bytes.write(text.slice(i), this.at);
          return;
        }
        bytes[this.at++] = code;
      }
    } else this.at += bytes.write(text, this.at);
  }
}
