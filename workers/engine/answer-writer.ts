import { StoreError } from '../../src/model/errors.js';
import { HEAP_BASE } from '../kernel/layout.js';

/** Writes an answer's text into the answer region; the kernel writes the numbers in between. */
export class AnswerWriter {
  /** Address of the next byte. */
  at = 0;
  #end = 0;
  readonly #bytes: Buffer;

  constructor(memory: WebAssembly.Memory) {
    // The answer region is fixed: this view stays good when the heap grows.
    this.#bytes = Buffer.from(memory.buffer, 0, HEAP_BASE);
  }

  begin(address: number, end: number): void {
    this.at = address;
    this.#end = end;
  }

  /** Whether `bytes` are left. */
  hasRoom(bytes: number): boolean {
    return this.at + bytes <= this.#end;
  }

  /** Throws `limit-exceeded` if fewer than `bytes` are left. */
  need(bytes: number): void {
    if (!this.hasRoom(bytes)) {
      throw new StoreError(
        'limit-exceeded',
        'a part of the answer would not fit the answer buffer (128 MiB); ask for a shorter range',
      );
    }
  }

  /** Short ASCII text for which there is room (see `need`). */
  ascii(text: string): void {
    const bytes = this.#bytes;
    let at = this.at;
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
    this.at = at;
  }

  /** Bytes that lie elsewhere in the fixed regions. Room as for `ascii`. */
  copy(address: number, bytes: number): void {
    this.#bytes.copyWithin(this.at, address, address + bytes);
    this.at += bytes;
  }

  /** Writes ASCII text elsewhere; returns its bytes. */
  put(address: number, text: string): number {
    return this.#bytes.write(text, address, 'latin1');
  }

  /** Any text, as UTF-8. */
  text(text: string): void {
    this.need(text.length * 3);
    this.at += this.#bytes.write(text, this.at);
  }
}
