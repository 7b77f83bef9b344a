import { open, readdir, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetMetadataAsync, parquetScan, type AsyncBuffer, type ParquetScan } from 'hyparquet';
import { zstd } from '../checkpoint/zstd.js';
import { ArchiveIndex } from './archive-index.js';
import { PAGE_ROWS } from './parquet/parquet-file.js';
import { clusterFolder, parseArchiveName, type NamedFile } from './names.js';

/** Files held open, with their footers; those asked for longest ago are closed first. */
const OPEN_MAX = 64;

/** Samples of consecutive rows. */
export interface Rows {
  /** Seconds since 1970, in the order of the rows. */
  readonly times: Float64Array;
  readonly values: Float64Array;
}

const COMPRESSORS = {
  ZSTD: (bytes: Uint8Array, rawBytes: number): Uint8Array => {
    const raw = new Uint8Array(rawBytes);
    zstd.decompress(raw, bytes);
    return raw;
  },
};

/** An open file of the archive: its index, and its rows. */
export class ArchiveFile {
  readonly path: string;
  readonly index: ArchiveIndex;
  readonly #scan: ParquetScan;
  readonly #handles: readonly FileHandle[];

  private constructor(
    path: string,
    index: ArchiveIndex,
    scan: ParquetScan,
    handles: readonly FileHandle[],
  ) {
    this.path = path;
    this.index = index;
    this.#scan = scan;
    this.#handles = handles;
  }

  /** `path` without `.parquet` and `.index`. Rejects with the file, and what is wrong with it. */
  static async open(path: string): Promise<ArchiveFile> {
    const handles: FileHandle[] = [];
    let file = `${path}.index`;
    try {
      const indexBuffer = await openBuffer(file, handles);
      const read = async (from: number, bytes: number): Promise<Uint8Array> =>
        new Uint8Array(await indexBuffer.slice(from, from + bytes));
      const index = await ArchiveIndex.open(read, indexBuffer.byteLength);
      file = `${path}.parquet`;
      const buffer = await openBuffer(file, handles);
      const metadata = await parquetMetadataAsync(buffer);
      const columns = ['timestamp', 'value'];
      const scan = await parquetScan({ file: buffer, metadata, columns, compressors: COMPRESSORS });
      return new ArchiveFile(path, index, scan, handles);
    } catch (error) {
      await Promise.allSettled(handles.map((handle) => handle.close()));
      throw new Error(`${file} can not be read: ${(error as Error).message}`);
    }
  }

  /** Rows `from` … `until`, exclusive. */
  async rows(from: number, until: number): Promise<Rows> {
    const times = new Float64Array(until - from);
    const values = new Float64Array(until - from);
    for (const [first, last] of this.#pages(from, until)) {
      const range = { rowStart: first, rowEnd: last };
      const seconds = await this.#scan.readColumn({ column: 'timestamp', ...range });
      const read = await this.#scan.readColumn({ column: 'value', ...range });
      if (seconds.length !== last - first || read.length !== last - first) {
        throw new Error(`${this.path}.parquet: rows ${first} … ${last} are not all there`);
      }
      readTimes(seconds, times.subarray(first - from, last - from));
      values.set(read as Float64Array, first - from);
    }
    return { times, values };
  }

  /** Rows page by page: the library puts pages together number by number. */
  *#pages(from: number, until: number): Generator<[first: number, last: number]> {
    for (const { rowStart, rowEnd } of this.#scan.ranges) {
      const end = Math.min(rowEnd, until);
      for (let first = Math.max(rowStart, from); first < end;) {
        const page = Math.floor((first - rowStart) / PAGE_ROWS);
        const last = Math.min(rowStart + (page + 1) * PAGE_ROWS, end);
        yield [first, last];
        first = last;
      }
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#handles.map((handle) => handle.close()));
  }
}

/** The files of an archive in a local folder. */
export class ArchiveFiles {
  readonly #folder: string;
  readonly #open = new Map<string, ArchiveFile>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Files of a cluster that have something of a time range (its end exclusive), oldest first. */
  async find(cluster: string, fromSec: number, toSec: number): Promise<NamedFile[]> {
    let names: string[];
    try {
      names = await readdir(join(this.#folder, clusterFolder(cluster)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
    return names
      .flatMap((name) => parseArchiveName(name) ?? [])
      .filter((file) => file.toSec >= fromSec && file.fromSec < toSec)
      .sort((left, right) => left.fromSec - right.fromSec || left.toSec - right.toSec);
  }

  /** Opens one of them, or takes it where it is open. */
  async open(cluster: string, { name }: NamedFile): Promise<ArchiveFile> {
    const path = join(this.#folder, clusterFolder(cluster), name);
    const file = this.#open.get(path) ?? (await ArchiveFile.open(path));
    // The map's order is that of the last use.
    this.#open.delete(path);
    this.#open.set(path, file);
    for (const [oldest, other] of this.#open) {
      if (this.#open.size <= OPEN_MAX) break;
      this.#open.delete(oldest);
      await other.close();
    }
    return file;
  }
}

/** 64-bit numbers by their halves: a bigint for each would be slow. */
function readTimes(seconds: ArrayLike<unknown>, times: Float64Array): void {
  if (!(seconds instanceof BigInt64Array)) {
    for (let i = 0; i < times.length; i++) times[i] = Number(seconds[i]);
    return;
  }
  const words = new Uint32Array(seconds.buffer, seconds.byteOffset, seconds.length * 2);
  for (let i = 0; i < times.length; i++) {
    times[i] = words[2 * i]! + (words[2 * i + 1]! | 0) * 0x1_0000_0000;
  }
}

async function openBuffer(path: string, handles: FileHandle[]): Promise<AsyncBuffer> {
  const handle = await open(path);
  handles.push(handle);
  const { size } = await handle.stat();
  return {
    byteLength: size,
    slice: async (from, until = size) => {
      const bytes = new Uint8Array(Math.max(0, Math.min(until, size) - from));
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, from);
      if (bytesRead < bytes.length) throw new Error(`it ends at byte ${from + bytesRead}`);
      return bytes.buffer;
    },
  };
}
