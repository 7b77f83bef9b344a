import { padded } from './arrow-message.js';

/** The body of a record batch in the making: buffers, one behind the other, each a multiple of 8 bytes. */
export class BatchBody {
  readonly bytes: Buffer;
  readonly view: DataView;
  /** Rows and nulls of each column. */
  readonly nodes: number[] = [];
  /** Offset and bytes of each buffer. */
  readonly buffers: number[] = [];
  readonly #start: number;
  #at: number;

  /** A body at an address of the memory that both views show. */
  constructor(bytes: Buffer, view: DataView, start: number) {
    this.bytes = bytes;
    this.view = view;
    this.#start = start;
    this.#at = start;
  }

  /** Bytes so far. */
  get length(): number {
    return this.#at - this.#start;
  }

  /** Begins with a column. */
  column(rows: number, nulls: number): void {
    this.nodes.push(rows, nulls);
  }

  /** Adds a buffer; returns its address. What fills it up to a multiple of 8 is 0. */
  buffer(bytes: number): number {
    const address = this.#at;
    this.buffers.push(address - this.#start, bytes);
    this.#at = address + padded(bytes);
    this.bytes.fill(0, address + bytes, this.#at);
    return address;
  }

  /** Adds the bitmap of a column's rows; without nulls it is empty. */
  validity(rows: number, nulls: number, isNull: (row: number) => boolean): void {
    if (nulls === 0) {
      this.buffer(0);
      return;
    }
    const bytes = Math.ceil(rows / 8);
    const address = this.buffer(bytes);
    this.bytes.fill(0, address, address + bytes);
    for (let row = 0; row < rows; row++) {
      if (!isNull(row)) this.bytes[address + (row >>> 3)]! |= 1 << (row & 7);
    }
  }
}

/** Bytes that `validity` adds. */
export function validityBytes(rows: number, nulls: number): number {
  return nulls === 0 ? 0 : padded(Math.ceil(rows / 8));
}
