import { open } from 'node:fs/promises';
import { compress } from 'zstd-napi';
import { zstd } from '../checkpoint/zstd.js';
import type { Tail } from './parquet/parquet-file.js';

/** See FORMAT.md. */
const MAGIC = Buffer.from('MSINDEX1');
const TRAILER_BYTES = 16;
/** Of the JSON of a section, 100 bytes for each series of a host; only a damaged one says more. */
const SECTION_BYTES_MAX = 256 * 1024 * 1024;
/** A damaged section does not unpack: it has a checksum. */
const OPTIONS = { compressionLevel: 3, checksumFlag: true };

/** Where the samples of one series are in a Parquet file. */
export interface IndexedSeries {
  readonly metric: string;
  /** Of its level below the host: empty for the host itself. */
  readonly type: string;
  readonly typeId: string;
  readonly stype: string;
  readonly stypeId: string;
  /** Seconds between samples. */
  readonly stepSec: number;
  readonly firstRow: number;
  readonly rows: number;
  readonly firstSlot: number;
  readonly lastSlot: number;
}

type Entry = readonly [
  metric: string,
  type: string,
  typeId: string,
  stype: string,
  stypeId: string,
  stepSec: number,
  firstRow: number,
  rows: number,
  firstSlot: number,
  lastSlot: number,
];

interface Directory {
  /** Of the Parquet file. */
  readonly tail: Tail;
  /** By host: where its section begins, and its bytes. */
  readonly hosts: Record<string, readonly [from: number, bytes: number]>;
}

/** Reads a piece of a file. */
export type ReadPiece = (from: number, bytes: number) => Promise<Uint8Array>;

/** Makes the index of one Parquet file, host by host. */
export class ArchiveIndexWriter {
  readonly #sections: Uint8Array[] = [MAGIC];
  readonly #hosts: Directory['hosts'] = {};
  #bytes = MAGIC.length;

  addHost(host: string, series: readonly IndexedSeries[]): void {
    const entries = series.map((one): Entry => [
      one.metric,
      one.type,
      one.typeId,
      one.stype,
      one.stypeId,
      one.stepSec,
      one.firstRow,
      one.rows,
      one.firstSlot,
      one.lastSlot,
    ]);
    const section = pack(entries);
    // A host could have the name of a property that all objects have.
    Object.defineProperty(this.#hosts, host, {
      value: [this.#bytes, section.length],
      enumerable: true,
    });
    this.#append(section);
  }

  /** Writes it; resolves to its bytes when the disk has it. `tail` of the Parquet file. */
  async write(path: string, tail: Tail): Promise<number> {
    const directory = pack({ tail, hosts: this.#hosts } satisfies Directory);
    const trailer = Buffer.alloc(TRAILER_BYTES);
    trailer.writeUInt32LE(this.#bytes, 0);
    trailer.writeUInt32LE(directory.length, 4);
    MAGIC.copy(trailer, 8);
    this.#append(directory);
    this.#append(trailer);
    const all = Buffer.concat(this.#sections);
    const handle = await open(path, 'w');
    try {
      await handle.writeFile(all);
      await handle.sync();
      return all.length;
    } finally {
      await handle.close();
    }
  }

  #append(section: Uint8Array): void {
    this.#sections.push(section);
    this.#bytes += section.length;
  }
}

/** An index, read piece by piece. Its methods reject with what is damaged. */
export class ArchiveIndex {
  readonly #read: ReadPiece;
  readonly #hosts: ReadonlyMap<string, readonly [from: number, bytes: number]>;
  /** Of the Parquet file. */
  readonly tail: Tail;

  private constructor(read: ReadPiece, { tail, hosts }: Directory) {
    this.#read = read;
    this.tail = tail;
    this.#hosts = new Map(Object.entries(hosts));
  }

  static async open(read: ReadPiece, bytes: number): Promise<ArchiveIndex> {
    if (bytes < MAGIC.length + TRAILER_BYTES) throw new Error('it is cut off');
    const trailer = Buffer.from(await read(bytes - TRAILER_BYTES, TRAILER_BYTES));
    if (!trailer.subarray(8).equals(MAGIC)) throw new Error('its end is no end of an index');
    const from = trailer.readUInt32LE(0);
    const size = trailer.readUInt32LE(4);
    if (from + size + TRAILER_BYTES !== bytes) throw new Error('its end does not fit its size');
    return new ArchiveIndex(read, unpack(await read(from, size)) as Directory);
  }

  get hosts(): IterableIterator<string> {
    return this.#hosts.keys();
  }

  /** All series of a host, in the order of their rows; none if it is not in the file. */
  async seriesOf(host: string): Promise<IndexedSeries[]> {
    const section = this.#hosts.get(host);
    if (!section) return [];
    return (unpack(await this.#read(...section)) as Entry[]).map(
      ([metric, type, typeId, stype, stypeId, stepSec, firstRow, rows, firstSlot, lastSlot]) => ({
        metric,
        type,
        typeId,
        stype,
        stypeId,
        stepSec,
        firstRow,
        rows,
        firstSlot,
        lastSlot,
      }),
    );
  }
}

function pack(value: unknown): Uint8Array {
  return compress(Buffer.from(JSON.stringify(value)), OPTIONS);
}

function unpack(bytes: Uint8Array): unknown {
  return JSON.parse(zstd.unpack(bytes, SECTION_BYTES_MAX).toString());
}
