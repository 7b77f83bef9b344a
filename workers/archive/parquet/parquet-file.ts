import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import type { ColumnChunk, OffsetIndex, RowGroup, SchemaElement, Statistics } from 'hyparquet';
import { ByteWriter } from 'hyparquet-writer/src/bytewriter.js';
import { writeIndexes } from 'hyparquet-writer/src/indexes.js';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import { syncAndClose } from '../../../src/storage/files.js';
import type { Page } from './page.js';
import { RunColumn } from './run-column.js';
import { TimeColumn } from './time-column.js';
import { ValueColumn } from './value-column.js';

/** Rows of a page: what a reader decodes at least. */
export const PAGE_ROWS = 16_384;
/** Rows of a row group: the dictionaries are its own, so that it must not be small. */
const GROUP_ROWS = 32 * PAGE_ROWS;
const MAGIC = Buffer.from('PAR1');
const TEXT = { type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const;

/** Columns of cc-metric-store's archive; `value` is a DOUBLE here, as samples are. See FORMAT.md. */
const COLUMNS = [
  { name: 'cluster', ...TEXT },
  { name: 'hostname', ...TEXT },
  { name: 'metric', ...TEXT },
  { name: 'scope', ...TEXT },
  { name: 'scope_id', ...TEXT },
  { name: 'timestamp', type: 'INT64' },
  { name: 'frequency', type: 'INT64' },
  { name: 'value', type: 'DOUBLE' },
] as const;

const SCHEMA: SchemaElement[] = [
  { name: 'schema', num_children: COLUMNS.length },
  ...COLUMNS.map((column): SchemaElement => ({ ...column, repetition_type: 'REQUIRED' })),
];

/** The end of a file: what tells where everything is. It has no checksum of its own. */
export interface Tail {
  readonly bytes: number;
  /** In hex. */
  readonly digest: string;
}

/** The checksum of a tail, which the index keeps. */
export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32);
}

/** The columns of a series that are the same in all of its rows. */
export interface RowNames {
  readonly cluster: string;
  readonly hostname: string;
  readonly metric: string;
  readonly scope: string;
  readonly scope_id: string;
  /** Seconds between samples. */
  readonly frequency: number;
}

interface Chunk {
  readonly dictionary: Page | undefined;
  readonly pages: readonly Page[];
  readonly statistics: Statistics;
}

/**
 * Writes a Parquet file series by series, in the order given, which is the order of its columns. It
 * holds one row group, encoded, and one page that is not.
 */
export class ParquetFile {
  readonly #descriptor: number;
  readonly #texts = {
    cluster: new RunColumn<string>(),
    hostname: new RunColumn<string>(),
    metric: new RunColumn<string>(),
    scope: new RunColumn<string>(),
    scope_id: new RunColumn<string>(),
  };
  readonly #frequency = new RunColumn<number>();
  readonly #times = new TimeColumn(PAGE_ROWS);
  readonly #values = new ValueColumn();
  readonly #pageValues = new Float64Array(PAGE_ROWS);
  readonly #groups: RowGroup[] = [];
  readonly #indexes: { chunk: ColumnChunk; offsetIndex?: OffsetIndex }[] = [];
  #pageRows = 0;
  #groupRows = 0;
  /** Rows so far, in the file and on the way. */
  rows = 0;
  /** Bytes written so far. */
  bytes = 0;

  constructor(path: string) {
    this.#descriptor = openSync(path, 'w');
    this.#write(MAGIC);
  }

  /** Adds the samples of a series: `slots` × step are their seconds since 1970; no NaN. */
  add(names: RowNames, slots: Float64Array, values: Float64Array): void {
    let done = 0;
    while (done < values.length) {
      const count = Math.min(values.length - done, PAGE_ROWS - this.#pageRows);
      this.#pageValues.set(values.subarray(done, done + count), this.#pageRows);
      this.#times.add(slots.subarray(done, done + count), names.frequency);
      for (const name of TEXT_NAMES) this.#texts[name].add(names[name], count);
      this.#frequency.add(names.frequency, count);
      this.#pageRows += count;
      this.#groupRows += count;
      this.rows += count;
      done += count;
      if (this.#pageRows === PAGE_ROWS) this.#endPage();
      if (this.#groupRows >= GROUP_ROWS) this.#endGroup();
    }
  }

  /** Ends the file; resolves when the disk has it. `breathe` lets other work go on. */
  async end(
    about: Readonly<Record<string, string>>,
    breathe: () => Promise<void> = async () => undefined,
  ): Promise<Tail> {
    this.#endGroup();
    const tail = new ByteWriter();
    tail.offset = this.bytes;
    for (const index of this.#indexes) {
      writeIndexes(tail, [index]);
      await breathe();
    }
    writeMetadata(tail, {
      version: 2,
      created_by: 'metricshard',
      schema: SCHEMA,
      num_rows: BigInt(this.rows),
      row_groups: this.#groups,
      metadata_length: 0,
      key_value_metadata: Object.entries(about).map(([key, value]) => ({ key, value })),
    });
    tail.appendBytes(MAGIC);
    this.#write(tail.getBytes());
    await syncAndClose(this.#descriptor);
    return { bytes: tail.getBytes().length, digest: digestOf(tail.getBytes()) };
  }

  /** Leaves the file as it is: it is of no use. */
  abandon(): void {
    closeSync(this.#descriptor);
  }

  #endPage(): void {
    if (this.#pageRows === 0) return;
    this.#values.addPage(this.#pageValues.subarray(0, this.#pageRows));
    this.#times.endPage();
    this.#pageRows = 0;
  }

  #endGroup(): void {
    if (this.#groupRows === 0) return;
    this.#endPage();
    const from = this.bytes;
    const chunks = this.#chunks();
    const columns = chunks.map((chunk, index) => this.#writeChunk(chunk, index));
    this.#groups.push({
      columns,
      num_rows: BigInt(this.#groupRows),
      total_byte_size: columns.reduce((sum, { meta_data: meta }) => {
        return sum + meta!.total_uncompressed_size;
      }, 0n),
      total_compressed_size: BigInt(this.bytes - from),
      file_offset: BigInt(from),
      sorting_columns: [0, 1, 2, 3, 4, 5].map((column) => ({
        column_idx: column,
        descending: false,
        nulls_first: false,
      })),
    });
    this.#groupRows = 0;
  }

  #chunks(): Chunk[] {
    const texts = TEXT_NAMES.map((name) => runChunk(this.#texts[name]));
    const [from, to] = this.#times.bounds;
    const times = {
      dictionary: undefined,
      statistics: { min_value: from, max_value: to, null_count: 0n },
      pages: this.#times.take(),
    };
    const { min, max } = this.#values;
    const values = {
      statistics: { min_value: min, max_value: max, null_count: 0n },
      ...this.#values.take(),
    };
    return [...texts, times, runChunk(this.#frequency), values];
  }

  #writeChunk({ dictionary, pages, statistics }: Chunk, index: number): ColumnChunk {
    const { name, type } = COLUMNS[index]!;
    const from = this.bytes;
    if (dictionary) this.#write(dictionary.bytes);
    const dataFrom = this.bytes;
    let row = 0n;
    const locations = pages.map(({ bytes, rows }) => {
      const offset = BigInt(this.bytes);
      const location = { offset, compressed_page_size: bytes.length, first_row_index: row };
      this.#write(bytes);
      row += BigInt(rows);
      return location;
    });
    const all = dictionary ? [dictionary, ...pages] : pages;
    const chunk: ColumnChunk = {
      file_offset: BigInt(from),
      meta_data: {
        type,
        encodings: [...new Set(all.map(({ encoding }) => encoding))],
        path_in_schema: [name],
        codec: 'ZSTD',
        num_values: row,
        total_uncompressed_size: BigInt(all.reduce((sum, { rawBytes }) => sum + rawBytes, 0)),
        total_compressed_size: BigInt(this.bytes - from),
        data_page_offset: BigInt(dataFrom),
        dictionary_page_offset: dictionary && BigInt(from),
        statistics,
      },
    };
    this.#indexes.push({ chunk, offsetIndex: { page_locations: locations } });
    return chunk;
  }

  #write(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) at += writeSync(this.#descriptor, bytes, at);
    this.bytes += bytes.length;
  }
}

const TEXT_NAMES = ['cluster', 'hostname', 'metric', 'scope', 'scope_id'] as const;

function runChunk(column: RunColumn<string> | RunColumn<number>): Chunk {
  const [min, max] = column.bounds();
  const asBound = (value: string | number) => (typeof value === 'number' ? BigInt(value) : value);
  const statistics = { min_value: asBound(min), max_value: asBound(max), null_count: 0n };
  return { statistics, ...column.take() };
}
