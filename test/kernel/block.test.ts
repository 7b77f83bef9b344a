import t from 'tap';
import { createShardMemory, instantiateKernel } from '../../workers/kernel/kernel.js';
import { BLOCK_BYTES_MAX, QUERY_SCRATCH_BASE } from '../../workers/kernel/layout.js';
import { random, seed } from '../helpers/random.js';

const memory = createShardMemory();
const kernel = instantiateKernel(memory);
const doubles = new Float64Array(memory.buffer);
const VALUES = QUERY_SCRATCH_BASE;
const BLOCK = VALUES + 4096;
const DECODED = BLOCK + 4096;
const STATISTICS = DECODED + 4096;

const next = random(seed);
let counter = 0;
/** Shapes of data that users have, and some that nobody has. */
const shapes: Record<string, () => number> = {
  'two decimals': () => Math.round(next() * 9000 + 1000) / 100,
  integers: () => Math.floor(next() * 1e6),
  'large integers': () => Math.floor(next() * 2 ** 50),
  '15 digits': () => Number((next() * 2).toFixed(14)),
  'random bits': () => {
    const view = new DataView(new ArrayBuffer(8));
    view.setUint32(0, next() * 2 ** 32);
    view.setUint32(4, next() * 2 ** 32);
    return Number.isFinite(view.getFloat64(0)) ? view.getFloat64(0) : 1;
  },
  constants: () => 5.5,
  'negative decimals': () => -Math.round(next() * 1e4) / 1000,
  'both zeros': () => (next() < 0.5 ? -0 : 0),
  subnormals: () => next() * 5e-310,
  'decimals and odd ones': () => (next() < 0.03 ? next() : Math.round(next() * 1000) / 100),
  counters: () => (counter += Math.floor(next() * 100) + 1e9),
};

/** Fills VALUES; at least one is there. */
function fill(slots: number, shape: () => number, gaps: number): void {
  for (let i = 0; i < slots; i++) doubles[VALUES / 8 + i] = next() < gaps ? NaN : shape();
  if (gaps > 0) doubles[VALUES / 8 + Math.floor(next() * slots)] = 1.25;
}

for (const [name, shape] of Object.entries(shapes)) {
  t.test(`blocks give back what they were given: ${name}, seed ${seed}`, (t) => {
    let wrong = '';
    for (let round = 0; round < 2000 && !wrong; round++) {
      const slots = 1 + Math.floor(next() * 128);
      fill(slots, shape, round % 3 === 0 ? 0.15 : 0);
      const hint = Math.floor(next() * 6);
      const bytes = kernel.encodeBlock(VALUES, slots, 1000 + round, hint, BLOCK);
      if (bytes > BLOCK_BYTES_MAX || bytes % 16 !== 0) wrong = `${bytes} bytes`;
      if (kernel.blockBytes(BLOCK) !== bytes) wrong = `blockBytes ${kernel.blockBytes(BLOCK)}`;
      const from = Math.floor(next() * slots);
      const until = from + 1 + Math.floor(next() * (slots - from));
      doubles[DECODED / 8 + until - from] = 7;
      kernel.decodeBlockRange(BLOCK, from, until, DECODED);
      for (let i = from; i < until; i++) {
        const given = doubles[VALUES / 8 + i]!;
        const got = doubles[DECODED / 8 + i - from]!;
        if (!Object.is(given, got)) wrong = `slot ${i} of ${slots}: ${given} became ${got}`;
      }
      if (doubles[DECODED / 8 + until - from] !== 7) wrong = 'wrote behind the range';
    }
    t.equal(wrong, '');
    t.end();
  });
}

t.test('a block of two decimals takes two bytes a sample', (t) => {
  fill(128, shapes['two decimals']!, 0);
  t.equal(kernel.encodeBlock(VALUES, 128, 0, 2, BLOCK), 256);
  fill(128, shapes['constants']!, 0);
  t.equal(kernel.encodeBlock(VALUES, 128, 0, 2, BLOCK), 32);
  t.end();
});

t.test('statistics skip what is missing', (t) => {
  doubles.set([NaN, 3, NaN, -1.5], VALUES / 8);
  kernel.statistics(VALUES, 4, STATISTICS);
  t.same([...doubles.subarray(STATISTICS / 8, STATISTICS / 8 + 4)], [2, 1.5, -1.5, 3]);
  kernel.statistics(VALUES, 1, STATISTICS);
  t.same([...doubles.subarray(STATISTICS / 8, STATISTICS / 8 + 4)], [0, 0, NaN, NaN]);
  t.end();
});
