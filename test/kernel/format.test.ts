import { readFileSync } from 'node:fs';
import t from 'tap';
import { FORMAT_SLACK_BYTES, NUMBER_TEXT_BYTES_MAX } from '../../workers/kernel/exports/format.js';
import { createShardMemory, instantiateKernel } from '../../workers/kernel/kernel.js';
import { QUERY_SCRATCH_BASE, QUERY_SCRATCH_BYTES } from '../../workers/kernel/layout.js';
import { Random, seed } from '../helpers/random.js';
import * as twin from './twins/format.js';

const memory = createShardMemory();
const kernel = instantiateKernel(memory);
const doubles = new Float64Array(memory.buffer);
const integers = new Int32Array(memory.buffer);
const bytes = Buffer.from(memory.buffer);
const VALUES = QUERY_SCRATCH_BASE;
const OUT = QUERY_SCRATCH_BASE + QUERY_SCRATCH_BYTES / 2;
const BLOCK_SERIES = 60;
const SAMPLES = 300_000;

const textUntil = (end: number): string => bytes.toString('latin1', OUT, end);
const formatNumber = (value: number): string => textUntil(kernel.formatNumber(value, OUT));

const view = new DataView(new ArrayBuffer(8));

function fromBits(high: number, low: number): number {
  view.setUint32(0, high);
  view.setUint32(4, low);
  return view.getFloat64(0);
}

/** The doubles next to a positive one. */
function neighbours(value: number): number[] {
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  return [bits - 1n, bits, bits + 1n].map((one) => {
    view.setBigUint64(0, one);
    return view.getFloat64(0);
  });
}

/** Both signs of each value, in one array, against the twin; '' if equal. */
function arrayDifference(values: readonly number[]): string {
  const all = new Float64Array(values.length * 2);
  values.forEach((value, index) => all.set([value, -value], index * 2));
  doubles.set(all, VALUES / 8);
  const end = kernel.formatArray(VALUES, all.length, OUT);
  const ours = textUntil(end).slice(1, -1).split(',');
  const theirs = twin.formatArray(all).slice(1, -1).split(',');
  if (ours.length !== theirs.length) return `${ours.length} numbers of ${theirs.length}`;
  const at = theirs.findIndex((text, index) => ours[index] !== text);
  return at < 0 ? '' : `${ours[at]} for ${theirs[at]}`;
}

t.test('single numbers', (t) => {
  const check = (value: number, expected: string): void => {
    for (let round = 0; round < 2; round++) t.equal(formatNumber(value), expected, expected);
  };
  check(0, '0');
  check(-0, '0');
  check(NaN, 'null');
  check(Infinity, 'null');
  check(-Infinity, 'null');
  check(-1, '-1');
  check(1e21, '1e+21');
  check(1e20, '100000000000000000000');
  check(123456789012345680000, '123456789012345680000');
  check(1e-6, '0.000001');
  check(1e-7, '1e-7');
  check(-1.5e-10, '-1.5e-10');
  check(5e-324, '5e-324');
  check(1.7976931348623157e308, '1.7976931348623157e+308');
  check(2.2250738585072014e-308, '2.2250738585072014e-308');
  check(2 ** 53, '9007199254740992');
  check(0.1 + 0.2, '0.30000000000000004');
  check(123456789012345.6, '123456789012345.6');
  check(999999.99, '999999.99');
  t.end();
});

t.test('powers and limits', (t) => {
  const special: number[] = [];
  for (let e = -1074; e <= 1023; e++) special.push(...neighbours(2 ** e));
  for (let e = -323; e <= 308; e++) special.push(...neighbours(Number(`1e${e}`)));
  for (let e = 0; e <= 22; e++) special.push(10 ** e - 1, 10 ** e + 1, 10 ** e + 0.5);
  special.push(...neighbours(Number.MAX_VALUE).slice(0, 2), ...neighbours(2 ** 53));
  t.equal(arrayDifference(special), '');
  t.equal(arrayDifference([]), '', 'no numbers');
  t.equal(textUntil(kernel.formatArray(VALUES, 0, OUT)), '[]');
  t.end();
});

t.test(`random numbers, seed ${seed}`, (t) => {
  const random = new Random(seed);
  const word = (): number => random.below(2 ** 32);
  const check = (name: string, make: () => number): void => {
    const values = Array.from({ length: SAMPLES }, make);
    t.equal(arrayDifference(values), '', `${SAMPLES} ${name}`);
  };
  check('bit patterns', () => fromBits(word(), word()));
  check('subnormals', () => fromBits(random.below(2 ** 20), word()));
  check('integers', () => Math.floor(random.next() * 2 ** random.below(70)));
  check('decimals', () => {
    const digits = random.below(18);
    return Number((random.next() * 10 ** random.below(10)).toFixed(digits));
  });
  check('significant digits', () =>
    Number((random.next() * 10 ** (random.below(40) - 20)).toPrecision(1 + random.below(17))),
  );
  check('sums of decimals', () => random.below(1000) / 10 + random.below(1000) / 100);
  t.end();
});

t.test(`scaled integers, seed ${seed}`, (t) => {
  const random = new Random(seed);
  let wrong = '';
  for (let i = 0; i < SAMPLES && !wrong; i++) {
    const magnitude = Math.floor(random.next() * 10 ** (1 + random.below(15)));
    const scaled = random.chance(0.5) ? -magnitude : magnitude;
    const exponent = random.below(23);
    const ours = textUntil(kernel.formatScaled(BigInt(scaled), exponent, OUT));
    const theirs = twin.formatScaled(scaled, exponent);
    if (ours !== theirs) wrong = `${ours} for ${theirs}`;
  }
  t.equal(wrong, '');
  const exact = textUntil(kernel.formatScaled(-9007199254740991n, 3, OUT));
  t.equal(exact, '-9007199254740.991', 'sixteen digits stay');
  t.end();
});

t.test(`scaled integers in rows, seed ${seed}`, (t) => {
  const random = new Random(seed);
  for (let exponent = 0; exponent <= 22; exponent++) {
    for (const limit of [10, 1000, 1e5, 1e7, 1e8, 2 ** 31]) {
      const values = Int32Array.from({ length: 2001 }, () => (random.next() * 2 - 1) * limit);
      values.set([0, -1, 2 ** 31 - 1, -(2 ** 31)], limit === 2 ** 31 ? 5 : 2001 - 4);
      integers.set(values, VALUES / 4);
      const end = kernel.formatScaledInts(VALUES, values.length, exponent, OUT);
      const isEqual = textUntil(end) === twin.formatScaledInts(values, exponent);
      t.ok(isEqual, `below ${limit} / 10^${exponent}`);
    }
  }
  t.equal(kernel.formatScaledInts(VALUES, 0, 2, OUT), OUT, 'none');
  t.end();
});

t.test(`no more is overwritten than said, seed ${seed}`, (t) => {
  const random = new Random(seed);
  let slack = 0;
  let longest = 0;
  for (let i = 0; i < 100_000; i++) {
    const value =
      i % 2 === 0
        ? fromBits(random.below(2 ** 32), random.below(2 ** 32))
        : random.below(1e6) / 10 ** random.below(8);
    bytes.fill(1, OUT, OUT + 64);
    const end = kernel.formatNumber(value, OUT);
    longest = Math.max(longest, end - OUT);
    let last = OUT + 64;
    while (bytes[last - 1] === 1) last--;
    slack = Math.max(slack, last - end);
  }
  t.ok(slack <= FORMAT_SLACK_BYTES, `${slack} bytes behind`);
  t.ok(longest <= NUMBER_TEXT_BYTES_MAX, `${longest} bytes`);
  t.end();
});

/** The literals of a table in a source of the kernel. */
function tableOf(file: string, name: string): bigint[] {
  const path = new URL(`../../../workers/kernel/assembly/${file}`, import.meta.url);
  const source = readFileSync(path, 'utf8');
  const from = source.indexOf('[', source.indexOf(`export const ${name}:`));
  const body = source.slice(from + 1, source.indexOf(']', from));
  return body.split(',').flatMap((text) => (text.trim() ? [BigInt(text.trim())] : []));
}

t.test('tables are what they say', (t) => {
  const packed = (text: string, lengthShift: bigint): bigint =>
    [...text].reduce(
      (word, char, index) => word | (BigInt(char.charCodeAt(0)) << BigInt(8 * index)),
      BigInt(text.length) << lengthShift,
    );
  const thousand = Array.from({ length: 1000 }, (_, i) => i);
  const whole = thousand.map((i) => packed(String(i), 24n));
  const fraction = thousand.map((i) => packed(`${String(i / 1000).slice(1)},`, 56n));
  t.same(tableOf('digit-tables.ts', 'WHOLE_TEXT'), whole);
  t.same(tableOf('digit-tables.ts', 'FRACTION_TEXT'), fraction);

  const powers: bigint[] = [];
  for (let k = -292; k <= 324; k++) {
    const numerator = k > 0 ? 10n ** BigInt(k) : 1n;
    const denominator = k < 0 ? 10n ** BigInt(-k) : 1n;
    // The scale that leaves 128 bits, found by trying.
    let scale = 127 - Math.floor(k * Math.log2(10)) + 1;
    let entry: bigint;
    do {
      const up = scale > 0 ? BigInt(scale) : 0n;
      const divisor = denominator << BigInt(scale < 0 ? -scale : 0);
      entry = ((numerator << up) + divisor - 1n) / divisor;
      scale--;
    } while (entry >> 128n);
    powers.push(entry >> 64n, entry & 0xffffffffffffffffn);
  }
  t.same(tableOf('powers.ts', 'POWERS'), powers);
  t.end();
});

t.test(`a series is written as its values are, seed ${seed}`, (t) => {
  const random = new Random(seed);
  kernel.initShard(1024);
  for (const scale of [1, 10, 100, 1000, 1e5]) {
    const series = kernel.createSeries(BLOCK_SERIES, 0, 0, random.below(128), 0);
    const values: (number | null)[] = [];
    for (let slot = 0; slot < 500; slot++) {
      const value = random.chance(0.02)
        ? null
        : Math.round((random.next() - 0.3) * 2000 * scale) / scale;
      values.push(value === 0 ? 0 : value);
      if (value !== null) kernel.appendSample(series, (100_000 + slot) * BLOCK_SERIES, value);
    }
    const end = kernel.formatSeries(series, 100_000, 500, OUT, VALUES);
    t.equal(textUntil(end), JSON.stringify(values), `1/${scale}`);
    kernel.readSeries(series, 100_000, 500, VALUES);
    t.same(
      values.map((value) => value ?? NaN),
      [...doubles.subarray(VALUES / 8, VALUES / 8 + 500)],
    );
  }
  t.end();
});
