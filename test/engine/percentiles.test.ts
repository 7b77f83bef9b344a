import t from 'tap';
import { Percentiles } from '../../workers/engine/percentiles.js';
import { planStatistics, StatisticsTaker } from '../../workers/engine/statistics.js';
import { createShardMemory, instantiateKernel } from '../../workers/kernel/kernel.js';
import { QUERY_SCRATCH_BASE } from '../../workers/kernel/layout.js';
import { Random, seed } from '../helpers/random.js';
import {
  addSamples,
  fillSeries,
  FIRST_SLOT,
  SPAN_SLOTS,
  STEP_SEC,
} from '../kernel/filled-series.js';
import * as twin from '../kernel/twins/statistics.js';

const memory = createShardMemory();
const kernel = instantiateKernel(memory);
kernel.initShard(1024);
const doubles = new Float64Array(memory.buffer);
const VALUES = QUERY_SCRATCH_BASE;
const WORK = VALUES + 16 * 1024 * 1024;
const GUARD = 12345.678;

/** Address of a series with these values from FIRST_SLOT on. */
function seriesOf(values: readonly number[]): number {
  const filled = { address: kernel.createSeries(STEP_SEC, 0, 0, 0, 0), slots: new Map() };
  let next = 0;
  addSamples(kernel, filled, FIRST_SLOT, FIRST_SLOT + values.length, () => values[next++]!);
  return filled.address;
}

t.test(`a sketch keeps its bound, seed ${seed}`, (t) => {
  const random = new Random(seed);
  const few = new StatisticsTaker(kernel, memory, 100);
  const count = 20_000;
  const percents = [0, 0.01, 1, 5, 25, 50, 75, 90, 95, 99, 99.9, 99.99, 100];
  const plan = planStatistics(percents.map((percent) => `p${percent}`));
  const check = (name: string, value: () => number): void => {
    const values = Float64Array.from({ length: count }, value);
    doubles.set(values, VALUES / 8);
    const present = [...values].filter((one) => !Number.isNaN(one));
    const sorted = Float64Array.from(present).sort();
    const guard = (WORK + few.workBytes(plan, count)) / 8;
    doubles[guard] = GUARD;
    const ours = few.ofValues(VALUES, count, STEP_SEC, plan, WORK);
    t.equal(doubles[guard], GUARD, `work area, ${name}`);
    let wrong = '';
    for (const [index, percent] of percents.entries()) {
      const rank = (percent / 100) * (sorted.length - 1);
      const reach = Math.max(
        Math.abs(sorted[Math.floor(rank)]!),
        Math.abs(sorted[Math.ceil(rank)]!),
      );
      const theirs = twin.percentile(present, percent);
      // The least numbers there are have no relative bound.
      if (!(Math.abs(ours[index]! - theirs) <= (reach / 257) * (1 + 1e-9) + 1e-307)) {
        wrong = `p${percent} ${ours[index]} for ${theirs}`;
      }
    }
    t.equal(wrong, '', name);
  };
  check('even', () => random.next());
  check('over 600 powers of ten', () => 10 ** (random.below(600) - 300) * (1 + random.next()));
  check('both signs', () => (random.next() - 0.5) * 1e6);
  check('negative', () => -Math.exp(random.next() * 20));
  check('zeros of both signs', () => random.pick([0, -0, 1, -1]));
  check('one value', () => 42.5);
  check('gaps', () => (random.chance(0.5) ? NaN : random.next()));
  check('powers of two', () => 2 ** (random.below(20) - 10));
  check('the least and the largest', () => random.pick([5e-324, -5e-324, 1.7e308, -1.7e308]));
  t.end();
});

t.test('up to the limit percentiles are exact, above it from the sketch', (t) => {
  const few = new StatisticsTaker(kernel, memory, 200);
  const plan = planStatistics(['median', 'p90']);
  const address = seriesOf(Array.from({ length: 401 }, (_, slot) => slot + 0.5));
  t.same(few.ofSeries(address, FIRST_SLOT, 200, STEP_SEC, plan, WORK), [100, 179.6]);
  const [median = 0, p90 = 0] = few.ofSeries(address, FIRST_SLOT, 201, STEP_SEC, plan, WORK);
  t.not(median, 100.5);
  t.ok(Math.abs(median / 100.5 - 1) < 0.004);
  t.ok(Math.abs(p90 / 180.5 - 1) < 0.004);
  // What counts is samples, not slots.
  const sparse = seriesOf(Array.from({ length: 400 }, (_, slot) => (slot % 2 === 0 ? slot : NaN)));
  t.same(few.ofSeries(sparse, FIRST_SLOT, 400, STEP_SEC, plan, WORK), [199, 358.2]);
  kernel.releaseSeries(address);
  kernel.releaseSeries(sparse);
  t.end();
});

t.test(`exact percentiles of awkward orders, seed ${seed}`, (t) => {
  const random = new Random(seed);
  const count = 20_000;
  const names = ['p99.9', 'median', 'p1'];
  const taker = new StatisticsTaker(kernel, memory, count);
  const check = (name: string, value: (index: number) => number): void => {
    const values = Array.from({ length: count }, (_, index) => value(index));
    doubles.set(values, VALUES / 8);
    const ours = taker.ofValues(VALUES, count, STEP_SEC, planStatistics(names), WORK);
    const theirs = [99.9, 50, 1].map((percent) => twin.percentile(values, percent));
    t.ok(
      ours.every((one, index) => Math.abs(one - theirs[index]!) <= 1e-9),
      name,
    );
  };
  check('ascending', (index) => index);
  check('descending', (index) => -index);
  check('equal', () => 3);
  check('two values', (index) => index % 2);
  check('an organ pipe', (index) => Math.min(index, count - index));
  check('saw teeth', (index) => index % 137);
  check('random', () => random.next());
  t.end();
});

t.test(`of several series together, seed ${seed}`, (t) => {
  const random = new Random(seed);
  const percents = [50, 0, 100, 95];
  const check = (exactMax: number, errorMax: number): void => {
    const percentiles = new Percentiles(kernel, memory, exactMax);
    for (let round = 0; round < 20; round++) {
      const samples: number[] = [];
      percentiles.begin(5 * SPAN_SLOTS, WORK);
      const series = random.below(6);
      for (let k = 0; k < series; k++) {
        const filled = fillSeries(kernel, random, {
          value: () => random.below(10_000) / 100,
          gaps: random.pick([0, 0.3, 1]),
        });
        percentiles.addSeries(filled.address, FIRST_SLOT, SPAN_SLOTS);
        samples.push(...twin.summarize(filled.slots, FIRST_SLOT, SPAN_SLOTS).samples);
        kernel.releaseSeries(filled.address);
      }
      const ours = percentiles.take(percents);
      for (const [index, percent] of percents.entries()) {
        const theirs = twin.percentile(samples, percent);
        const error = Math.abs(ours[index]! - theirs);
        t.ok(
          samples.length === 0 ? Number.isNaN(ours[index]) : error <= Math.abs(theirs) * errorMax,
          `p${percent} ${ours[index]} for ${theirs}, exact up to ${exactMax}`,
        );
      }
    }
  };
  check(5 * SPAN_SLOTS, 1e-12);
  check(5 * SPAN_SLOTS - 1, 1 / 250);
  t.end();
});
