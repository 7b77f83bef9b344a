import { closeSync, fstatSync, openSync, read as readLater } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { HASH_START, hashByte } from '../../src/model/hash.js';
import { readAll } from '../../src/storage/files.js';
import { PLAIN_RUN_BYTES, SAVED_RUN_BYTES } from '../kernel/layout.js';
import { zstd } from './zstd.js';

/** Kinds of sections. */
export const SECTION_SERIES = 1;
/** As they were before there were short headers. */
export const SECTION_PLAIN_BLOCKS = 2;
export const SECTION_END = 3;
export const SECTION_BLOCKS = 4;

/** Bytes of the header of a run in a section of blocks of either kind. Throws if it is of another one. */
export function runBytesOf(kind: number): number {
  if (kind === SECTION_BLOCKS) return SAVED_RUN_BYTES;
  if (kind === SECTION_PLAIN_BLOCKS) return PLAIN_RUN_BYTES;
  throw new Error(`a section of kind ${kind}`);
}

export const SECTION_HEADER_BYTES = 40;
const MAGIC = 0x3153534d;
const MAGIC_BYTES = Buffer.from('MSS1');
const AT_MAGIC = 0;
const AT_KIND = 4;
const AT_CHECKPOINT = 8;
const AT_BYTES = 12;
const AT_STORED_BYTES = 16;
const AT_PACKING = 20;
const AT_CHECKSUM = 24;
const AT_HEADER_CHECK = 32;
const PLAIN = 0;
const ZSTD = 1;
/** Packing that wins less than this share is not worth the time to unpack it. */
const PACKING_WIN_MIN = 0.1;
/** Sizes of buffers are multiples of it: sections are not all of one size. */
const BUFFER_STEP_BYTES = 1 << 18;
/** What a turn of a checkpoint makes at most, or nearly so. */
const SPARE_MAX = 4;

/** Behind damage a header is looked for in pieces of this size. */
const SEARCH_BYTES = 65_536;

/** A file, or a part of it, that is not as it was written. */
export class DamageError extends Error {
  override readonly name = 'DamageError';
  readonly file: string;
  /** Byte where the damaged part begins; -1 = it is about the file as a whole. */
  readonly offset: number;
  readonly reason: string;

  constructor(file: string, offset: number, reason: string) {
    super(offset < 0 ? `${file}: ${reason}` : `${file}, byte ${offset}: ${reason}`);
    this.file = file;
    this.offset = offset;
    this.reason = reason;
  }
}

export interface Section {
  readonly kind: number;
  /** Number of the checkpoint that wrote it first. */
  readonly checkpoint: number;
  /** As it is used, unpacked. */
  readonly bytes: Uint8Array;
  /** XXH64 of `bytes`, as the kernel gives it: signed. */
  readonly checksum: bigint;
}

/** One that was read. */
export interface ReadSection extends Section {
  readonly bytes: Buffer;
  /** Where its bytes lie in the reader's area. */
  readonly areaAt: number;
}

/** A section on its way into memory while the one before it is in use. */
interface Ahead {
  /** Where it begins in the file. */
  readonly begin: number;
  /** Where its bytes come to lie. */
  readonly target: Buffer;
  isThere: boolean;
}

const readBeside = promisify(readLater);

/** FNV-1a over what stands in front of the check. */
function headerCheck(header: Buffer): number {
  let hash = HASH_START;
  for (let i = 0; i < AT_HEADER_CHECK; i++) hash = hashByte(hash, header[i]!);
  return hash >>> 0;
}

function isHeader(header: Buffer): boolean {
  const isMagic = header.readUInt32LE(AT_MAGIC) === MAGIC;
  return isMagic && header.readUInt32LE(AT_HEADER_CHECK) === headerCheck(header);
}

/** Writes a file of sections, one after the other; the last one says that it is whole. */
export class SectionWriter {
  readonly #file: FileHandle;
  #last: Promise<unknown> = Promise.resolve();
  #failure: unknown;
  /** Buffers that are written, for the next sections. */
  readonly #spare: Buffer[] = [];
  bytes = 0;
  sections = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async create(path: string): Promise<SectionWriter> {
    return new SectionWriter(await open(path, 'w'));
  }

  /** Queues a section; its bytes are copied, or packed, before this returns. */
  append(section: Section, isPacked: boolean): void {
    const plainBytes = section.bytes.length;
    const buffer = this.#takeBuffer(isPacked ? zstd.packedBytesMax(plainBytes) : plainBytes);
    let storedBytes = isPacked ? zstd.pack(buffer, section.bytes) : plainBytes;
    const isWorthIt = isPacked && storedBytes < plainBytes * (1 - PACKING_WIN_MIN);
    if (!isWorthIt) {
      buffer.set(section.bytes);
      storedBytes = plainBytes;
    }
    const header = Buffer.alloc(SECTION_HEADER_BYTES);
    header.writeUInt32LE(MAGIC, AT_MAGIC);
    header.writeUInt32LE(section.kind, AT_KIND);
    header.writeUInt32LE(section.checkpoint, AT_CHECKPOINT);
    header.writeUInt32LE(plainBytes, AT_BYTES);
    header.writeUInt32LE(storedBytes, AT_STORED_BYTES);
    header.writeUInt32LE(isWorthIt ? ZSTD : PLAIN, AT_PACKING);
    header.writeBigInt64LE(section.checksum, AT_CHECKSUM);
    header.writeUInt32LE(headerCheck(header), AT_HEADER_CHECK);
    this.#queue(header, buffer, storedBytes);
    this.sections++;
  }

  /** One that is not being written, or a new one: a section each would leave hundreds of MB to the collector. */
  #takeBuffer(bytes: number): Buffer {
    const found = this.#spare.findIndex((buffer) => buffer.length >= bytes);
    if (found >= 0) return this.#spare.splice(found, 1)[0]!;
    return Buffer.allocUnsafeSlow(Math.ceil(bytes / BUFFER_STEP_BYTES) * BUFFER_STEP_BYTES);
  }

  /** Resolves when all that was appended is written; rejects if that failed. */
  async settled(): Promise<void> {
    await this.#last;
    if (this.#failure) throw this.#failure;
  }

  /** Writes the end and gives the file to the disk. */
  async end(checkpoint: number): Promise<void> {
    this.append({ kind: SECTION_END, checkpoint, bytes: new Uint8Array(0), checksum: 0n }, false);
    await this.settled();
    await this.#file.datasync();
    await this.close();
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#file.close();
  }

  #queue(header: Buffer, buffer: Buffer, bytes: number): void {
    this.bytes += header.length + bytes;
    this.#last = this.#last.then(async () => {
      if (this.#failure) return;
      try {
        await writeAll(this.#file, header);
        await writeAll(this.#file, buffer.subarray(0, bytes));
        if (this.#spare.length < SPARE_MAX) this.#spare.push(buffer);
      } catch (error) {
        this.#failure = error;
      }
    });
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  let at = 0;
  while (at < bytes.length) {
    at += (await file.write(bytes, at, bytes.length - at)).bytesWritten;
  }
}

/** Reads a file of sections into one area of memory, section by section. */
export class SectionReader {
  readonly #path: string;
  readonly #descriptor: number;
  readonly #area: Buffer;
  readonly #checksum: (areaAt: number, bytes: number) => bigint;
  readonly #header = Buffer.alloc(SECTION_HEADER_BYTES);
  #ahead: Ahead | undefined;
  #packed = Buffer.alloc(0);
  /** Where the section that was read last lies, and its size. */
  #areaAt = 0;
  #bytes = 0;
  readonly size: number;
  /** Where the next section begins. */
  at = 0;
  isAtEnd = false;

  /** `checksum` of bytes of `area`. */
  constructor(path: string, area: Buffer, checksum: (areaAt: number, bytes: number) => bigint) {
    this.#path = path;
    this.#area = area;
    this.#checksum = checksum;
    this.#descriptor = openSync(path, 'r');
    this.size = fstatSync(this.#descriptor).size;
  }

  /**
   * The next section, whose bytes lie in the area until the one after; undefined at the end.
   * Throws DamageError; `next` goes on behind that section, if one with a good header follows.
   */
  next(): ReadSection | undefined {
    if (this.isAtEnd) return undefined;
    const begin = this.at;
    const header = this.#header;
    if (readAll(this.#descriptor, header, begin) < SECTION_HEADER_BYTES) {
      return this.#stop('it ends before its end section');
    }
    if (!isHeader(header)) {
      this.at = this.#headerFrom(begin + 1);
      throw this.#damage('the header of a section is damaged', begin);
    }
    const kind = header.readUInt32LE(AT_KIND);
    const bytes = header.readUInt32LE(AT_BYTES);
    const storedBytes = header.readUInt32LE(AT_STORED_BYTES);
    if (kind === SECTION_END) {
      this.isAtEnd = true;
      return undefined;
    }
    if (bytes > this.#area.length || storedBytes > this.#area.length) {
      return this.#stop(`a section has ${bytes} bytes, which is too large`);
    }
    this.at = begin + SECTION_HEADER_BYTES + storedBytes;
    const isPacked = header.readUInt32LE(AT_PACKING) === ZSTD;
    let stored = this.#takeAhead(begin);
    if (!stored) {
      stored = isPacked ? this.#roomFor(storedBytes) : this.#area.subarray(0, storedBytes);
      if (readAll(this.#descriptor, stored, begin + SECTION_HEADER_BYTES) < storedBytes) {
        return this.#stop('it ends inside a section');
      }
    }
    if (isPacked) this.#unpack(stored, bytes, begin);
    const areaAt = isPacked ? 0 : stored.byteOffset - this.#area.byteOffset;
    this.#areaAt = areaAt;
    this.#bytes = bytes;
    const checksum = header.readBigInt64LE(AT_CHECKSUM);
    if (this.#checksum(areaAt, bytes) !== checksum) {
      throw this.#damage(`the checksum of ${bytes} bytes is wrong`, begin);
    }
    const checkpoint = header.readUInt32LE(AT_CHECKPOINT);
    return {
      kind,
      checkpoint,
      bytes: this.#area.subarray(areaAt, areaAt + bytes),
      checksum,
      areaAt,
    };
  }

  /**
   * Reads the next section beside other work of the thread, into the half of the area that the last one is not in.
   * Resolves when it is there, or at once where `next` is to read it: one that is packed, since those are so small
   * that to hear of it takes longer. Neither `next` nor `close` may be called before.
   */
  async readAhead(): Promise<void> {
    const header = this.#header;
    const begin = this.at;
    const half = this.#area.length >>> 1;
    if (this.isAtEnd || readAll(this.#descriptor, header, begin) < SECTION_HEADER_BYTES) return;
    const bytes = header.readUInt32LE(AT_STORED_BYTES);
    if (!isHeader(header)) return;
    if (header.readUInt32LE(AT_PACKING) === ZSTD || bytes > half || this.#bytes > half) return;
    const areaAt = this.#areaAt === 0 ? half : 0;
    const target = this.#area.subarray(areaAt, areaAt + bytes);
    const ahead = { begin, target, isThere: false };
    this.#ahead = ahead;
    // What fails here fails once more where it is told.
    const read = await readBeside(
      this.#descriptor,
      target,
      0,
      bytes,
      begin + SECTION_HEADER_BYTES,
    ).catch(() => undefined);
    ahead.isThere = read?.bytesRead === bytes;
  }

  #takeAhead(begin: number): Buffer | undefined {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    return ahead?.isThere && ahead.begin === begin ? ahead.target : undefined;
  }

  /** For a packed section: one buffer for all, since each would be garbage of half a megabyte. */
  #roomFor(bytes: number): Buffer {
    if (this.#packed.length < bytes) this.#packed = Buffer.allocUnsafeSlow(bytes);
    return this.#packed.subarray(0, bytes);
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /** Into the area, which bounds it whatever the damaged bytes say. */
  #unpack(stored: Buffer, bytes: number, begin: number): void {
    let unpacked = 0;
    try {
      unpacked = zstd.decompress(this.#area, stored);
    } catch (error) {
      throw this.#damage(`a section does not unpack: ${(error as Error).message}`, begin);
    }
    if (unpacked !== bytes) {
      throw this.#damage(`a section unpacks to ${unpacked} bytes, not ${bytes}`, begin);
    }
  }

  /** Where the next section with a good header begins, the file's size if there is none. */
  #headerFrom(from: number): number {
    const window = Buffer.alloc(SEARCH_BYTES);
    for (let at = from; at < this.size; at += SEARCH_BYTES - SECTION_HEADER_BYTES + 1) {
      const last = readAll(this.#descriptor, window, at) - SECTION_HEADER_BYTES;
      for (let i = window.indexOf(MAGIC_BYTES); i >= 0 && i <= last;) {
        if (isHeader(window.subarray(i, i + SECTION_HEADER_BYTES))) return at + i;
        i = window.indexOf(MAGIC_BYTES, i + 1);
      }
    }
    return this.size;
  }

  /** What follows can not be found. */
  #stop(why: string): never {
    this.isAtEnd = true;
    throw this.#damage(why, this.at);
  }

  #damage(why: string, at: number): DamageError {
    return new DamageError(this.#path, at, why);
  }
}
