import type { SelectRequest } from '../../src/model/selection.js';
import { AnswerWriter } from '../../workers/engine/answer-writer.js';
import { createShardMemory, instantiateKernel } from '../../workers/kernel/kernel.js';
import { ANSWER_BASE, QUERY_SCRATCH_BASE } from '../../workers/kernel/layout.js';
import { OUTPUT_FORMS, type OutputForm } from '../../workers/output/forms.js';
import type { ResultSeries } from '../../workers/output/output.js';
import { makeOutput } from '../../workers/output/outputs.js';

/**
 * How fast answers are written in each form, from arrays and straight from stored series. The text
 * of JSON and CSV is compared with plain JavaScript's before it is timed, and the bytes of all forms
 * must be the same each time.
 */
const SHORT = { name: '320 series x 240 values', series: 320, count: 240 };
const LONG = { name: '10 series x 10,000 values', series: 10, count: 10_000 };
const STATISTICS = { name: '5,000 series, 3 statistics only', series: 5000, count: 0 };
const PIECE_BYTES = 1_048_576;
const ROUND_MS = 100;
const ROUNDS = 7;
const STEP_SEC = 60;
const FIRST_SLOT = 28_000_000;

const memory = createShardMemory();
const kernel = instantiateKernel(memory);
kernel.initShard(1024);
const writer = new AnswerWriter(memory);
const bytes = Buffer.from(memory.buffer);
const doubles = new Float64Array(memory.buffer);

let state = 12_345;
/** Reproducible numbers from 0 to 1 (a linear congruential generator is random enough here). */
function next(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
}

type Source = 'arrays' | 'stored';

function makeResults(
  { series, count }: { series: number; count: number },
  source: Source,
): ResultSeries[] {
  return Array.from({ length: series }, (_, index) => {
    const values = QUERY_SCRATCH_BASE + index * count * 8;
    const stored = kernel.createSeries(STEP_SEC, 0, 0, 0, index);
    for (let i = 0; i < count; i++) {
      const value = Math.floor(next() * 1e6) / 100;
      doubles[values / 8 + i] = value;
      if (source === 'stored') kernel.appendSample(stored, (FIRST_SLOT + i) * STEP_SEC, value);
    }
    return {
      select: 0,
      metric: 'flops_any',
      unit: 'GF/s',
      cluster: 'alex',
      subCluster: '',
      host: `a${String(100 + (index >> 5)).padStart(4, '0')}`,
      type: 'hwthread',
      id: String(index & 31),
      subId: '',
      seriesCount: 1,
      coverage: 1,
      fromSec: FIRST_SLOT * STEP_SEC,
      stepSec: STEP_SEC,
      count,
      values: source === 'arrays' && count > 0 ? values : 0,
      series: source === 'stored' && count > 0 ? stored : 0,
      stats: [next(), next(), next()],
    };
  });
}

/** Writes an answer in pieces of about 1 MB, all to the same place; returns its bytes. */
function writeAnswer(
  form: OutputForm,
  request: SelectRequest,
  results: readonly ResultSeries[],
): number {
  const output = makeOutput(form, { kernel, memory, writer }, request);
  const end = ANSWER_BASE + 64 * PIECE_BYTES;
  let total = 0;
  writer.begin(ANSWER_BASE, end);
  output.head();
  for (const result of results) {
    output.write(result);
    if (writer.at - ANSWER_BASE < PIECE_BYTES) continue;
    output.flush();
    total += writer.at - ANSWER_BASE;
    writer.begin(ANSWER_BASE, end);
  }
  output.flush();
  output.tail();
  return total + writer.at - ANSWER_BASE;
}

/** A series' text in plain JavaScript must be what is written. */
function checkText(form: OutputForm, request: SelectRequest, result: ResultSeries): void {
  if (result.count === 0 || form === 'arrow') return;
  const from = result.values / 8;
  const values = [...doubles.subarray(from, from + result.count)];
  const end = ANSWER_BASE + writeAnswer(form, request, [result]);
  const text = bytes.toString('latin1', ANSWER_BASE, end);
  const row = (value: number, i: number): string =>
    `0,flops_any,GF/s,alex,,${result.host},hwthread,${result.id},,${result.fromSec + i * STEP_SEC},${value}\r\n`;
  const expected = form === 'csv' ? values.map(row).join('') : JSON.stringify(values);
  if (!text.includes(expected)) throw new Error(`${form}: the text differs from JavaScript's`);
}

function measure(form: OutputForm, shape: typeof SHORT, source: Source): void {
  const select = [{ stats: ['avg', 'min', 'max'], data: shape.count > 0 }];
  const request = { fromSec: 0, toSec: 1, select } as unknown as SelectRequest;
  const results = makeResults(shape, source);
  if (source === 'arrays') checkText(form, request, results[0]!);
  const answerBytes = writeAnswer(form, request, results);
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const startMs = performance.now();
    let calls = 0;
    do {
      if (writeAnswer(form, request, results) !== answerBytes) throw new Error('bytes differ');
      calls++;
    } while (performance.now() - startMs < ROUND_MS);
    best = Math.min(best, (performance.now() - startMs) / calls);
  }
  const values = shape.series * shape.count;
  const perValue = values > 0 ? `${(values / best / 1000).toFixed(1).padStart(8)} M values/s` : '';
  console.log(
    `${form.padEnd(7)}${shape.name.padEnd(34)}${source.padEnd(8)}` +
      `${(answerBytes / 1000).toFixed(0).padStart(6)} KB${best.toFixed(2).padStart(8)} ms` +
      `${(answerBytes / best / 1000).toFixed(0).padStart(7)} MB/s${perValue}`,
  );
}

for (const shape of [SHORT, LONG]) {
  for (const form of OUTPUT_FORMS) {
    for (const source of ['arrays', 'stored'] as const) measure(form, shape, source);
  }
}
for (const form of OUTPUT_FORMS) measure(form, STATISTICS, 'arrays');
