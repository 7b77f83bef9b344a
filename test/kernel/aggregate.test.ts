import t from 'tap';
import { createShardMemory, instantiateKernel } from '../../workers/kernel/kernel.js';
import { QUERY_SCRATCH_BASE, WINDOW_SLOTS } from '../../workers/kernel/layout.js';
import { Random, seed } from '../helpers/random.js';
import {
  addSamples,
  blockShapes,
  fillSeries,
  FIRST_SLOT,
  SPAN_SLOTS,
  STEP_SEC,
  type Filled,
} from './filled-series.js';
import * as twin from './twins/aggregate.js';

const memory = createShardMemory();
const kernel = instantiateKernel(memory);
kernel.initShard(1024);
const doubles = new Float64Array(memory.buffer);
const words = new Uint32Array(memory.buffer, 0, (QUERY_SCRATCH_BASE + 2 ** 21) / 4);
const LIST = QUERY_SCRATCH_BASE;
const OUT = LIST + 65_536;
const CONTRIBUTORS = OUT + 65_536;
const WORK = CONTRIBUTORS + 65_536;
const GUARD = 0x5eed5eed;

interface Range {
  readonly from: number;
  readonly count: number;
}

interface Result {
  readonly values: number[];
  readonly contributors: number[];
  /** What was written beyond the given areas, '' = nothing. */
  readonly trespass: string;
}

/** Runs one of the kernels over the range of all series. */
function run(
  name: 'sumSeries' | 'minSeries' | 'maxSeries',
  all: readonly Filled[],
  { from, count }: Range,
): Result {
  words.set(
    all.map(({ address }) => address),
    LIST / 4,
  );
  const behind = {
    list: LIST / 4 + all.length,
    out: OUT / 4 + count * 2,
    contributors: CONTRIBUTORS / 4 + count,
    work: WORK / 4 + (count + 256) * 4 + 1024,
  };
  for (const word of Object.values(behind)) words[word] = GUARD;
  kernel[name](LIST, all.length, from, count, OUT, CONTRIBUTORS, WORK);
  const trespass = Object.entries(behind).filter(([, word]) => words[word] !== GUARD);
  return {
    values: [...doubles.subarray(OUT / 8, OUT / 8 + count)],
    contributors: [...words.subarray(CONTRIBUTORS / 4, CONTRIBUTORS / 4 + count)],
    trespass: trespass.map(([area]) => `wrote behind ${area}`).join(),
  };
}

/** '' if ours is the twin's, with rounding errors where `isClose` lets them be. */
function difference(
  ours: Result,
  theirs: twin.Combined,
  isClose: (ours: number, theirs: number, index: number) => boolean = Object.is,
): string {
  if (ours.trespass) return ours.trespass;
  for (let i = 0; i < theirs.values.length; i++) {
    if (ours.contributors[i] !== theirs.contributors[i]) {
      return `${ours.contributors[i]} samples for ${theirs.contributors[i]} at ${i}`;
    }
    if (!isClose(ours.values[i]!, theirs.values[i]!, i)) {
      return `${ours.values[i]} for ${theirs.values[i]} at ${i}`;
    }
  }
  return '';
}

/** Equality of sums but for the order of additions. */
function withinRounding(theirs: twin.Combined) {
  return (ours: number, expected: number, index: number): boolean =>
    Object.is(ours, expected) ||
    Math.abs(ours - expected) <=
      twin.roundingError(theirs.contributors[index]!, theirs.magnitudes[index]!);
}

function randomRange(random: Random): Range {
  return {
    from: FIRST_SLOT - 200 + random.below(SPAN_SLOTS + 300),
    count: 1 + random.below(random.pick([1, 20, 300, SPAN_SLOTS + 400])),
  };
}

function release(all: readonly Filled[]): void {
  for (const { address } of all) kernel.releaseSeries(address);
}

/** Runs `check` on random ranges of random sets of series until something is wrong. */
function overSets(
  random: Random,
  makeSet: () => Filled[],
  check: (all: readonly Filled[], range: Range) => string,
): string {
  for (let round = 0; round < 60; round++) {
    const all = makeSet();
    for (let i = 0; i < 8; i++) {
      const range = randomRange(random);
      const wrong = check(all, range);
      if (wrong) return `${wrong} of ${range.from}+${range.count}, round ${round}`;
    }
    release(all);
  }
  return '';
}

const slotsOf = (all: readonly Filled[]): Map<number, number>[] => all.map(({ slots }) => slots);

/** Series of any form, with gaps or without. */
function mixedSet(random: Random): Filled[] {
  return Array.from({ length: random.below(9) }, () =>
    fillSeries(kernel, random, {
      value: random.pick(Object.values(blockShapes(random))),
      gaps: random.pick([0, 0, 0.01, 0.2, 0.9]),
    }),
  );
}

t.test(`sums of anything, seed ${seed}`, (t) => {
  const random = new Random(seed);
  const wrong = overSets(
    random,
    () => mixedSet(random),
    (all, range) => {
      const theirs = twin.sumSeries(slotsOf(all), range.from, range.count);
      return difference(run('sumSeries', all, range), theirs, withinRounding(theirs));
    },
  );
  t.equal(wrong, '');
  t.end();
});

t.test(`least and largest, seed ${seed}`, (t) => {
  const random = new Random(seed);
  const wrong = overSets(
    random,
    () => mixedSet(random),
    (all, range) => {
      const slots = slotsOf(all);
      const least = twin.minSeries(slots, range.from, range.count);
      const largest = twin.maxSeries(slots, range.from, range.count);
      return (
        difference(run('minSeries', all, range), least) ||
        difference(run('maxSeries', all, range), largest)
      );
    },
  );
  t.equal(wrong, '');
  t.end();
});

/** Sealed windows without gaps, of decimals with at most `exponent` digits, below `limit`. */
function decimalSet(random: Random, exponent: number, limit: number): Filled[] {
  return Array.from({ length: 1 + random.below(12) }, () => {
    const stagger = random.below(WINDOW_SLOTS);
    // A series of its own may have fewer digits.
    const power = 10 ** random.pick([exponent, exponent, random.below(exponent + 1)]);
    // Zero is added because no decimal is -0.
    const value = (): number => Math.round((random.next() * 2 - 1) * limit * power) / power + 0;
    const windows = random.below(SPAN_SLOTS / WINDOW_SLOTS);
    const shift = (FIRST_SLOT + stagger) % WINDOW_SLOTS;
    const from = FIRST_SLOT - shift + WINDOW_SLOTS * random.below(3);
    const filled = { address: kernel.createSeries(STEP_SEC, 0, 0, stagger, 0), slots: new Map() };
    addSamples(kernel, filled, from, from + windows * WINDOW_SLOTS, value);
    kernel.sealIdleHead(filled.address, 0xffffffff);
    return filled;
  });
}

t.test(`sums of sealed decimals are exact, seed ${seed}`, (t) => {
  const random = new Random(seed);
  // Twelve series stay below the 2^31 / 10^exponent up to which sums are integers.
  const limits = [1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 1e2];
  limits.forEach((limit, exponent) => {
    const wrong = overSets(
      random,
      () => decimalSet(random, exponent, limit),
      (all, { from, count }) => {
        const theirs = twin.sumDecimals(slotsOf(all), from, count, exponent);
        return difference(run('sumSeries', all, { from, count }), theirs);
      },
    );
    t.equal(wrong, '', `${exponent} digits, below ${limit}`);
  });
  t.end();
});

t.test(`sums of decimals at the limit of integers, seed ${seed}`, (t) => {
  const random = new Random(seed);
  const wrong = overSets(
    random,
    () => {
      const exponent = random.below(8);
      const limit = 10 ** (8.5 + random.next() * 1.5 - exponent);
      const head = { value: () => Math.round(random.next() * limit), gaps: 0.1 };
      return [...decimalSet(random, exponent, limit), fillSeries(kernel, random, head)];
    },
    (all, { from, count }) => {
      const theirs = twin.sumSeries(slotsOf(all), from, count);
      return difference(run('sumSeries', all, { from, count }), theirs, withinRounding(theirs));
    },
  );
  t.equal(wrong, '');
  t.end();
});

t.test('one tenth and two tenths are three tenths', (t) => {
  const first = WINDOW_SLOTS * 8;
  /** Two series that hold the pairs, slot by slot; the sum of the first pair. */
  const check = (name: string, pairs: readonly (readonly number[])[]): void => {
    const all = [0, 1].map((which) => {
      const filled = { address: kernel.createSeries(STEP_SEC, 0, 0, 0, 0), slots: new Map() };
      const values = pairs.map((pair) => pair[which]!);
      addSamples(kernel, filled, first, first + pairs.length, () => values.shift()!);
      kernel.sealIdleHead(filled.address, 0xffffffff);
      return filled;
    });
    t.equal(run('sumSeries', all, { from: first, count: 1 }).values[0], 0.3, name);
    release(all);
  };
  const tenths = [0.1, 0.2];
  const others = Array.from({ length: WINDOW_SLOTS - 1 }, (_, index) => [
    ((index * 37) % 100) / 10,
    ((index * 59) % 100) / 10,
  ]);
  check('a whole window', [tenths, ...others]);
  t.end();
});

t.test(`means and factors, seed ${seed}`, (t) => {
  const random = new Random(seed);
  const wrong = overSets(
    random,
    () => mixedSet(random),
    (all, range) => {
      const { values: sums, contributors } = run('sumSeries', all, range);
      const factor = random.pick([1, -1, 0.001, 1e6, random.next()]);
      kernel.divideByCount(OUT, CONTRIBUTORS, range.count);
      const means = [...doubles.subarray(OUT / 8, OUT / 8 + range.count)];
      kernel.scaleValues(OUT, range.count, factor);
      for (let i = 0; i < range.count; i++) {
        const mean = sums[i]! / Math.max(contributors[i]!, 1);
        if (!Object.is(means[i], mean)) return `${means[i]} for mean ${mean}`;
        const scaled = doubles[OUT / 8 + i]!;
        if (!Object.is(scaled, mean * factor)) return `${scaled} for ${mean} times ${factor}`;
      }
      return '';
    },
  );
  t.equal(wrong, '');
  t.end();
});
