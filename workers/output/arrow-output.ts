import assert from 'node:assert/strict';
import type { SelectRequest } from '../../src/model/selection.js';
import { ARROW_END, padded, recordBatchMessage } from './arrow-message.js';
import { BatchBody } from './batch-body.js';
import { ListColumn, NumberColumn, TextColumn, type BatchColumn } from './batch-columns.js';
import { CONTENT_TYPES, headOf, problemError } from './forms.js';
import { firstSlot, fixedRegions, writeBytes, type OutputTools } from './output-tools.js';
import { hasData, type Output, type ResultProblem, type ResultSeries } from './output.js';
import { StatColumns, TEXT_KEYS, textLength } from './result-keys.js';

/** A batch of so many bytes is written. Its metadata, about 1.1 KB, do not matter then. */
const BATCH_BYTES = 1_048_576;
/** Of a row in a column besides its texts: a number or offset, and a bit, counted as a byte. */
const CELL_BYTES_MAX = 9;
/** Of a buffer besides its rows: an offset more than rows, and zeros at its end. */
const BUFFER_BYTES_MAX = 16;

/**
 * An Arrow IPC stream with a row a series; see FORMAT.md. Rows are gathered: their values are copied
 * to about where they will lie, the rest is kept until the batch is written.
 */
export class ArrowOutput implements Output {
  readonly contentType = CONTENT_TYPES.arrow;
  readonly #tools: OutputTools;
  readonly #request: SelectRequest;
  readonly #bytes: Buffer;
  readonly #view: DataView;
  readonly #statColumns: StatColumns;
  readonly #select = new NumberColumn('int32');
  readonly #names = TEXT_KEYS.map(({ field }) => ({ field, column: new TextColumn() }));
  readonly #series = new NumberColumn('int32');
  readonly #coverage = new NumberColumn('float64');
  readonly #stats: readonly NumberColumn[];
  readonly #from = new NumberColumn('seconds');
  readonly #step = new NumberColumn('int32');
  readonly #values = new ListColumn();
  /** All of them, in the order of the schema. */
  readonly #columns: readonly BatchColumn[];
  /** The same for all batches. */
  readonly #messageBytes: number;
  /** Message, and what buffers take without rows, at most. */
  readonly #emptyBytesMax: number;
  /** Address of the batch being gathered, and its bytes at most. */
  #start = 0;
  #bytesMax = 0;
  #rows = 0;

  constructor(tools: OutputTools, request: SelectRequest) {
    this.#tools = tools;
    this.#request = request;
    this.#bytes = fixedRegions(tools.memory);
    this.#view = new DataView(tools.memory.buffer, 0, this.#bytes.length);
    this.#statColumns = new StatColumns(request);
    this.#stats = this.#statColumns.names.map(() => new NumberColumn('float64'));
    this.#columns = [
      this.#select,
      ...this.#names.map(({ column }) => column),
      this.#series,
      this.#coverage,
      ...this.#stats,
      this.#from,
      this.#step,
      this.#values,
    ];
    // Items of the list are a column, too, of two buffers.
    const buffers = this.#columns.reduce((sum, { bufferCount }) => sum + bufferCount, 2);
    const nodes = this.#columns.length + 1;
    const zeros = (pairs: number): number[] => Array.from({ length: pairs * 2 }, () => 0);
    this.#messageBytes = recordBatchMessage(1, zeros(nodes), zeros(buffers), 8).length;
    this.#emptyBytesMax = this.#messageBytes + buffers * BUFFER_BYTES_MAX;
  }

  bytesMax(result: ResultSeries): number {
    return this.#emptyBytesMax + this.#rowBytesMax(result);
  }

  head(): void {
    writeBytes(this.#tools, headOf('arrow', this.#request));
  }

  write(result: ResultSeries): void {
    const { writer } = this.#tools;
    writer.need(this.bytesMax(result));
    if (this.#rows === 0) {
      this.#start = writer.at;
      this.#bytesMax = this.#emptyBytesMax;
    }
    this.#rows++;
    this.#stageValues(result);
    this.#addRow(result);
    this.#bytesMax += this.#rowBytesMax(result);
    writer.at = this.#start + this.#bytesMax;
    if (this.#bytesMax >= BATCH_BYTES) this.flush();
  }

  problem(problem: ResultProblem): void {
    throw problemError(problem);
  }

  /** Writes the batch. */
  flush(): void {
    if (this.#rows === 0) return;
    const { kernel, writer } = this.#tools;
    const items = this.#values.items;
    const bodyStart = this.#start + this.#messageBytes;
    const bitmapBytes = Math.ceil(items / 8);
    // The values come last, so they are moved to their place before all else is written.
    let before = padded(bitmapBytes);
    for (const column of this.#columns) before += column.bytes;
    const values = bodyStart + before;
    this.#bytes.copyWithin(values, bodyStart, bodyStart + items * 8);

    const body = new BatchBody(this.#bytes, this.#view, bodyStart);
    for (const column of this.#columns) column.write(body);
    const bitmap = body.buffer(bitmapBytes);
    const present = kernel.presentBits(values, items, bitmap);
    body.column(items, items - present);
    assert.equal(body.buffer(items * 8), values);
    const message = recordBatchMessage(this.#rows, body.nodes, body.buffers, body.length);
    assert.equal(message.length, this.#messageBytes);
    this.#bytes.set(message, this.#start);
    writer.at = bodyStart + body.length;
    for (const column of this.#columns) column.clear();
    this.#rows = 0;
  }

  tail(): void {
    writeBytes(this.#tools, ARROW_END);
  }

  #rowBytesMax(result: ResultSeries): number {
    const items = hasData(result) ? result.count : 0;
    return (
      this.#columns.length * CELL_BYTES_MAX + textLength(result) * 3 + items * 8 + (items >>> 3) + 1
    );
  }

  /** Copies values behind those of the rows before. */
  #stageValues(result: ResultSeries): void {
    if (!hasData(result)) return;
    const { values, series, count } = result;
    const to = this.#start + this.#messageBytes + this.#values.items * 8;
    if (series === 0) this.#bytes.copyWithin(to, values, values + count * 8);
    else this.#tools.kernel.readSeries(series, firstSlot(result), count, to);
  }

  #addRow(result: ResultSeries): void {
    const isShown = hasData(result);
    this.#select.add(result.select);
    for (const { field, column } of this.#names) column.add(result[field]);
    this.#series.add(result.seriesCount);
    this.#coverage.add(result.coverage);
    this.#statColumns.row(result).forEach((value, index) => this.#stats[index]!.add(value));
    this.#from.add(isShown ? result.fromSec : NaN);
    this.#step.add(isShown ? result.stepSec : NaN);
    this.#values.add(isShown ? result.count : 0, !isShown);
  }
}
