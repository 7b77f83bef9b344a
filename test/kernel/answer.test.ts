import t from 'tap';
import { FORMAT_SLACK_BYTES } from '../../workers/kernel/exports/format.js';
import { createShardMemory, instantiateKernel } from '../../workers/kernel/kernel.js';
import { ANSWER_BASE, QUERY_SCRATCH_BASE } from '../../workers/kernel/layout.js';
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
import { roundingError } from './twins/aggregate.js';
import * as twin from './twins/answer.js';
import { statistics } from './twins/statistics.js';

const memory = createShardMemory();
const kernel = instantiateKernel(memory);
kernel.initShard(1024);
const doubles = new Float64Array(memory.buffer, 0, ANSWER_BASE / 8);
const bytes = Buffer.from(memory.buffer);
const STATISTICS = QUERY_SCRATCH_BASE;
const WORK = STATISTICS + 65_536;
const MIDDLE = WORK + 65_536;
const LIST = MIDDLE + 65_536;
const OUT = ANSWER_BASE;
/** Bytes of work area that exports/answer.ts asks for. */
const WORK_BYTES = 2048;
const GUARD = 12345.678;
const FILL = 1;

/** The text a kernel function writes; what it may not touch is looked at. */
function written(write: () => number): string {
  doubles[(WORK + WORK_BYTES) / 8] = GUARD;
  const end = write();
  const text = bytes.toString('latin1', OUT, end);
  // A second time, over a filled ground.
  bytes.fill(FILL, OUT, end + 256);
  write();
  if (bytes.toString('latin1', OUT, end) !== text) return 'two texts';
  let last = end + 256;
  while (bytes[last - 1] === FILL) last--;
  if (last > end + FORMAT_SLACK_BYTES) return `${last - end} bytes written behind the text`;
  if (doubles[(WORK + WORK_BYTES) / 8] !== GUARD) return 'wrote behind the work area';
  return text;
}

/** Where two texts part, '' if nowhere. */
function textDifference(ours: string, theirs: string): string {
  if (ours === theirs) return '';
  let at = 0;
  while (ours[at] === theirs[at]) at++;
  return `${ours.slice(Math.max(0, at - 30), at + 30)} for ${theirs.slice(Math.max(0, at - 30), at + 30)}`;
}

/** Runs `check` on ranges of series until something is wrong. */
function overSeries(
  check: (filled: Filled, from: number, count: number, random: Random) => string,
): string {
  const random = new Random(seed);
  for (let round = 0; round < 200; round++) {
    const filled = fillSeries(kernel, random, {
      value: random.pick(Object.values(blockShapes(random))),
      gaps: random.pick([0, 0, 0.01, 0.2, 0.9, 0.99]),
    });
    for (let i = 0; i < 15; i++) {
      const from = FIRST_SLOT - 200 + random.below(SPAN_SLOTS + 300);
      // No slots: see the last test.
      const count = 1 + random.below(random.pick([1, 20, 300, SPAN_SLOTS + 400]));
      const wrong = check(filled, from, count, random);
      if (wrong) return `${wrong} of ${from}+${count}, round ${round}`;
    }
    kernel.releaseSeries(filled.address);
  }
  return '';
}

t.test(`text of series, seed ${seed}`, (t) => {
  const wrong = overSeries(({ address, slots }, from, count) => {
    const ours = written(() => kernel.formatSeries(address, from, count, OUT, WORK));
    return textDifference(ours, twin.formatSeries(slots, from, count));
  });
  t.equal(wrong, '');
  t.end();
});

t.test('results of several series have the elements of each', (t) => {
  const random = new Random(seed);
  const series = Object.values(blockShapes(random)).map((value) =>
    fillSeries(kernel, random, { value, gaps: random.pick([0, 0.2, 0.99]) }),
  );
  const [from, count] = [FIRST_SLOT + 50, 700];
  const middle = '"resolution":60';
  bytes.write(middle, MIDDLE, 'latin1');
  /** Of each series: whether it begins a result. */
  const begins = series.map((_, index) => index === 0 || random.chance(0.5));
  series.forEach(({ address }, index) => {
    bytes.writeUInt32LE(address + (begins[index] ? 1 : 0), LIST + index * 4);
  });
  for (const [withData, statistics] of [
    [0, 0],
    [0, STATISTICS],
    [1, 0],
    [1, STATISTICS],
  ] as const) {
    const rest = [from, count, withData, statistics, MIDDLE, middle.length, OUT, WORK] as const;
    const each = series.map(({ address }) => written(() => kernel.formatElement(address, ...rest)));
    for (const elements of [1, 2, series.length]) {
      const ours = written(() => kernel.formatResults(LIST, elements, ...rest));
      const theirs = each.slice(0, elements).map((text, index) => {
        if (!begins[index]) return `,${text}`;
        return index === 0 ? `[${text}` : `],[${text}`;
      });
      t.equal(textDifference(ours, `${theirs.join('')}]`), '', `${elements} elements`);
    }
  }
  t.end();
});

t.test(`text of elements, seed ${seed}`, (t) => {
  const wrong = overSeries(({ address, slots }, from, count, random) => {
    const middle = '"resolution":60'.repeat(random.below(5));
    bytes.write(middle, MIDDLE, 'latin1');
    const withData = random.chance(0.6);
    const withStatistics = random.chance(0.6);
    const ours = written(() =>
      kernel.formatElement(
        address,
        from,
        count,
        withData ? 1 : 0,
        withStatistics ? STATISTICS : 0,
        MIDDLE,
        middle.length,
        OUT,
        WORK,
      ),
    );
    const [samples = 0, sum = 0, min = 0, max = 0] = doubles.subarray(STATISTICS / 8);
    const theirs = twin.formatElement(
      withData ? twin.formatSeries(slots, from, count) : undefined,
      middle,
      withStatistics ? [samples, sum, min, max] : undefined,
    );
    const expected = statistics(slots, from, count);
    if (withStatistics) {
      if (samples !== expected.count) return `${samples} samples for ${expected.count}`;
      const error = Math.abs(sum - expected.sum);
      if (error > roundingError(samples, expected.magnitude)) return `${sum} for ${expected.sum}`;
      if (samples > 0 && (min !== expected.min || max !== expected.max)) return 'extremes';
    }
    return textDifference(ours, theirs);
  });
  t.equal(wrong, '');
  t.end();
});

t.test(`text of statistics, seed ${seed}`, (t) => {
  const random = new Random(seed);
  let wrong = '';
  for (let round = 0; round < 50_000 && !wrong; round++) {
    const count = random.pick([0, 1, 2, 3, 7, 12, 100, 1440]);
    const power = 10 ** random.below(8);
    const number = (): number =>
      random.chance(0.2)
        ? (random.next() - 0.5) * 10 ** (random.below(40) - 20)
        : Math.round((random.next() - 0.5) * 1e9) / power;
    const four = [count, number(), number(), number()] as const;
    doubles.set(count > 0 ? four : [0, 0, NaN, NaN], STATISTICS / 8);
    const ours = written(() => kernel.formatStatistics(STATISTICS, OUT));
    wrong = textDifference(ours, twin.formatStatistics(count > 0 ? four : [0, 0, NaN, NaN]));
  }
  t.equal(wrong, '');
  t.end();
});

t.test('text of no slots', (t) => {
  const check = (name: string, value: (slot: number) => number): void => {
    const filled = { address: kernel.createSeries(STEP_SEC, 0, 0, 0, 0), slots: new Map() };
    let slot = FIRST_SLOT;
    addSamples(kernel, filled, slot, slot + SPAN_SLOTS, () => value(slot++));
    const middle = FIRST_SLOT + SPAN_SLOTS / 2;
    const text = written(() => kernel.formatSeries(filled.address, middle, 0, OUT, WORK));
    t.equal(text, '[]', name);
    kernel.releaseSeries(filled.address);
  };
  check('decimals', (slot) => ((slot * 37) % 100) / 10);
  check('gaps', (slot) => (slot % 3 === 0 ? NaN : 5.5));
  check('constants', () => 5.5);
  t.end();
});
