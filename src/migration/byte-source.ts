import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const WINDOW_BYTES = 256 * 1024;

/** The rest of a file can not be read: from which byte on, and why. */
export class ReadError extends Error {
  override readonly name = 'ReadError';
  readonly offset: number;

  constructor(offset: number, reason: string) {
    super(reason);
    this.offset = offset;
  }
}

/**
 * A file read from front to end through a window, so that its size is no matter. Numbers are little
 * endian. Whatever asks for more than there is throws ReadError.
 */
export class ByteSource {
  readonly size: number;
  readonly #descriptor: number;
  #window = Buffer.alloc(WINDOW_BYTES);
  /** Offset in the file of the window's first byte. */
  #base = 0;
  #at = 0;
  #end = 0;

  /** Throws the system's error if the file can not be opened. */
  constructor(path: string) {
    this.#descriptor = openSync(path, 'r');
    this.size = fstatSync(this.#descriptor).size;
  }

  /** Offset in the file of the next byte. */
  get offset(): number {
    return this.#base + this.#at;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /** Bytes that can be read in one piece now; 0 at the end. */
  available(): number {
    if (this.#at === this.#end) this.#fill(1);
    return this.#end - this.#at;
  }

  /** Whether so many bytes are left; if so they are in the window. */
  has(bytes: number): boolean {
    return this.#end - this.#at >= bytes || this.#fill(bytes);
  }

  /** The next byte, which stays; -1 at the end. */
  peek(): number {
    if (this.#at < this.#end || this.#fill(1)) return this.#window[this.#at]!;
    return -1;
  }

  skip(bytes: number): void {
    this.#need(bytes);
    this.#at += bytes;
  }

  /** A view of the next bytes, which stay; it is good until more is read. */
  view(bytes: number): Buffer {
    this.#need(bytes);
    return this.#window.subarray(this.#at, this.#at + bytes);
  }

  /** The same, and they are taken. */
  take(bytes: number): Buffer {
    this.#need(bytes);
    this.#at += bytes;
    return this.#window.subarray(this.#at - bytes, this.#at);
  }

  u16(): number {
    return this.take(2).readUInt16LE();
  }

  u32(): number {
    return this.take(4).readUInt32LE();
  }

  /** A double has all integers that make sense here. */
  i64(): number {
    return Number(this.take(8).readBigInt64LE());
  }

  #need(bytes: number): void {
    if (!this.has(bytes)) throw new ReadError(this.size, 'the file ends too early');
  }

  /** Moves what is left to the front and reads on until `bytes` are there; false if they are not. */
  #fill(bytes: number): boolean {
    if (bytes > this.size - this.offset) return false;
    const before = this.#window;
    const left = this.#end - this.#at;
    if (bytes > before.length) this.#window = Buffer.alloc(bytes);
    before.copy(this.#window, 0, this.#at, this.#end);
    this.#base += this.#at;
    this.#at = 0;
    this.#end = left;
    while (this.#end < bytes) {
      const from = this.#base + this.#end;
      const room = Math.min(this.#window.length - this.#end, this.size - from);
      const read = readSync(this.#descriptor, this.#window, this.#end, room, from);
      // Somebody has cut it off meanwhile.
      if (read === 0) return false;
      this.#end += read;
    }
    return true;
  }
}
