import t from 'tap';
import { FORMAT_SLACK_BYTES, NUMBER_TEXT_BYTES_MAX } from '../../workers/kernel/exports/format.js';
import { ROW_BYTES_MAX } from '../../workers/kernel/exports/table.js';
import { createShardMemory, instantiateKernel } from '../../workers/kernel/kernel.js';
import { ANSWER_BASE, QUERY_SCRATCH_BASE } from '../../workers/kernel/layout.js';
import { Random, seed } from '../helpers/random.js';
import * as twin from './twins/table.js';

const memory = createShardMemory();
const kernel = instantiateKernel(memory);
const doubles = new Float64Array(memory.buffer);
const bytes = Buffer.from(memory.buffer);
const VALUES = QUERY_SCRATCH_BASE;
const PREFIX = QUERY_SCRATCH_BASE + 1_048_576;
const FILL = 0xa7;
const ROUNDS = 3000;

function randomValues(random: Random): number[] {
  const make = random.pick([
    () => random.below(1e6) / 100,
    () => (random.next() - 0.5) * 10 ** (random.below(600) - 300),
    () => random.pick([NaN, Infinity, -Infinity, 0, -0, 1, 5e-324, Number.MAX_VALUE]),
    () => NaN,
  ]);
  return Array.from({ length: random.below(random.pick([2, 20, 200])) }, make);
}

t.test(`rows, seed ${seed}`, (t) => {
  const random = new Random(seed);
  let wrong = '';
  for (let round = 0; round < ROUNDS && !wrong; round++) {
    const values = randomValues(random);
    const prefix = 'x'.repeat(random.below(random.pick([3, 20, 300])));
    const stepSec = random.pick([1, 60, 86_400]);
    const fromSec = random.pick([
      0,
      random.below(2e9),
      1e9 - 60,
      2 ** 32 - 120,
      random.below(2e9) * 1e4,
    ]);
    const expected = twin.formatRows(prefix, values, fromSec, stepSec);
    doubles.set(values, VALUES / 8);
    const out = ANSWER_BASE + random.below(64);
    // The prefix of the first line may lie where it is to be written.
    const at = random.chance(0.5) ? PREFIX + random.below(16) : out;
    bytes.fill(FILL, out, out + expected.length + 256);
    bytes.write(prefix, at, 'latin1');
    const end = kernel.formatRows(at, prefix.length, VALUES, values.length, fromSec, stepSec, out);
    const text = bytes.toString('latin1', out, end);
    if (text !== expected) wrong = `${text} for ${expected}`;
    const rowBytesMax = prefix.length + ROW_BYTES_MAX + NUMBER_TEXT_BYTES_MAX;
    if (end - out > values.length * rowBytesMax) wrong = `${end - out} bytes`;
    if (values.length === 0) continue;
    let last = end + 256;
    while (bytes[last - 1] === FILL) last--;
    if (last > end + FORMAT_SLACK_BYTES) wrong = `${last - end} bytes behind the text`;
  }
  t.equal(wrong, '');
  t.end();
});

t.test(`bits of values that are there, seed ${seed}`, (t) => {
  const random = new Random(seed);
  for (let round = 0; round < ROUNDS; round++) {
    const values = randomValues(random);
    doubles.set(values, VALUES / 8);
    const out = ANSWER_BASE + random.below(64);
    const bitmapBytes = Math.ceil(values.length / 8);
    bytes.fill(FILL, out, out + bitmapBytes + 64);
    const present = kernel.presentBits(VALUES, values.length, out);
    const expected = twin.presentBits(values);
    const bitmap = [...bytes.subarray(out, out + bitmapBytes)];
    if (present === expected.present && bitmap.join() === expected.bitmap.join()) {
      if (bytes.subarray(out + bitmapBytes, out + bitmapBytes + 64).every((b) => b === FILL))
        continue;
    }
    t.fail(`${bitmap.join()} for ${expected.bitmap.join()}`);
    break;
  }
  t.pass('all rounds');
  t.end();
});
