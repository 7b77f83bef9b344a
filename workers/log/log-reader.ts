import { closeSync, fstatSync, openSync } from 'node:fs';
import { readAll } from '../../src/storage/files.js';
import {
  FRAME_BYTES,
  FRAME_CHECKSUM,
  FRAME_HEADER_BYTES,
  FRAME_MAGIC,
  FRAME_SEQUENCE,
  FRAME_TIME_MS,
  LOG_MAGIC,
} from '../kernel/layout.js';

/** How the reason begins where the file ends in a frame. */
const CUT_OFF = 'half a';
const MAGIC_BYTES = Buffer.alloc(4);
MAGIC_BYTES.writeUInt32LE(LOG_MAGIC);

export interface Frame {
  readonly sequence: number;
  readonly timeMs: number;
  /** Bytes of its records, which lie in the area behind the header. */
  readonly bytes: number;
}

/** Reads the frames of a log file, one after the other, into one area of memory. */
export class LogReader {
  readonly path: string;
  readonly size: number;
  /** Where the next frame begins; after damage, where that is. */
  at = 0;
  /** Why the rest can not be read, with file and byte; '' if all was. */
  damage = '';
  /** The same without them. */
  reason = '';
  readonly #descriptor: number;
  readonly #area: Buffer;
  readonly #checksum: (offset: number, bytes: number) => bigint;

  /** `checksum` of bytes of `area`. */
  constructor(path: string, area: Buffer, checksum: (offset: number, bytes: number) => bigint) {
    this.path = path;
    this.#area = area;
    this.#checksum = checksum;
    this.#descriptor = openSync(path, 'r');
    this.size = fstatSync(this.#descriptor).size;
  }

  /** The next frame; undefined at the end, and at what is no whole frame: see `damage`. */
  next(): Frame | undefined {
    if (this.at === this.size || this.damage !== '') return undefined;
    const area = this.#area;
    if (this.#read(FRAME_HEADER_BYTES, 0) < FRAME_HEADER_BYTES)
      return this.#fail(`${CUT_OFF} header`);
    if (area.readUInt32LE(FRAME_MAGIC) !== LOG_MAGIC) return this.#fail('no frame begins there');
    const bytes = area.readUInt32LE(FRAME_BYTES);
    if (bytes > area.length - FRAME_HEADER_BYTES) return this.#fail(`a frame of ${bytes} bytes`);
    if (this.#read(bytes, FRAME_HEADER_BYTES) < bytes) return this.#fail(`${CUT_OFF} frame`);
    const checked = FRAME_HEADER_BYTES - FRAME_SEQUENCE + bytes;
    const checksum = this.#checksum(FRAME_SEQUENCE, checked);
    if (area.readBigInt64LE(FRAME_CHECKSUM) !== checksum) return this.#fail('a wrong checksum');
    this.at += FRAME_HEADER_BYTES + bytes;
    const sequence = area.readDoubleLE(FRAME_SEQUENCE);
    return { sequence, timeMs: area.readDoubleLE(FRAME_TIME_MS), bytes };
  }

  /**
   * Whether the file ends in the frame that was being written, as a kill leaves it: that was never acknowledged, and
   * nobody can read more of it. Not so if another frame begins behind, or if the rest is all that the checksum is
   * of: then it is the size that is damaged.
   */
  get isCutOff(): boolean {
    const left = this.size - this.at;
    if (!this.reason.startsWith(CUT_OFF) || left > this.#area.length) return false;
    const rest = this.#area.subarray(0, left);
    if (readAll(this.#descriptor, rest, this.at) < left) return false;
    if (rest.indexOf(MAGIC_BYTES, 1) >= 0) return false;
    if (left < FRAME_HEADER_BYTES) return true;
    const checksum = this.#checksum(FRAME_SEQUENCE, left - FRAME_SEQUENCE);
    return rest.readBigInt64LE(FRAME_CHECKSUM) !== checksum;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #read(bytes: number, offset: number): number {
    const target = this.#area.subarray(offset, offset + bytes);
    return readAll(this.#descriptor, target, this.at + offset);
  }

  #fail(what: string): undefined {
    this.reason = what;
    this.damage = `${this.path}, byte ${this.at}: ${what}`;
    return undefined;
  }
}
