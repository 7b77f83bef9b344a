import {
  parquetMetadata,
  parquetScan,
  type AsyncBuffer,
  type FileMetaData,
  type ParquetScan,
} from 'hyparquet';
import { zstd } from '../checkpoint/zstd.js';
import { ArchiveIndex, type IndexedSeries } from './archive-index.js';
import type { ArchiveSource, OpenedFile } from './archive-source.js';
import { digestOf, PAGE_ROWS, type Tail } from './parquet/parquet-file.js';
import {
  clusterFolder,
  endOfNames,
  inOrderOfRuns,
  parseArchiveName,
  type NamedFile,
} from './names.js';

/** Files held open, with their footers; those asked for longest ago are closed first. */
const OPEN_MAX = 64;

/** As many files of a cluster are opened before anybody asks: three days of one shard. */
const NEWEST = 24;

/** Samples of consecutive rows. */
export interface Rows {
  /** Seconds since 1970, in the order of the rows. */
  readonly times: Float64Array;
  readonly values: Float64Array;
}

/** Of a page: of a dictionary 0.5 MB, of others less. */
const PAGE_BYTES_MAX = 16 * 1024 * 1024;

const COMPRESSORS = {
  ZSTD: (bytes: Uint8Array, rawBytes: number): Uint8Array => {
    // What a page's header says has no checksum; its frame has.
    const raw = zstd.unpack(bytes, PAGE_BYTES_MAX);
    if (raw.length !== rawBytes) throw new Error(`a page has ${raw.length} bytes of ${rawBytes}`);
    return raw;
  },
};

/** An open file of the archive: its index, and its rows. */
export class ArchiveFile {
  readonly path: string;
  readonly index: ArchiveIndex;
  readonly #scan: ParquetScan;
  readonly #opened: readonly OpenedFile[];

  private constructor(
    path: string,
    index: ArchiveIndex,
    scan: ParquetScan,
    opened: readonly OpenedFile[],
  ) {
    this.path = path;
    this.index = index;
    this.#scan = scan;
    this.#opened = opened;
  }

  /** `name` without `.parquet` and `.index`. Rejects with the file, and what is wrong with it. */
  static async open(source: ArchiveSource, folder: string, name: string): Promise<ArchiveFile> {
    const opened: OpenedFile[] = [];
    const path = `${folder}/${name}`;
    let ending = '.index';
    const openNext = async (): Promise<AsyncBuffer> => {
      const file = await source.open(folder, name + ending);
      opened.push(file);
      return file.buffer;
    };
    try {
      const indexBuffer = await openNext();
      const read = async (from: number, bytes: number): Promise<Uint8Array> =>
        new Uint8Array(await indexBuffer.slice(from, from + bytes));
      const index = await ArchiveIndex.open(read, indexBuffer.byteLength);
      ending = '.parquet';
      const file = await openNext();
      const metadata = await readTail(file, index.tail);
      const columns = ['timestamp', 'value'];
      const scan = await parquetScan({ file, metadata, columns, compressors: COMPRESSORS });
      return new ArchiveFile(path, index, scan, opened);
    } catch (error) {
      await Promise.allSettled(opened.map((file) => file.close()));
      throw unreadable(path + ending, error);
    }
  }

  /** All series of a host. Rejects as `open` does. */
  async seriesOf(host: string): Promise<IndexedSeries[]> {
    try {
      return await this.index.seriesOf(host);
    } catch (error) {
      throw unreadable(`${this.path}.index`, error);
    }
  }

  /** Rows `from` … `until`, exclusive. Rejects as `open` does. */
  async rows(from: number, until: number): Promise<Rows> {
    try {
      return await this.#readRows(from, until);
    } catch (error) {
      throw unreadable(`${this.path}.parquet`, error);
    }
  }

  async #readRows(from: number, until: number): Promise<Rows> {
    const times = new Float64Array(until - from);
    const values = new Float64Array(until - from);
    for (const [first, last] of this.#pages(from, until)) {
      const range = { rowStart: first, rowEnd: last };
      const seconds = await this.#scan.readColumn({ column: 'timestamp', ...range });
      const read = await this.#scan.readColumn({ column: 'value', ...range });
      const count = last - first;
      if (seconds.length !== count || read.length !== count || !areDoubles(read)) {
        throw new Error(`rows ${first} … ${last} are not all there`);
      }
      readTimes(seconds, times.subarray(first - from, last - from));
      values.set(read, first - from);
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
    await Promise.all(this.#opened.map((file) => file.close()));
  }
}

/** The files of an archive, in one or several places. */
export class ArchiveFiles {
  readonly #sources: readonly ArchiveSource[];
  readonly #open = new Map<string, ArchiveFile>();

  /** Of a file that is in several places the first is read. */
  constructor(sources: readonly ArchiveSource[]) {
    this.#sources = sources;
  }

  /** Files of a cluster that have something of a time range (its end exclusive), in the order they were written. */
  async find(cluster: string, fromSec: number, toSec: number): Promise<NamedFile[]> {
    const found = new Map<string, NamedFile>();
    for (const source of this.#sources) {
      for (const name of await source.names(clusterFolder(cluster))) {
        const file = parseArchiveName(name);
        if (file && file.toSec >= fromSec && file.fromSec < toSec) found.set(file.name, file);
      }
    }
    return inOrderOfRuns([...found.values()]);
  }

  /** The second before which all is that is archived; 0 = nothing is. Rejects if a place can not be listed. */
  async archivedBefore(): Promise<number> {
    const names = await Promise.all(this.#sources.map((source) => source.allNames()));
    return endOfNames(names.flat());
  }

  /** Opens one of them, or takes it where it is open. */
  async open(cluster: string, { name }: NamedFile): Promise<ArchiveFile> {
    const key = `${clusterFolder(cluster)}/${name}`;
    const file = this.#open.get(key) ?? (await this.#openAnywhere(clusterFolder(cluster), name));
    // The map's order is that of the last use.
    this.#open.delete(key);
    this.#open.set(key, file);
    for (const [oldest, other] of this.#open) {
      if (this.#open.size <= OPEN_MAX) break;
      this.#open.delete(oldest);
      await other.close();
    }
    return file;
  }

  /** Closes those that are open. */
  async close(): Promise<void> {
    const files = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(files.map((file) => file.close()));
  }

  /** Opens the newest files of each cluster: those of the last days are asked for most. */
  async openNewest(): Promise<void> {
    const folders = new Set((await Promise.all(this.#sources.map((one) => one.folders()))).flat());
    for (const folder of folders) {
      const cluster = decodeURIComponent(folder);
      for (const file of (await this.find(cluster, 0, Infinity)).slice(-NEWEST)) {
        await this.open(cluster, file);
      }
    }
  }

  /** One that waited for its upload may be gone to the next place meanwhile. */
  async #openAnywhere(folder: string, name: string): Promise<ArchiveFile> {
    const last = this.#sources.length - 1;
    for (const source of this.#sources.slice(0, last)) {
      try {
        return await ArchiveFile.open(source, folder, name);
      } catch (error) {
        const { cause } = error as { cause?: NodeJS.ErrnoException };
        if (cause?.code !== 'ENOENT') throw error;
      }
    }
    return ArchiveFile.open(this.#sources[last]!, folder, name);
  }
}

function unreadable(path: string, error: unknown): Error {
  return new Error(`${path} can not be read: ${(error as Error).message}`, { cause: error });
}

/** Where everything is in a Parquet file. Rejects if that is damaged. */
async function readTail(file: AsyncBuffer, { bytes, digest }: Tail): Promise<FileMetaData> {
  const tail = await file.slice(Math.max(0, file.byteLength - bytes), file.byteLength);
  if (digestOf(new Uint8Array(tail)) !== digest) throw new Error('its end is damaged, or cut off');
  return parquetMetadata(tail);
}

/**
 * Whether all are doubles, of which no archive has NaN. The encoding that a page's header tells has no
 * checksum: of another one there would be indexes, or values of no dictionary.
 */
function areDoubles(read: ArrayLike<unknown>): read is ArrayLike<number> {
  if (ArrayBuffer.isView(read) && !(read instanceof Float64Array)) return false;
  for (let i = 0; i < read.length; i++) {
    const value = read[i];
    if (typeof value !== 'number' || value !== value) return false;
  }
  return true;
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
