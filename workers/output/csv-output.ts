import type { SelectRequest } from '../../src/model/selection.js';
import { FORMAT_SLACK_BYTES, NUMBER_TEXT_BYTES_MAX } from '../kernel/exports/format.js';
import { ROW_BYTES_MAX } from '../kernel/exports/table.js';
import { csvText, hasPointRows, LINE_END } from './csv-text.js';
import { CONTENT_TYPES, headOf, problemError } from './forms.js';
import { align, firstSlot, writeBytes, type OutputTools } from './output-tools.js';
import type { Output, ResultProblem, ResultSeries } from './output.js';
import { rememberLast, StatColumns, TEXT_KEYS, textLength } from './result-keys.js';

/** Time, value and line end of a row of points. */
const POINT_BYTES_MAX = ROW_BYTES_MAX + NUMBER_TEXT_BYTES_MAX;
/** Numbers and commas of a row besides names, points and statistics. */
const FRAME_BYTES_MAX = 256;
/**
 * A unit of a name becomes three bytes, or two characters if it is a quote; `AnswerWriter.text`
 * wants room for three bytes a character.
 */
const NAME_BYTES_MAX = 6;
/** Slots of a stored series that are decoded at a time. */
const CHUNK_SLOTS = 512;

/** One table: a row a point, or a row a series with its statistics; see FORMAT.md. */
export class CsvOutput implements Output {
  readonly contentType = CONTENT_TYPES.csv;
  readonly #tools: OutputTools;
  readonly #request: SelectRequest;
  readonly #hasPoints: boolean;
  readonly #statColumns: StatColumns;
  readonly #names = TEXT_KEYS.map(({ field }) => ({ field, text: rememberLast(csvText) }));

  constructor(tools: OutputTools, request: SelectRequest) {
    this.#tools = tools;
    this.#request = request;
    this.#hasPoints = hasPointRows(request);
    this.#statColumns = new StatColumns(request);
  }

  bytesMax(result: ResultSeries): number {
    const base = FRAME_BYTES_MAX + textLength(result) * NAME_BYTES_MAX + FORMAT_SLACK_BYTES;
    if (!this.#hasPoints) {
      return base + this.#statColumns.names.length * (NUMBER_TEXT_BYTES_MAX + 1);
    }
    const rowBytes = Buffer.byteLength(this.#keys(result)) + POINT_BYTES_MAX;
    const chunkBytes = result.series === 0 ? 0 : Math.min(result.count, CHUNK_SLOTS) * 8 + 8;
    return base + result.count * rowBytes + chunkBytes;
  }

  head(): void {
    writeBytes(this.#tools, headOf('csv', this.#request));
  }

  write(result: ResultSeries): void {
    if (!this.#hasPoints) this.#writeStatistics(result);
    else if (result.count > 0) this.#writePoints(result);
  }

  problem(problem: ResultProblem): void {
    throw problemError(problem);
  }

  flush(): void {
    // Nothing is gathered.
  }

  tail(): void {
    // There is none.
  }

  /** The columns that say what a series is, each with a comma behind it. */
  #keys(result: ResultSeries): string {
    let keys = `${result.select},`;
    for (const { field, text } of this.#names) keys += `${text(result[field])},`;
    return keys;
  }

  /** All rows begin with the same columns: the kernel copies them from the first one. */
  #writePoints(result: ResultSeries): void {
    const { kernel, writer } = this.#tools;
    const { series, values, count, fromSec, stepSec } = result;
    const prefix = writer.at;
    writer.text(this.#keys(result));
    const prefixBytes = writer.at - prefix;
    if (series === 0) {
      writer.at = kernel.formatRows(prefix, prefixBytes, values, count, fromSec, stepSec, prefix);
      return;
    }
    const slot = firstSlot(result);
    const rowBytes = prefixBytes + POINT_BYTES_MAX;
    let at = prefix;
    for (let done = 0; done < count; done += CHUNK_SLOTS) {
      const part = Math.min(CHUNK_SLOTS, count - done);
      // Behind the text there is room that is not needed yet.
      const decoded = align(at + part * rowBytes + FORMAT_SLACK_BYTES);
      kernel.readSeries(series, slot + done, part, decoded);
      const time = fromSec + done * stepSec;
      at = kernel.formatRows(prefix, prefixBytes, decoded, part, time, stepSec, at);
    }
    writer.at = at;
  }

  #writeStatistics(result: ResultSeries): void {
    const { kernel, writer } = this.#tools;
    writer.text(`${this.#keys(result)}${result.seriesCount},${result.coverage}`);
    for (const value of this.#statColumns.row(result)) {
      writer.ascii(',');
      if (Number.isFinite(value)) writer.at = kernel.formatNumber(value, writer.at);
    }
    writer.ascii(LINE_END);
  }
}
