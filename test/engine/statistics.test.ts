import t from 'tap';
import { planStatistics, StatisticsTaker } from '../../workers/engine/statistics.js';
import { Summary, UNSCALED, type Scale } from '../../workers/engine/summary.js';
import { createShardMemory, instantiateKernel } from '../../workers/kernel/kernel.js';
import { QUERY_SCRATCH_BASE } from '../../workers/kernel/layout.js';
import { Random, seed } from '../helpers/random.js';
import {
  addSamples,
  blockShapes,
  fillSeries,
  FIRST_SLOT,
  SPAN_SLOTS,
  STEP_SEC,
  type Filled,
} from '../kernel/filled-series.js';
import * as twin from '../kernel/twins/statistics.js';

const memory = createShardMemory();
const kernel = instantiateKernel(memory);
kernel.initShard(1024);
const doubles = new Float64Array(memory.buffer);
const VALUES = QUERY_SCRATCH_BASE;
const WORK = VALUES + 16 * 1024 * 1024;
const EXACT_MAX = 100_000;
const GUARD = 12345.678;
const taker = new StatisticsTaker(kernel, memory, EXACT_MAX);
const NAMES = ['count', 'sum', 'avg', 'min', 'max', 'first', 'last', 'stddev', 'integral', 'twa'];
const PERCENTILES = ['median', 'p0', 'p95', 'p99.9', 'p5', 'p100', 'p33.3'];
/** Rounding of the sums in headers of blocks, and of what is made of them. */
const PRECISION = 2 ** -44;

/** The statistics named, by the naive model. */
function expected(
  slots: ReadonlyMap<number, number>,
  from: number,
  count: number,
): Map<string, number> {
  const summary = twin.summarize(slots, from, count);
  const isEmpty = summary.count === 0;
  const values = new Map<string, number>([
    ['count', summary.count],
    ['sum', isEmpty ? NaN : summary.sum],
    ['avg', summary.sum / summary.count],
    ['min', isEmpty ? NaN : summary.min],
    ['max', isEmpty ? NaN : summary.max],
    ['first', summary.first],
    ['last', summary.last],
    ['stddev', summary.stddev],
    ['integral', isEmpty ? NaN : summary.sum * STEP_SEC],
    ['twa', summary.twa],
  ]);
  for (const name of PERCENTILES) {
    const percent = name === 'median' ? 50 : Number(name.slice(1));
    values.set(name, twin.percentile(summary.samples, percent));
  }
  return values;
}

/** How far a statistic may be off: in the last digits of the largest sample, sums in those of all. */
function errorMax(name: string, largest: number, magnitude: number): number {
  if (['count', 'min', 'max', 'first', 'last'].includes(name)) return 0;
  if (name === 'sum') return magnitude * PRECISION;
  if (name === 'integral') return magnitude * PRECISION * STEP_SEC;
  return largest * PRECISION;
}

function difference(
  ours: readonly number[],
  names: readonly string[],
  slots: ReadonlyMap<number, number>,
  from: number,
  count: number,
): string {
  const theirs = expected(slots, from, count);
  const { samples, magnitude } = twin.summarize(slots, from, count);
  const largest = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (ours.length !== names.length) return `${ours.length} statistics for ${names.length}`;
  for (const [index, name] of names.entries()) {
    const value = ours[index]!;
    const other = theirs.get(name)!;
    if (Number.isNaN(value) && Number.isNaN(other)) continue;
    if (!(Math.abs(value - other) <= errorMax(name, largest, magnitude))) {
      return `${name} ${value} for ${other}`;
    }
  }
  return '';
}

/** Statistics of a series and of the values of the same slots, each against the model. */
function seriesAndValues(
  { address, slots }: Filled,
  from: number,
  count: number,
  names: readonly string[],
): string {
  const plan = planStatistics(names);
  const guard = (WORK + taker.workBytes(plan, count)) / 8;
  doubles[guard] = GUARD;
  const ofSeries = taker.ofSeries(address, from, count, STEP_SEC, plan, WORK);
  const wrong = difference(ofSeries, names, slots, from, count);
  if (wrong) return `${wrong}, of the series`;
  const values = Array.from({ length: count }, (_, index) => slots.get(from + index) ?? NaN);
  doubles.set(values, VALUES / 8);
  const ofValues = taker.ofValues(VALUES, count, STEP_SEC, plan, WORK);
  if (doubles[guard] !== GUARD) return 'wrote behind the work area';
  for (const [index, value] of values.entries()) {
    if (!Object.is(doubles[VALUES / 8 + index], value)) return 'values were changed';
  }
  const different = difference(ofValues, names, slots, from, count);
  return different ? `${different}, of values` : '';
}

t.test(`statistics of random series, seed ${seed}`, (t) => {
  const random = new Random(seed);
  const all = [...NAMES, ...PERCENTILES];
  let wrong = '';
  for (let round = 0; round < 250 && !wrong; round++) {
    const [shape, value] = random.pick(Object.entries(blockShapes(random)));
    const gaps = random.pick([0, 0, 0.01, 0.2, 0.9, 0.99]);
    const filled = fillSeries(kernel, random, { value, gaps });
    for (let i = 0; i < 12 && !wrong; i++) {
      const from = FIRST_SLOT - 200 + random.below(SPAN_SLOTS + 300);
      const count = random.below(random.pick([2, 20, 300, SPAN_SLOTS + 400]));
      const names = all.filter(() => random.chance(random.pick([0.2, 0.5, 1])));
      wrong = seriesAndValues(filled, from, count, names);
      if (wrong) wrong += ` of ${from}+${count}, round ${round}, ${shape}, gaps ${gaps}`;
    }
    kernel.releaseSeries(filled.address);
  }
  t.equal(wrong, '');
  t.end();
});

function seriesOf(values: readonly number[], stagger = 0): Filled {
  const filled = { address: kernel.createSeries(STEP_SEC, 0, 0, stagger, 0), slots: new Map() };
  let next = 0;
  addSamples(kernel, filled, FIRST_SLOT, FIRST_SLOT + values.length, () => values[next++]!);
  return filled;
}

t.test('by hand', (t) => {
  const check = (
    name: string,
    values: readonly number[],
    theirs: Readonly<Record<string, number>>,
    count = values.length,
  ): void => {
    t.test(name, (t) => {
      const { address } = seriesOf(values);
      const plan = planStatistics(Object.keys(theirs));
      const wanted = Object.values(theirs);
      const ofSeries = taker.ofSeries(address, FIRST_SLOT, count, STEP_SEC, plan, WORK);
      t.same(ofSeries, wanted, 'of the series');
      t.same(taker.ofSeries(address, FIRST_SLOT, count, STEP_SEC, plan, WORK), wanted, 'again');
      doubles.fill(NaN, VALUES / 8, VALUES / 8 + count);
      doubles.set(values.slice(0, count), VALUES / 8);
      t.same(taker.ofValues(VALUES, count, STEP_SEC, plan, WORK), wanted, 'of values');
      kernel.releaseSeries(address);
      t.end();
    });
  };
  const gap = (slots: number): number[] => Array<number>(slots).fill(NaN);
  const none = { sum: NaN, avg: NaN, min: NaN, last: NaN, stddev: NaN, integral: NaN, twa: NaN };
  check('none', gap(3), { count: 0, ...none, median: NaN });
  check('no slots', [1, 2], { count: 0, ...none, p99: NaN }, 0);
  check('one', [7], {
    count: 1,
    sum: 7,
    first: 7,
    last: 7,
    stddev: 0,
    integral: 420,
    twa: 7,
    p1: 7,
  });
  check('stddev is that of the population', [2, 4, 4, 4, 5, 5, 7, 9], { avg: 5, stddev: 2 });
  check('percentiles as numpy has them', [15, 20, 35, 40, 50], {
    p40: 29,
    median: 35,
    p5: 16,
    p95: 48,
    p100: 50,
    p0: 15,
  });
  check('the same twice, and in any order', [1, 2], { p75: 1.75, p25: 1.25, 'p75.0': 1.75 });
  check('a gap adds nothing to the integral', [10, NaN, NaN, 20], { integral: 1800 });
  check('a sample holds over a gap', [10, NaN, NaN, 20], { twa: (3 * 10 + 20) / 4 });
  check('for five slots at most', [10, ...gap(9), 20], { twa: (5 * 10 + 20) / 6 });
  check('and not beyond the end', [10, NaN, 20, NaN], { twa: 15, avg: 15 });
  check('nor before its time', [NaN, NaN, 20], { twa: 20, first: 20 });
  check('over the border of blocks', [...Array<number>(128).fill(1), ...gap(130), 2], {
    twa: (128 + 4 + 2) / 133,
    count: 129,
  });
  const large = [1e15, 1e15 + 1, 1e15 + 2, 1e15 + 3];
  check('a small spread of large values', large, { stddev: Math.sqrt(1.25), avg: 1e15 + 1.5 });
  check('what cancels', [1e16, 1, -1e16, 1], { sum: 2, avg: 0.5 });
  check('what no number can be', [1e308, 1e308, -1], { sum: NaN, avg: NaN, max: 1e308, min: -1 });
  check('squares that no number can be', [1e200, -1e200], { stddev: NaN, sum: 0, median: 0 });
  t.end();
});

t.test(`long ranges do not drift, seed ${seed}`, (t) => {
  const slots = 1_000_000;
  const check = (name: string, value: (slot: number) => number): void => {
    const { address } = seriesOf([]);
    const values = new Float64Array(slots);
    for (let slot = 0; slot < slots; slot++) {
      values[slot] = value(slot);
      if (!Number.isNaN(values[slot]!)) {
        kernel.appendSample(address, (FIRST_SLOT + slot) * STEP_SEC, values[slot]!);
      }
    }
    const present = [...values].filter((one) => !Number.isNaN(one));
    const sum = twin.exactSum(present);
    const mean = sum / present.length;
    const stddev = Math.sqrt(
      twin.exactSum(present.map((one) => (one - mean) ** 2)) / present.length,
    );
    const plan = planStatistics(['count', 'sum', 'avg', 'stddev']);
    // Within a block the sum is rounded up to 128 times, as if there were only one.
    const close = (ours: number, theirs: number): boolean =>
      Math.abs(ours - theirs) <= theirs * 2 ** -46;
    doubles.set(values, VALUES / 8);
    for (const ours of [
      taker.ofSeries(address, FIRST_SLOT, slots, STEP_SEC, plan, WORK),
      taker.ofValues(VALUES, slots, STEP_SEC, plan, WORK),
    ]) {
      t.equal(ours[0], present.length, `count, ${name}`);
      t.ok(close(ours[1]!, sum), `sum ${ours[1]} for ${sum}, ${name}`);
      t.ok(close(ours[2]!, mean), `avg ${ours[2]} for ${mean}, ${name}`);
      t.ok(close(ours[3]!, stddev), `stddev ${ours[3]} for ${stddev}, ${name}`);
    }
    t.equal(taker.ofValues(VALUES, slots, STEP_SEC, plan, WORK)[1], sum, `values' sum, ${name}`);
    kernel.releaseSeries(address);
  };
  const random = new Random(seed);
  check('tenths', () => 0.1);
  check('with gaps', (slot) => (slot % 7 === 0 ? NaN : 0.3 + (slot % 3)));
  check('a counter', (slot) => 1e12 + slot * 1e6);
  check('huge and tiny', () => (random.chance(0.5) ? 1e12 + random.next() : random.next() * 1e-6));
  t.end();
});

t.test(`other units, seed ${seed}`, (t) => {
  const random = new Random(seed);
  const names = [...NAMES, ...PERCENTILES];
  const plan = planStatistics(names);
  const check = (scale: Scale): void => {
    const filled = fillSeries(kernel, random, {
      value: () => random.below(20_000) / 100 - 50,
      gaps: 0.1,
    });
    const scaled = new Map<number, number>();
    for (const [slot, value] of filled.slots) scaled.set(slot, value * scale.factor + scale.offset);
    const theirs = expected(scaled, FIRST_SLOT, SPAN_SLOTS);
    const ours = taker.ofSeries(
      filled.address,
      FIRST_SLOT,
      SPAN_SLOTS,
      STEP_SEC,
      plan,
      WORK,
      scale,
    );
    for (const [index, name] of names.entries()) {
      const other = theirs.get(name)!;
      const error = Math.abs(ours[index]! - other);
      const close = error <= Math.max(1, Math.abs(other)) * 1e-9;
      t.ok(close || Number.isNaN(other), `${name} ${ours[index]} for ${other}, ${scale.factor}`);
    }
    kernel.releaseSeries(filled.address);
  };
  check(UNSCALED);
  check({ factor: 1000, offset: 0 });
  check({ factor: 1.8, offset: 32 });
  check({ factor: 5 / 9, offset: -160 / 9 });
  t.end();
});

t.test(`summaries of hosts merge to that of all samples, seed ${seed}`, (t) => {
  const random = new Random(seed);
  for (let round = 0; round < 50; round++) {
    const merged = new Summary();
    const samples: number[] = [];
    const ends: { slot: number; value: number }[] = [];
    for (let host = 0; host < 1 + random.below(5); host++) {
      const filled = fillSeries(kernel, random, {
        value: () => 1e6 + random.below(1000) / 10,
        gaps: random.pick([0, 0.1, 1]),
      });
      const one = new Summary();
      taker.summarizeSeries(filled.address, FIRST_SLOT, SPAN_SLOTS, 7, WORK, one);
      merged.merge(one);
      const alone = twin.summarize(filled.slots, FIRST_SLOT, SPAN_SLOTS);
      samples.push(...alone.samples);
      if (alone.count > 0) {
        ends.push({ slot: alone.firstSlot, value: alone.first });
        ends.push({ slot: alone.lastSlot, value: alone.last });
      }
      kernel.releaseSeries(filled.address);
    }
    const theirs = twin.summarize(new Map(samples.entries()), 0, samples.length);
    const isClose = (ours: number, other: number): boolean =>
      Math.abs(ours - other) <= Math.max(1, Math.abs(other)) * 1e-9;
    const statistic = (kind: 'count' | 'sum' | 'min' | 'max' | 'stddev' | 'first'): number =>
      merged.statistic(kind, STEP_SEC, UNSCALED);
    t.equal(statistic('count'), theirs.count);
    if (theirs.count === 0) {
      t.ok(Number.isNaN(statistic('sum')));
      continue;
    }
    t.ok(isClose(statistic('sum'), theirs.sum));
    t.equal(statistic('min'), theirs.min);
    t.equal(statistic('max'), theirs.max);
    t.ok(isClose(statistic('stddev'), theirs.stddev), `${statistic('stddev')} ${theirs.stddev}`);
    const firstSlot = Math.min(...ends.map(({ slot }) => slot));
    t.equal(statistic('first'), ends.find(({ slot }) => slot === firstSlot)!.value);
  }
  t.end();
});
