import type { ByteSource } from './byte-source.js';
import { ReadError } from './byte-source.js';
import { timeFault, type Column, type Report } from './column.js';
import { JsonScanner } from './json-scanner.js';
import { seriesName } from './series-name.js';

/** A column is gathered as a whole, since its times may follow: a month of seconds, 32 MB. */
const VALUES_MAX = 4 * 1024 * 1024;
const DEPTH_MAX = 8;

/** Values that grow as they come; one for all columns of a file. */
class Values {
  #array = new Float64Array(4096);
  count = 0;

  push(value: number): void {
    if (this.count === this.#array.length) {
      const grown = new Float64Array(2 * this.count);
      grown.set(this.#array);
      this.#array = grown;
    }
    this.#array[this.count++] = value;
  }

  view(): Float64Array {
    return this.#array.subarray(0, this.count);
  }
}

/**
 * Reads a `.json` checkpoint, column by column. Keys may come in any order, unknown ones are passed
 * over. Values stay the doubles they are in the text. Damage costs the rest of the file.
 */
export function* readJsonCheckpoint(source: ByteSource, report: Report): Generator<Column> {
  const scanner = new JsonScanner(source);
  if (scanner.next() !== 123) throw new ReadError(0, 'not a checkpoint: it does not begin with {');
  yield* readLevel(scanner, source, [], new Values(), report);
  if (scanner.next() >= 0) scanner.fail('there is more behind the end');
}

function* readLevel(
  scanner: JsonScanner,
  source: ByteSource,
  path: readonly string[],
  values: Values,
  report: Report,
): Generator<Column> {
  if (path.length > DEPTH_MAX) scanner.fail('levels are too deep');
  for (const key of scanner.keys()) {
    if (key === 'metrics') {
      for (const metric of scanner.keys()) {
        yield* readMetric(scanner, source, metric, path, values, report);
      }
    } else if (key === 'children') {
      for (const name of scanner.keys()) {
        yield* readLevel(scanner, source, [...path, name], values, report);
      }
    } else scanner.skipValue();
  }
}

function* readMetric(
  scanner: JsonScanner,
  source: ByteSource,
  metric: string,
  path: readonly string[],
  values: Values,
  report: Report,
): Generator<Column> {
  const at = source.offset;
  const name = seriesName(metric, path);
  let stepSec = NaN;
  let startSec = NaN;
  values.count = 0;
  let damage: unknown;
  try {
    for (const key of scanner.keys()) {
      if (key === 'frequency') stepSec = scanner.number();
      else if (key === 'start') startSec = scanner.number();
      else if (key === 'data') readValues(scanner, values);
      else scanner.skipValue();
    }
  } catch (error) {
    damage = error;
  }
  // A column that is cut off has its first values all the same.
  if (values.count > 0) {
    const fault = typeof name === 'string' ? name : timeFault(startSec, stepSec);
    if (fault !== '' && !damage) report(at, fault);
    if (fault === '' && typeof name !== 'string') {
      yield { name, startSec, stepSec, values: values.view() };
    }
  }
  if (damage) throw damage;
}

function readValues(scanner: JsonScanner, values: Values): void {
  if (scanner.takeNull()) return;
  scanner.expect('[');
  if (scanner.takeIf(']')) return;
  for (;;) {
    const value = scanner.takeNull() ? NaN : scanner.number();
    const isLast = !scanner.takeIf(',');
    // Only now it is known to be whole: of 123.4 a file that is cut off may have 12.
    if (isLast) scanner.expect(']');
    if (values.count === VALUES_MAX) scanner.fail(`more than ${VALUES_MAX} values of one series`);
    values.push(value);
    if (isLast) return;
  }
}
