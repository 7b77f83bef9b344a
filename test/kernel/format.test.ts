import t from 'tap';
import { createShardMemory, instantiateKernel } from '../../workers/kernel/kernel.js';
import { QUERY_SCRATCH_BASE } from '../../workers/kernel/layout.js';
import { random, seed } from '../helpers/random.js';

const memory = createShardMemory();
const kernel = instantiateKernel(memory);
const doubles = new Float64Array(memory.buffer);
const bytes = Buffer.from(memory.buffer);
const OUT = QUERY_SCRATCH_BASE;
const VALUES = OUT + 65536;
const BLOCK_SERIES = 60;

/** The twin: what JSON.stringify writes. */
function twin(value: number): string {
  return JSON.stringify(value);
}

function format(value: number): string {
  return bytes.toString('latin1', OUT, kernel.formatNumber(value, OUT));
}

t.test('numbers are written as JSON writes them', (t) => {
  const edge = [0, -0, 1, -1, 0.1, 1e21, 1e-7, 5e-324, 1.7976931348623157e308, 2 ** 53, 999999.99];
  for (const value of [...edge, NaN, Infinity, 1e15, 123456789012345.6, 0.30000000000000004]) {
    t.equal(format(value), twin(value), String(value));
  }
  t.end();
});

t.test(`random numbers are written as JSON writes them, seed ${seed}`, (t) => {
  const next = random(seed);
  const view = new DataView(new ArrayBuffer(8));
  let wrong = '';
  for (let i = 0; i < 200_000 && !wrong; i++) {
    view.setUint32(0, next() * 2 ** 32);
    view.setUint32(4, next() * 2 ** 32);
    const decimals = Number(
      (next() * 10 ** Math.floor(next() * 9)).toFixed(Math.floor(next() * 9)),
    );
    for (const value of [view.getFloat64(0), decimals, -decimals]) {
      if (format(value) !== twin(value)) wrong = `${format(value)} for ${twin(value)}`;
    }
  }
  t.equal(wrong, '');
  t.end();
});

t.test(`a series is written as its values are, seed ${seed}`, (t) => {
  const next = random(seed);
  kernel.initShard(1024);
  for (const scale of [1, 10, 100, 1000, 1e5]) {
    const series = kernel.createSeries(BLOCK_SERIES, 0, 0, Math.floor(next() * 128));
    const values: (number | null)[] = [];
    for (let slot = 0; slot < 500; slot++) {
      const value = next() < 0.02 ? null : Math.round((next() - 0.3) * 2000 * scale) / scale;
      values.push(value === 0 ? 0 : value);
      if (value !== null) kernel.appendSample(series, (100_000 + slot) * BLOCK_SERIES, value);
    }
    const end = kernel.formatSeries(series, 100_000, 500, OUT, VALUES);
    t.equal(bytes.toString('latin1', OUT, end), JSON.stringify(values), `1/${scale}`);
    kernel.readSeries(series, 100_000, 500, VALUES);
    t.same(
      values.map((value) => value ?? NaN),
      [...doubles.subarray(VALUES / 8, VALUES / 8 + 500)],
    );
  }
  t.end();
});
