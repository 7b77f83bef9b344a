import t from 'tap';
import { createShardMemory, instantiateKernel } from '../../workers/kernel/kernel.js';
import {
  ARENA_BASE,
  INGEST_DONE,
  INGEST_LINE,
  INGEST_LINES,
  INGEST_SLOW_LINE,
  INGEST_WRITTEN,
  PRECISION_AUTO,
  PRECISION_H,
  PRECISION_M,
  PRECISION_MS,
  PRECISION_NS,
  PRECISION_S,
  PRECISION_US,
  PREFIX_KIND_SERIES,
  QUERY_SCRATCH_BASE,
  STATE_BASE,
} from '../../workers/kernel/layout.js';
import { Random, seed } from '../helpers/random.js';
import { isPlain, readRest, type Reading } from './twins/ingest.js';

const memory = createShardMemory();
const kernel = instantiateKernel(memory);
const bytes = Buffer.from(memory.buffer);
const state = new Uint32Array(memory.buffer, STATE_BASE, 64);
const doubles = new Float64Array(memory.buffer, QUERY_SCRATCH_BASE, 16);
const BODY = ARENA_BASE + 4096;
const CONTEXT = 1;
const MIN_SEC = 100_000;
const MAX_SEC = 4_000_000_000;
const NOW_SEC = 1_700_000_123;
const PRECISIONS = [
  PRECISION_AUTO,
  PRECISION_S,
  PRECISION_MS,
  PRECISION_US,
  PRECISION_NS,
  PRECISION_M,
  PRECISION_H,
];
/** Lines of a body; each has a series of its own, so that what each did can be seen. */
const LINES_MAX = 16;

kernel.initShard(1024);
kernel.setTimeRange(MIN_SEC, MAX_SEC);

interface Bound {
  readonly prefix: string;
  readonly series: number;
}

// With a step of one second a slot is a time.
const bound: readonly Bound[] = Array.from({ length: LINES_MAX }, (_, index) => {
  const prefix = `metric${index},hostname=h${index} value=`;
  const series = kernel.createSeries(1, 0, 0, index, 0);
  bytes.write(prefix, BODY, 'latin1');
  kernel.bindPrefix(BODY, prefix.length, 0, PREFIX_KIND_SERIES, series);
  return { prefix, series };
});

/** What a line did: a sample taken at the time expected, or left to the control plane. */
function sampleAt(series: number, timeSec: number): number {
  kernel.readSeries(series, timeSec, 1, QUERY_SCRATCH_BASE);
  return doubles[0]!;
}

/**
 * Ingests one line for each rest and compares. A line that is left to the control plane is passed
 * over, as if that had dealt with it.
 */
function difference(rests: readonly string[], reading: Reading, behind: string): string {
  const lines = rests.map((rest, index) => `${bound[index]!.prefix}${rest}`);
  const body = lines.join('\n');
  const end = BODY + bytes.write(body, BODY, 'latin1');
  bytes.fill(behind, end, end + 64, 'latin1');
  let line = BODY;
  for (let index = 0; line < end;) {
    const status = kernel.ingest(line, end, CONTEXT, reading.precision, reading.nowSec);
    const passed = state[INGEST_LINES / 4]!;
    if (state[INGEST_WRITTEN / 4] !== passed) return `${passed} lines, not all written`;
    const last = index + passed;
    for (; index < last; index++) {
      const wrong = takenDifference(index, rests[index]!, reading);
      if (wrong) return wrong;
    }
    if (status === INGEST_DONE) break;
    if (status !== INGEST_SLOW_LINE) return `status ${status}`;
    const start = state[INGEST_LINE / 4]!;
    const before = lines.slice(0, index).join('\n').length + (index > 0 ? 1 : 0);
    if (start !== BODY + before) return `stopped at ${start - BODY}, not at ${before}`;
    const rest = rests[index]!;
    // Where no newline ends the body, what lies behind may make the last line look odd.
    const isWhole = index < rests.length - 1 || behind === '\n';
    if (isWhole && isPlain(rest) && readRest(rest, reading)) return `left ${JSON.stringify(rest)}`;
    line = start + lines[index]!.length + 1;
    index++;
  }
  return '';
}

function takenDifference(index: number, rest: string, reading: Reading): string {
  const { series } = bound[index]!;
  const expected = readRest(rest, reading);
  const text = `${JSON.stringify(rest)} of precision ${reading.precision}`;
  if (!expected) return `took ${text}`;
  const value = sampleAt(series, expected.timeSec);
  kernel.freeBefore(series, 0xffffffff);
  return Object.is(value, expected.value) ? '' : `${value} at ${expected.timeSec} for ${text}`;
}

function randomNumber(random: Random): string {
  const digits = (count: number): string =>
    Array.from({ length: count }, () => random.below(10)).join('');
  const sign = random.pick(['', '', '-', '-', '+']);
  const some = (): string => digits(random.below(random.pick([3, 8, 16, 18, 25])));
  const forms: (() => string)[] = [
    () => `${sign}${digits(1 + random.below(18))}`,
    () => `${sign}${some()}.${some()}`,
    () => `${sign}${digits(1 + random.below(4))}.${digits(1 + random.below(11))}`,
    () => `${sign}${digits(1 + random.below(19))}${random.pick(['i', 'u', 'ii', 'I', 'U'])}`,
    () => `${sign}${some()}${random.pick(['e', 'E'])}${random.pick(['', '-', '+'])}${digits(2)}`,
    () => `${sign}0.${'0'.repeat(random.below(20))}${digits(3)}`,
    () => String((random.next() - 0.5) * 10 ** (random.below(40) - 20)),
    () => String(random.below(1e6) / 1000),
    () => random.pick(['-0', '0', '00', '-0.0', '.', '-', '', 'NaN', 'inf', '1e999', 't', '""']),
  ];
  return random.pick(forms)();
}

function randomStamp(random: Random): string {
  const sec = BigInt(MIN_SEC + random.below(MAX_SEC - MIN_SEC));
  const within = BigInt(random.below(1e9));
  const forms: (() => string)[] = [
    () => `${sec}`,
    () => `${sec * 1000n + within / 1_000_000n}`,
    () => `${sec * 1_000_000n + within / 1000n}`,
    () => `${sec * 1_000_000_000n + within}`,
    () => `${sec / 60n}`,
    () => `${sec / 3600n}`,
    () => `-${sec}`,
    () => `${'0'.repeat(random.below(4))}${sec}`,
    () => `${random.pick([MIN_SEC - 1, MIN_SEC, MAX_SEC, MAX_SEC + 1, 2 ** 32, 0])}`,
    () => `${10n ** BigInt(random.below(22)) - BigInt(random.below(2))}`,
    () => Array.from({ length: 1 + random.below(21) }, () => random.below(10)).join(''),
    () => random.pick(['', '-', 'x', '1.5', '1e9', '+1']),
  ];
  return random.pick(forms)();
}

/** What follows `value=` on a line: mostly well formed. */
function randomRest(random: Random, stamp: string): string {
  const separator = random.pick([' ', ' ', ' ', ' ', '  ', '\t', '']);
  const ending = random.pick(['', '', '', '\r', ' ', '\r\r']);
  const rest = random.chance(0.1)
    ? randomNumber(random) + ending
    : randomNumber(random) + separator + stamp + ending;
  if (!random.chance(0.1)) return rest;
  const at = random.below(rest.length + 1);
  const odd = random.pick([...'0123456789.eE+-iunaf \t\r",=\\#']);
  return rest.slice(0, at) + odd + rest.slice(at + random.below(2));
}

t.test(`numbers and timestamps, seed ${seed}`, (t) => {
  const random = new Random(seed);
  let wrong = '';
  for (let round = 0; round < 20_000 && !wrong; round++) {
    const reading = {
      precision: random.pick(PRECISIONS),
      nowSec: NOW_SEC + random.below(1000),
      minSec: MIN_SEC,
      maxSec: MAX_SEC,
    };
    const usual = randomStamp(random);
    const rests = Array.from({ length: 1 + random.below(LINES_MAX) }, () =>
      randomRest(random, random.chance(0.7) ? usual : randomStamp(random)),
    );
    // What lies behind the body may look as if it went on.
    if (random.chance(0.7)) rests.push('');
    const hostile = random.pick(['0', '5\n', '.5\n', ' ', 'i\n', '\n', '"', ' 1700000000\n', '\0']);
    wrong = difference(rests.slice(0, LINES_MAX), reading, hostile);
    if (wrong) wrong += `, round ${round}`;
  }
  t.equal(wrong, '');
  t.end();
});

t.test('timestamps that no 64 bits hold', (t) => {
  const check = (stamp: bigint, precision: number, name: string): void => {
    const reading = { precision, nowSec: NOW_SEC, minSec: MIN_SEC, maxSec: MAX_SEC };
    for (let round = 0; round < 2; round++) {
      t.equal(difference([`1 ${stamp}`, ''], reading, '\n'), '', name);
    }
  };
  /** The ticks whose product with `factor` is `sec` and some multiple of 2^64. */
  const wrapping = (sec: bigint, factor: bigint): bigint => {
    for (let ticks = 1n; ; ticks++) {
      const product = (ticks << 64n) + sec;
      if (product % factor === 0n) return product / factor;
    }
  };
  check(wrapping(1n << 40n, 60n), PRECISION_M, 'far too late, in minutes');
  check(wrapping(1n << 40n, 3600n), PRECISION_H, 'far too late, in hours');
  check(9_999_999_999_999_999_999n, PRECISION_NS, 'the largest of 19 digits');
  check(wrapping(1_700_000_160n, 60n), PRECISION_M, 'minutes that wrap to today');
  check(wrapping(1_700_000_640n, 3600n), PRECISION_H, 'hours that wrap to today');
  t.end();
});
