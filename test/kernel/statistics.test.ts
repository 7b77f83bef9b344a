import t from 'tap';
import { createShardMemory, instantiateKernel } from '../../workers/kernel/kernel.js';
import { QUERY_SCRATCH_BASE } from '../../workers/kernel/layout.js';
import { Random, seed } from '../helpers/random.js';
import { blockShapes, fillSeries, FIRST_SLOT, SPAN_SLOTS, type Filled } from './filled-series.js';
import { roundingError, type Slots } from './twins/aggregate.js';
import * as twin from './twins/statistics.js';

const memory = createShardMemory();
const kernel = instantiateKernel(memory);
kernel.initShard(1024);
const doubles = new Float64Array(memory.buffer);
const OUT = QUERY_SCRATCH_BASE;
const WORK = OUT + 65_536;
const VALUES = WORK + 65_536;
/** Bytes of work area that exports/statistics.ts asks for. */
const WORK_BYTES = 2048;
const GUARD = 12345.678;

function randomSeries(random: Random): Filled {
  return fillSeries(kernel, random, {
    value: random.pick(Object.values(blockShapes(random))),
    gaps: random.pick([0, 0, 0.01, 0.2, 0.9, 0.99]),
  });
}

/** Runs `check` on ranges of series until something is wrong. */
function overSeries(check: (filled: Filled, from: number, count: number) => string): string {
  const random = new Random(seed);
  for (let round = 0; round < 300; round++) {
    const filled = randomSeries(random);
    for (let i = 0; i < 20; i++) {
      const from = FIRST_SLOT - 200 + random.below(SPAN_SLOTS + 300);
      const count = random.below(random.pick([2, 20, 300, SPAN_SLOTS + 400]));
      const wrong = check(filled, from, count);
      if (wrong) return `${wrong} of ${from}+${count}, round ${round}`;
    }
    kernel.releaseSeries(filled.address);
  }
  return '';
}

/** Compares the four numbers at OUT; '' if equal. */
function statisticsDifference(slots: Slots, from: number, count: number): string {
  const theirs = twin.statistics(slots, from, count);
  const [samples, sum, min, max] = doubles.subarray(OUT / 8, OUT / 8 + 4);
  if (samples !== theirs.count) return `${samples} samples for ${theirs.count}`;
  const error = Math.abs(sum! - theirs.sum);
  // Sums of integers below 2^53 are exact in any order.
  const isExact = theirs.isWhole && theirs.magnitude <= Number.MAX_SAFE_INTEGER;
  const errorMax = isExact ? 0 : roundingError(theirs.count, theirs.magnitude);
  if (!(error <= errorMax)) return `sum ${sum} for ${theirs.sum}`;
  // Both zeros are equal here: which of them is the least is told to nobody.
  if (!Object.is(min! + 0, theirs.min + 0)) return `min ${min} for ${theirs.min}`;
  if (!Object.is(max! + 0, theirs.max + 0)) return `max ${max} for ${theirs.max}`;
  return '';
}

t.test(`statistics of series, seed ${seed}`, (t) => {
  const wrong = overSeries(({ address, slots }, from, count) => {
    doubles[OUT / 8 + 4] = GUARD;
    doubles[(WORK + WORK_BYTES) / 8] = GUARD;
    kernel.seriesStatistics(address, from, count, OUT, WORK);
    if (doubles[OUT / 8 + 4] !== GUARD) return 'wrote behind the statistics';
    if (doubles[(WORK + WORK_BYTES) / 8] !== GUARD) return 'wrote behind the work area';
    return statisticsDifference(slots, from, count);
  });
  t.equal(wrong, '');
  t.end();
});

t.test(`statistics of values, seed ${seed}`, (t) => {
  const wrong = overSeries(({ slots }, from, count) => {
    const values = Array.from({ length: count }, (_, index) => slots.get(from + index) ?? NaN);
    doubles.set(values, VALUES / 8);
    kernel.statistics(VALUES, count, OUT);
    return statisticsDifference(slots, from, count);
  });
  t.equal(wrong, '');
  t.end();
});
