import { DEFAULTS } from '../../src/config/config.js';
import { Engine } from '../../workers/engine/engine.js';
import { planStatistics, StatisticsTaker } from '../../workers/engine/statistics.js';
import { createShardMemory, instantiateKernel } from '../../workers/kernel/kernel.js';
import {
  ANSWER_BASE,
  ANSWER_BYTES,
  QUERY_SCRATCH_BASE,
  WANTS_ENDS,
  WANTS_HELD,
  WANTS_SQUARES,
} from '../../workers/kernel/layout.js';

/**
 * What statistics cost in a shard's thread, without HTTP: of single series, and of a job as the
 * first query interface asks for it, with data and without: 16 hosts, 10 metrics, 2 sockets, 4 h.
 */
const STEP_SEC = 60;
const T0 = 1_795_466_400;
const SLOTS = 720;
const RANGE_SLOTS = 240;
const HOSTS = 16;
const METRICS = 10;
const ROUNDS = 25;
const ROUND_MS = 30;
const WORK = QUERY_SCRATCH_BASE;
const VALUES = QUERY_SCRATCH_BASE + 32 * 1024 * 1024;
const MANY_VALUES = 1_000_000;

let state = 12_345;
/** Reproducible numbers from 0 to 1 (a linear congruential generator is random enough here). */
function next(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
}

const memory = createShardMemory();
const kernel = instantiateKernel(memory);
kernel.initShard(100_000);
const metrics = { '*': { frequency: STEP_SEC, aggregation: 'avg' } } as const;
const store = { ...DEFAULTS.store, metrics, shardCount: 1 };
const engine = new Engine(kernel, memory, store, DEFAULTS.limits);
const taker = new StatisticsTaker(kernel, memory, DEFAULTS.limits.percentileExactMax);
const sketcher = new StatisticsTaker(kernel, memory, 1);

const allSeries: number[] = [];
const queries: object[] = [];

function fill(host: string, metric: string, typeId: string): void {
  const name = { metric, cluster: 'alex', host, type: 'socket', typeId, stype: '', stypeId: '' };
  const series = engine.seriesFor(name);
  for (let slot = 0; slot < SLOTS; slot++) {
    kernel.appendSample(series, T0 + slot * STEP_SEC, Math.floor(next() * 10_000) / 100);
  }
  allSeries.push(series);
}

for (let host = 0; host < HOSTS; host++) {
  for (let metric = 0; metric < METRICS; metric++) {
    const query = { metric: `metric_${metric}`, host: `a${100 + host}`, type: 'socket' };
    for (const socket of ['0', '1']) fill(query.host, query.metric, socket);
    queries.push({ ...query, aggreg: false, 'type-ids': ['0', '1'], resolution: 0 });
  }
}

interface Measured {
  readonly name: string;
  readonly run: () => void;
  /** What one run does, and in which unit a second's or one's share is told. */
  readonly count: number;
  readonly unit: 'ns each' | 'M samples/s';
  bestMs: number;
}
const all: Measured[] = [];

function measure(name: string, count: number, unit: Measured['unit'], run: () => void): Measured {
  const measured = { name, run, count, unit, bestMs: Infinity };
  all.push(measured);
  return measured;
}

function measureSeries(name: string, wanted: number): void {
  const from = T0 / STEP_SEC + SLOTS - RANGE_SLOTS;
  measure(`${name}, a series over 4 h`, allSeries.length, 'ns each', () => {
    for (const series of allSeries) {
      kernel.summarizeSeries(series, from, RANGE_SLOTS, wanted, WORK, WORK + 4096);
    }
  });
}

function measureQuery(name: string, extra: object): Measured {
  const to = T0 + SLOTS * STEP_SEC;
  const range = { from: to - RANGE_SLOTS * STEP_SEC, to };
  const text = JSON.stringify({ cluster: 'alex', ...range, queries, ...extra });
  return measure(`${name}, an element`, allSeries.length, 'ns each', () => {
    const run = engine.beginQuery(text, null);
    const turn = run.turn(ANSWER_BASE, ANSWER_BASE + ANSWER_BYTES / 2, Infinity);
    if (!turn.result || turn.result.error) throw new Error('no answer');
  });
}

measureSeries('count sum min max', 0);
measureSeries('first last', WANTS_ENDS);
measureSeries('twa', WANTS_HELD);
measureSeries('stddev', WANTS_SQUARES);

const from = T0 / STEP_SEC;
const whole = Math.floor((SLOTS - 16) / 128) * 128;
measure('stddev, whole blocks', allSeries.length * whole, 'M samples/s', () => {
  for (const series of allSeries) {
    kernel.summarizeSeries(series, from, whole, WANTS_SQUARES, WORK, WORK + 4096);
  }
});
const values = Float64Array.from({ length: MANY_VALUES }, next);
new Float64Array(memory.buffer).set(values, VALUES / 8);
measure('count sum min max, values', MANY_VALUES, 'M samples/s', () =>
  kernel.statistics(VALUES, MANY_VALUES, WORK),
);
measure('stddev, values', MANY_VALUES, 'M samples/s', () =>
  kernel.summarizeValues(VALUES, 0, MANY_VALUES, WANTS_SQUARES, WORK),
);
const percentiles = planStatistics(['median', 'p95', 'p99.9']);
measure('three percentiles, exact, values', MANY_VALUES, 'M samples/s', () => {
  taker.ofValues(VALUES, MANY_VALUES, STEP_SEC, percentiles, WORK);
});
measure('three percentiles, sketch, values', MANY_VALUES, 'M samples/s', () => {
  sketcher.ofValues(VALUES, MANY_VALUES, STEP_SEC, percentiles, WORK);
});
measure('three percentiles, a series over 4 h', allSeries.length, 'ns each', () => {
  const first = from + SLOTS - RANGE_SLOTS;
  for (const series of allSeries) {
    taker.ofSeries(series, first, RANGE_SLOTS, STEP_SEC, percentiles, WORK);
  }
});
const withData = measureQuery('query with data', {});
const without = measureQuery('query for statistics only', { 'with-data': false });
measureQuery('query for neither', { 'with-data': false, 'with-stats': false });

// In turns, so that others on the machine slow all of them.
for (let round = 0; round < ROUNDS; round++) {
  for (const measured of all) {
    const startMs = performance.now();
    let runs = 0;
    do {
      measured.run();
      runs++;
    } while (performance.now() - startMs < ROUND_MS);
    measured.bestMs = Math.min(measured.bestMs, (performance.now() - startMs) / runs);
  }
}
for (const { name, bestMs, count, unit } of all) {
  const figure = unit === 'ns each' ? (bestMs * 1e6) / count : count / bestMs / 1000;
  console.log(`${name.padEnd(44)}${figure.toFixed(0).padStart(7)} ${unit}`);
}
const ratio = withData.bestMs / without.bestMs;
console.log(
  `${'statistics only, times the rate with data'.padEnd(44)}${ratio.toFixed(2).padStart(7)}`,
);
