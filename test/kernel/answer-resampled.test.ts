import t from 'tap';
import { RESAMPLE_ALGORITHMS } from '../../src/model/query-request.js';
import { RESAMPLE_CODES } from '../../workers/engine/resample.js';
import { FORMAT_SLACK_BYTES } from '../../workers/kernel/exports/format.js';
import { createShardMemory, instantiateKernel } from '../../workers/kernel/kernel.js';
import { ANSWER_BASE, QUERY_SCRATCH_BASE } from '../../workers/kernel/layout.js';
import { Random, seed } from '../helpers/random.js';
import { blockShapes, fillSeries, FIRST_SLOT, SPAN_SLOTS } from './filled-series.js';
import { formatArray } from './twins/format.js';
import { lttb } from './twins/lttb.js';
import { resample } from './twins/resample.js';

const memory = createShardMemory();
const kernel = instantiateKernel(memory);
kernel.initShard(1024);
const doubles = new Float64Array(memory.buffer, 0, ANSWER_BASE / 8);
const bytes = Buffer.from(memory.buffer);
const STATISTICS = QUERY_SCRATCH_BASE;
const MIDDLE = STATISTICS + 64;
const WORK = STATISTICS + 65_536;
const OUT = ANSWER_BASE;
const GUARD = 12345.678;

/** The text a kernel function writes; what it may not touch is looked at. */
function written(workBytes: number, write: () => number): string {
  doubles[(WORK + workBytes) / 8] = GUARD;
  const end = write();
  const text = bytes.toString('latin1', OUT, end);
  bytes.fill(1, OUT, end + 256);
  if (write() !== end || bytes.toString('latin1', OUT, end) !== text) return 'two texts';
  const behind = bytes.subarray(end + FORMAT_SLACK_BYTES, end + 256);
  if (behind.some((byte) => byte !== 1)) return 'wrote far behind the text';
  if (doubles[(WORK + workBytes) / 8] !== GUARD) return 'wrote behind the work area';
  return text;
}

t.test(`elements, seed ${seed}`, async (t) => {
  const random = new Random(seed);
  const middle = '"from":0,"to":0,"resolution":240';
  bytes.write(middle, MIDDLE, 'latin1');
  for (const [name, value] of Object.entries(blockShapes(random))) {
    let wrong = '';
    for (let round = 0; round < 60 && !wrong; round++) {
      const gaps = random.pick([0, 0, 0.01, 0.3, 0.95]);
      const { address, slots } = fillSeries(kernel, random, { value, gaps });
      const from = FIRST_SLOT - 200 + random.below(SPAN_SLOTS + 300);
      const stride = 2 + random.below(random.pick([3, 30]));
      const count = 3 * stride + random.below(random.pick([20, SPAN_SLOTS]));
      const points = Math.floor(count / stride);
      const algorithm = random.pick(RESAMPLE_ALGORITHMS);
      const withStatistics = random.chance(0.7);
      const statistics = withStatistics ? STATISTICS : 0;
      const bytesMiddle = middle.length;
      const ours = written(2048 + (count + 4 + points) * 8, () => {
        const code = RESAMPLE_CODES[algorithm];
        return kernel.formatResampled(
          ...([address, from, count, code, stride, statistics, MIDDLE] as const),
          ...([bytesMiddle, OUT, WORK] as const),
        );
      });
      const native = written(2048, () =>
        kernel.formatElement(
          ...([address, from, count, 0, statistics, MIDDLE, bytesMiddle, OUT, WORK] as const),
        ),
      );
      const values = Array.from({ length: count }, (_, i) => slots.get(from + i) ?? NaN);
      const grid = { offset: 0, num: stride, den: 1, target: points };
      const data = algorithm === 'lttb' ? lttb(values, points) : resample(algorithm, values, grid);
      // Distances and triangles are compared among integers where the series has such: what would tie
      // but for a last digit may be a tie then.
      const ofIntegers = (): number[] => {
        const power = 10 ** kernel.decimalExponent(address);
        const scaled = values.map((each) => Math.round(each * power));
        return resample(algorithm, scaled, grid).map((each) => each / power);
      };
      const textOf = (data: readonly number[]): string =>
        `{"data":${formatArray(Float64Array.from(data))},${native.slice(1)}`;
      const expected = textOf(data);
      if (ours !== expected && (algorithm === 'lttb' || ours !== textOf(ofIntegers()))) {
        wrong = `${algorithm} of ${from}+${count}: ${ours} for ${expected}`;
      }
      kernel.releaseSeries(address);
    }
    t.equal(wrong, '', name);
  }
});

t.test(`decimals, seed ${seed}`, async (t) => {
  const random = new Random(seed);
  let wrong = '';
  for (let round = 0; round < 20_000 && !wrong; round++) {
    const power = 10 ** random.below(5);
    const odd = random.pick([0, 0, 0.05, 0.5]);
    const values = Float64Array.from({ length: random.below(70) }, () => {
      if (random.chance(odd)) return random.pick([NaN, random.next(), 1e300, -0, Infinity]);
      return Math.round((random.next() - 0.5) * 10 ** (1 + random.below(9))) / power;
    });
    const exponent = random.below(8);
    doubles.set(values, QUERY_SCRATCH_BASE / 8);
    const ours = written(64, () =>
      kernel.formatDecimals(QUERY_SCRATCH_BASE, values.length, exponent, OUT, WORK),
    );
    if (ours !== formatArray(values)) wrong = `${ours} for ${formatArray(values)}`;
  }
  t.equal(wrong, '');
});
