import type { AnswerWriter } from '../engine/answer-writer.js';
import { FORMAT_SLACK_BYTES, NUMBER_TEXT_BYTES_MAX } from '../kernel/exports/format.js';
import type { Kernel } from '../kernel/kernel.js';
import { firstSlot, type OutputTools } from './output-tools.js';
import { hasData, type ResultSeries } from './output.js';
import { rememberLast, TEXT_KEYS, textLength } from './result-keys.js';

/** A number with its comma. */
const NUMBER_BYTES_MAX = NUMBER_TEXT_BYTES_MAX + 1;
/** A unit of a name has at most six characters (`\u0001`); `AnswerWriter.text` wants room for three bytes each. */
const NAME_BYTES_MAX = 18;
/** Keys, punctuation and numbers besides data and statistics: 250 characters. */
const FRAME_BYTES_MAX = 1024;
/** What the kernel wants to print a stored series. */
const WORK_BYTES = 2048;

/** Writes series as JSON objects; see FORMAT.md. */
export class JsonEntries {
  readonly #kernel: Kernel;
  readonly #writer: AnswerWriter;
  /** By key: `,"host":"a0101"` of a name. */
  readonly #pairs = TEXT_KEYS.map(({ field, json }) => ({
    field,
    pair: rememberLast((name) => `,"${json}":${JSON.stringify(name)}`),
  }));
  /** By selection and statistic: what comes before its value. Statistics have names in ASCII. */
  readonly #statTexts: readonly (readonly string[])[];

  /** `statNames` has those of each selection, without doubles. */
  constructor({ kernel, writer }: OutputTools, statNames: readonly (readonly string[])[]) {
    this.#kernel = kernel;
    this.#writer = writer;
    this.#statTexts = statNames.map((names) =>
      names.map((name, index) => `${index > 0 ? ',' : ',"stats":{'}${JSON.stringify(name)}:`),
    );
  }

  bytesMax(result: ResultSeries): number {
    let bytes = FRAME_BYTES_MAX + textLength(result) * NAME_BYTES_MAX + FORMAT_SLACK_BYTES;
    for (const text of this.#statTexts[result.select]!) bytes += text.length + NUMBER_BYTES_MAX;
    if (hasData(result)) bytes += result.count * NUMBER_BYTES_MAX;
    return bytes + (result.series !== 0 ? WORK_BYTES : 0);
  }

  write(result: ResultSeries): void {
    const writer = this.#writer;
    let frame = `{"select":${result.select}`;
    for (const { field, pair } of this.#pairs) {
      if (result[field] !== '') frame += pair(result[field]);
    }
    frame += `,"series":${result.seriesCount}`;
    if (result.coverage < 1) frame += `,"coverage":${result.coverage}`;
    if (hasData(result)) {
      writer.text(`${frame},"from":${result.fromSec},"step":${result.stepSec},"data":`);
      this.#writeData(result);
    } else {
      writer.text(frame);
    }
    const statTexts = this.#statTexts[result.select]!;
    statTexts.forEach((text, index) => {
      writer.ascii(text);
      writer.at = this.#kernel.formatNumber(result.stats[index]!, writer.at);
    });
    writer.ascii(statTexts.length > 0 ? '}}' : '}');
  }

  #writeData(result: ResultSeries): void {
    const kernel = this.#kernel;
    const { count, values, series } = result;
    const { at } = this.#writer;
    if (series === 0) {
      this.#writer.at = kernel.formatArray(values, count, at);
      return;
    }
    // Behind the text there is room that is not needed yet.
    const work = at + count * NUMBER_BYTES_MAX + FORMAT_SLACK_BYTES + 2;
    this.#writer.at = kernel.formatSeries(series, firstSlot(result), count, at, work);
  }
}
