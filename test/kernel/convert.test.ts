import t from 'tap';
import { conversion, convertValue, type Conversion } from '../../src/units/conversion.js';
import { parseUnit } from '../../src/units/unit.js';
import { createShardMemory, instantiateKernel } from '../../workers/kernel/kernel.js';
import { QUERY_SCRATCH_BASE } from '../../workers/kernel/layout.js';
import { Random, seed } from '../helpers/random.js';

const memory = createShardMemory();
const kernel = instantiateKernel(memory);
const slots = new Float64Array(memory.buffer, QUERY_SCRATCH_BASE, 1024);
const GUARD = 12_345.678;

function by(source: string, target: string): Conversion {
  return conversion(parseUnit(source)!, parseUnit(target)!)!;
}

function convert(values: readonly number[], conversionBy: Conversion): number[] {
  slots.fill(GUARD);
  slots.set(values, 1);
  const { shift, multiplier, addend, divisor } = conversionBy;
  kernel.convertValues(QUERY_SCRATCH_BASE + 8, values.length, shift, multiplier, addend, divisor);
  const isBeyond = slots[0] !== GUARD || slots[values.length + 1] !== GUARD;
  if (isBeyond) t.fail(`${values.length} values: something was written beyond them`);
  return [...slots.subarray(1, values.length + 1)];
}

t.test('values and gaps', async (t) => {
  const check = (values: number[], source: string, target: string, wanted: number[]): void => {
    t.strictSame(convert(values, by(source, target)), wanted, `${source} in ${target}`);
  };
  check([], 'GB', 'MB', []);
  check([1.001], 'GB', 'MB', [1001]);
  check([1234.56, NaN, -0.07], 'MB/s', 'GB/s', [1.23456, NaN, -0.00007]);
  check([0, -0, NaN, 1], 'W', 'KW', [0, -0, NaN, 0.001]);
  check([-40, 0, 37.5, 100], 'degC', 'degF', [-40, 32, 99.5, 212]);
  check([1, 2, 3], 'GiB', 'MiB', [1024, 2048, 3072]);
  check([1e300, 1], 'YB', 'B', [NaN, 1e24]);
  check([-1e308, 1], 'B', 'bit', [NaN, 8]);
  check([1], 'YB', 'nB', [1e33]);
});

t.test(`short decimals are the twin's to the bit, seed ${seed}`, async (t) => {
  const random = new Random(seed);
  const units = ['nJ', 'uJ', 'mJ', 'J', 'KJ', 'MJ', 'GJ', 'Wh', 'KWh'];
  let wrong = '';
  for (let round = 0; round < 5000 && !wrong; round++) {
    const [source, target] = [random.pick(units), random.pick(units)];
    const conversionBy = by(source, target);
    if (Math.abs(conversionBy.shift) > 9) continue;
    const values = Array.from({ length: random.below(9) }, () =>
      Number(`${random.below(10 ** (1 + random.below(7))) * random.pick([1, -1])}e-2`),
    );
    const wanted = values.map((value) => convertValue(conversionBy, value));
    const got = convert(values, conversionBy);
    const at = got.findIndex((value, index) => !Object.is(value, wanted[index]));
    if (at >= 0) wrong = `${values[at]} ${source} in ${target}: ${got[at]} for ${wanted[at]}`;
  }
  t.equal(wrong, '');
});

t.test(`any others are as near as doubles can be, seed ${seed}`, async (t) => {
  const random = new Random(seed);
  const units = ['nB', 'B', 'KB', 'MiB', 'GB', 'bit', 'Gbit', 'YB'];
  let worst = 0;
  for (let round = 0; round < 2000; round++) {
    const conversionBy = by(random.pick(units), random.pick(units));
    const values = Array.from({ length: 7 }, () => (random.next() - 0.5) * 10 ** random.below(20));
    convert(values, conversionBy).forEach((value, index) => {
      const wanted = convertValue(conversionBy, values[index]!);
      worst = Math.max(worst, Math.abs(value - wanted) / Math.abs(wanted));
    });
  }
  t.ok(worst < 1e-15, `${worst}`);
});
