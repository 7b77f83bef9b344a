import fc from 'fast-check';
import t from 'tap';
import { RESAMPLE_ALGORITHMS, type ResampleAlgorithm } from '../../src/model/query-request.js';
import { RESAMPLE_CODES } from '../../workers/engine/resample.js';
import { createShardMemory, instantiateKernel } from '../../workers/kernel/kernel.js';
import { QUERY_SCRATCH_BASE, QUERY_SCRATCH_BYTES } from '../../workers/kernel/layout.js';
import { Random, seed } from '../helpers/random.js';
import { cellsOf, resample as twin, type Grid } from './twins/resample.js';

const memory = createShardMemory();
const kernel = instantiateKernel(memory);
const doubles = new Float64Array(memory.buffer);
const VALUES = QUERY_SCRATCH_BASE;
const OUT = QUERY_SCRATCH_BASE + QUERY_SCRATCH_BYTES / 2;
const GUARD = 12345.678;
const runs = { seed, numRuns: 3000 };

function resample(algorithm: ResampleAlgorithm, values: readonly number[], grid: Grid): number[] {
  const { offset, num, den, target } = grid;
  doubles.set(values, VALUES / 8);
  // What lies behind the values is not looked at, what lies behind the result is not touched.
  doubles.fill(1e9, VALUES / 8 + values.length, VALUES / 8 + values.length + 4);
  doubles.fill(GUARD, OUT / 8, OUT / 8 + target + 4);
  const code = RESAMPLE_CODES[algorithm];
  const written = kernel.resample(code, VALUES, values.length, offset, num, den, target, OUT);
  if (doubles[OUT / 8 + target] !== GUARD) throw new Error('wrote behind the result');
  return [...doubles.subarray(OUT / 8, OUT / 8 + written)];
}

const stride = (count: number, num: number): Grid => ({
  offset: 0,
  num,
  den: 1,
  target: Math.floor(count / num),
});

/** A few kinds of curves: noise, ties, one value, spikes; the decimals are not exact as doubles. */
const curve = fc
  .record({
    gaps: fc.constantFrom(0, 0, 0.1, 0.5, 0.9),
    steps: fc.constantFrom(1, 2, 5, 1e6),
    unit: fc.constantFrom(1, 100, 1000),
    size: fc.constantFrom(3, 20, 200),
  })
  .chain(({ gaps, steps, unit, size }) =>
    fc.array(
      fc
        .record({ missing: fc.double({ min: 0, max: 1, noNaN: true }), value: fc.nat(steps) })
        .map(({ missing, value }) => (missing < gaps ? NaN : (value - steps / 2) / unit)),
      { maxLength: size },
    ),
  );

/** Steps that are multiples of a slot, that are not, and that are shorter. */
const sampled = curve.chain((values) =>
  fc
    .record({
      num: fc.oneof(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 60, max: 3000 })),
      den: fc.constantFrom(1, 10, 60),
      phase: fc.double({ min: 0, max: 0.999, noNaN: true }),
      more: fc.integer({ min: -3, max: 5 }),
    })
    .map(({ num, den, phase, more }) => {
      const offset = Math.floor(phase * num);
      const cells = Math.ceil((values.length * den + offset) / num);
      return { values, grid: { offset, num, den, target: Math.max(0, cells + more) } };
    }),
);

t.test(`each algorithm equals its twin, seed ${seed}`, async (t) => {
  for (const algorithm of RESAMPLE_ALGORITHMS) {
    const property = fc.property(sampled, ({ values, grid }) => {
      // -0 and 0 are the same here: which of them is the smallest is not told.
      const plus = (list: number[]): number[] => list.map((value) => value + 0);
      const ours = plus(resample(algorithm, values, grid));
      const theirs = plus(twin(algorithm, values, grid));
      if (ours.some((value, index) => !Object.is(value, theirs[index]))) {
        throw new Error(`${ours.join()} for ${theirs.join()}`);
      }
    });
    const result = fc.check(property, runs);
    t.notOk(result.failed, `${algorithm} ${fc.defaultReportMessage(result)}`);
  }
});

t.test(`gaps stay gaps and never win, seed ${seed}`, async (t) => {
  for (const algorithm of RESAMPLE_ALGORITHMS) {
    if (algorithm === 'simple') continue;
    const property = fc.property(sampled, ({ values, grid }) => {
      const shown = resample(algorithm, values, grid);
      return cellsOf(values, grid).every(({ points }, cell) =>
        algorithm === 'count'
          ? shown[cell] === points.length
          : Number.isNaN(shown[cell]!) === (points.length === 0),
      );
    });
    const result = fc.check(property, runs);
    t.notOk(result.failed, `${algorithm} ${JSON.stringify(result.counterexample)}`);
  }
});

t.test(`the extremes of all are shown, seed ${seed}`, async (t) => {
  for (const algorithm of ['minmaxlttb', 'minmax', 'm4'] as const) {
    const property = fc.property(sampled, ({ values, grid }) => {
      const cells = cellsOf(values, grid).filter(({ points }) => points.length > 0);
      const present = cells.flatMap(({ points }) => points.map(({ y }) => y));
      if (present.length === 0) return true;
      const shown = resample(algorithm, values, grid);
      const hasMost = shown.includes(Math.max(...present));
      return hasMost && (cells.length < 2 || shown.includes(Math.min(...present)));
    });
    const result = fc.check(property, runs);
    t.notOk(result.failed, `${algorithm} ${JSON.stringify(result.counterexample)}`);
  }
});

t.test(`curves show samples of the range only, seed ${seed}`, async (t) => {
  for (const algorithm of ['lttb', 'minmaxlttb', 'minmax', 'm4', 'first', 'last'] as const) {
    const property = fc.property(sampled, ({ values, grid }) =>
      resample(algorithm, values, grid).every(
        (value) => values.includes(value) || Number.isNaN(value),
      ),
    );
    t.notOk(fc.check(property, runs).failed, algorithm);
  }
});

t.test(`four samples a cell, seed ${seed}`, async (t) => {
  const random = new Random(seed);
  let wrong = '';
  for (let round = 0; round < 1500 && !wrong; round++) {
    const target = 10 + random.below(random.pick([20, 150]));
    // Few levels: then many areas are equal, and it takes long until a wrong start does not matter.
    const levels = random.pick([1, 2, 3, 1e6]);
    const slope = random.pick([0, 0, 1e3]);
    const chance = random.pick([0, 0.01, 0.5, 1]);
    let level = 0;
    const values = Array.from({ length: target * 4 + random.below(4) }, (_, i) => {
      if (random.chance(chance)) level = random.below(levels);
      return (level + slope * i) / 100;
    });
    if (random.chance(0.1)) values[random.below(values.length)] = NaN;
    const den = random.pick([1, 60]);
    const grid = { offset: 0, num: 4 * den, den, target };
    const ours = resample('minmaxlttb', values, grid);
    const theirs = twin('minmaxlttb', values, grid);
    if (ours.join() !== theirs.join()) wrong = `${ours.join()} for ${theirs.join()}`;
  }
  t.equal(wrong, '');
});

t.test('a table of small cases', async (t) => {
  const _ = NaN;
  const check = (
    name: string,
    algorithm: ResampleAlgorithm,
    values: number[],
    grid: Grid,
    expected: number[],
  ): void => {
    for (let round = 0; round < 2; round++) {
      t.strictSame(resample(algorithm, values, grid), expected, `${algorithm}: ${name}`);
      t.strictSame(twin(algorithm, values, grid), expected, `${algorithm}: ${name}, twin`);
    }
  };
  const eight = [5, 9, 1, 4, 2, 2, 8, 3];
  check('pairs, in the order of time', 'minmax', eight, stride(8, 2), [9, 1, 2, 8]);
  check('a cell left over', 'minmax', [1, 2, 3, 4, 8, 6], stride(6, 2), [1, 4, 8]);
  check('one cell shows the largest', 'minmax', [3, 7, 1], stride(3, 3), [7]);
  check('half a pair is a gap', 'minmax', [1, 3, _, _, 0, 9, 2, 2], stride(8, 2), [3, _, 0, 9]);
  check('a lone fall is kept', 'minmax', [7, 8, 7, 8, 7, 1, _, _], stride(8, 2), [7, 8, 1, _]);
  check('a lone cell gives to its neighbour', 'minmax', [5, 5, 5, 6, 9, 1, _, _], stride(8, 2), [
    5,
    9,
    1,
    _,
  ]);
  check('one sample a cell stays', 'minmax', [3, 1, _, 2], stride(4, 1), [3, 1, _, 2]);
  check('first, smallest, largest, last', 'm4', eight, stride(8, 2), [5, 9, 1, 3]);
  check('three with samples', 'm4', [5, 9, _, _, 2, 1, 8, 3], stride(8, 2), [9, _, 1, 3]);
  check('one sample a cell stays', 'm4', [3, 1, 2, 7, _, 5], stride(6, 1), [3, 1, 2, 7, _, 5]);
  check('left over cells', 'm4', [1, 1, 1, 1, 2, 9, 4, 0], stride(8, 1), [1, 1, 1, 1, 2, 9, 4, 0]);
  check(
    'left over pair',
    'm4',
    [1, 2, 1, 2, 1, 2, 1, 2, 3, 9, 8, 4],
    stride(12, 2),
    [1, 1, 2, 2, 3, 9],
  );
  const grid = { offset: 30, num: 90, den: 60, target: 4 };
  check('90 s of 60 s slots', 'count', [1, 2, 3, 4, 5], grid, [1, 2, 1, 1]);
  check('90 s of 60 s slots', 'first', [1, 2, 3, 4, 5], grid, [1, 2, 4, 5]);
  const short = { offset: 0, num: 20, den: 60, target: 7 };
  for (const algorithm of ['minmaxlttb', 'lttb', 'minmax', 'm4', 'average', 'simple'] as const) {
    check('cells shorter than slots', algorithm, [1, _, 3], short, [1, _, _, _, _, _, 3]);
    check('no input', algorithm, [], short, [_, _, _, _, _, _, _]);
    check('no cell', algorithm, [1, 2], stride(0, 1), []);
  }
  check('gaps', 'average', [1, _, 4, _, _, _], stride(6, 3), [2.5, _]);
  check('gaps', 'sum', [0.1, _, 0.2, 0.3, _, _], stride(6, 3), [0.30000000000000004, 0.3]);
  check('compensated', 'sum', [1e16, 1, 1, -1e16], stride(4, 4), [2]);
  check('gaps', 'simple', [_, 1, 2, 3], stride(4, 2), [_, 2]);
  const spike = [1, 1, 1, 1, 1, 1, 1, 9, 0, 1, 1, 1];
  check('extremes of neighbours', 'minmaxlttb', spike, stride(12, 2), [1, 1, 1, 9, 0, 1]);
  check('extremes of one cell', 'minmaxlttb', [1, 1, 1, 9, 0, 1, 1, 1, 1], stride(9, 3), [1, 9, 0]);
});

t.test('examples of tsdownsample, the library of the authors of MinMaxLTTB', async (t) => {
  const line = Array.from({ length: 100 }, (_, i) => i);
  const minmax = [0, 19, 20, 39, 40, 59, 60, 79, 80, 99];
  t.strictSame(resample('minmax', line, stride(100, 10)), minmax, 'minmax to 10');
  const m4 = [0, 0, 33, 33, 34, 34, 66, 66, 67, 67, 99, 99];
  const grid = { offset: 0, num: 100, den: 12, target: 12 };
  t.strictSame(resample('m4', line, grid), m4, 'M4 to 12');
  doubles.set(line, VALUES / 8);
  t.equal(kernel.lttb(VALUES, 10, 4, OUT), 4);
  t.strictSame([...doubles.subarray(OUT / 8, OUT / 8 + 4)], [0, 1, 5, 9], 'LTTB of 10 to 4');
});

t.test('cells are exact over a long range', async (t) => {
  const count = 200_000;
  doubles.fill(1, VALUES / 8, VALUES / 8 + count);
  const num = 100_003;
  const target = Math.ceil((count * 60) / num);
  kernel.resample(RESAMPLE_CODES.count, VALUES, count, 17, num, 60, target, OUT);
  const start = (cell: number): number =>
    Math.min(count, Math.max(0, Math.ceil((cell * num - 17) / 60)));
  const expected = Array.from({ length: target }, (_, k) => start(k + 1) - start(k));
  t.strictSame([...doubles.subarray(OUT / 8, OUT / 8 + target)], expected);
});

t.test('values that overflow', async (t) => {
  const values = [1e308, 1e308, -1e308, 1e308, -1e308, 0];
  for (const algorithm of ['lttb', 'minmaxlttb'] as const) {
    const shown = resample(algorithm, values, stride(6, 2));
    t.ok(shown.every(Number.isFinite), `${algorithm} ${shown.join()}`);
  }
  t.strictSame(resample('sum', [1e308, 1e308], stride(2, 2)), [Infinity]);
  // A factor on the values may leave infinite ones: they are samples, too.
  for (const infinite of [[Infinity], [-Infinity], [Infinity, -Infinity, NaN]]) {
    const many = Array.from({ length: 100 }, (_, i) =>
      i % 3 ? i : infinite[i % infinite.length]!,
    );
    for (const algorithm of RESAMPLE_ALGORITHMS) {
      t.equal(resample(algorithm, many, stride(100, 4)).length, 25, algorithm);
      const alone = Array.from({ length: 100 }, () => infinite[0]!);
      t.equal(resample(algorithm, alone, stride(100, 4)).length, 25, algorithm);
    }
  }
});
