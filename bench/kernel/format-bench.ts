import { createShardMemory, instantiateKernel } from '../../workers/kernel/kernel.js';
import { QUERY_SCRATCH_BASE, QUERY_SCRATCH_BYTES } from '../../workers/kernel/layout.js';

/**
 * How many numbers a second the kernel prints. The text is compared with JavaScript's own before
 * it is timed. The rows are as long as a day's at one-minute steps, so they stay in the cache as in
 * an answer.
 */
const COUNT = 1440;
const ROUND_MS = 100;
const ROUNDS = 7;
const VALUES = QUERY_SCRATCH_BASE;
const OUT = QUERY_SCRATCH_BASE + QUERY_SCRATCH_BYTES / 2;

const memory = createShardMemory();
const kernel = instantiateKernel(memory);
const bytes = Buffer.from(memory.buffer);

let state = 12_345;
/** Reproducible numbers from 0 to 1 (a linear congruential generator is random enough here). */
function next(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
}

/** Best of several rounds, in numbers a second: others on the machine can only make it slower. */
function measure(name: string, expected: string, format: () => number): void {
  const text = bytes.toString('latin1', OUT, format());
  if (text !== expected) throw new Error(`${name}: the text differs from JavaScript's`);
  let best = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const startMs = performance.now();
    let calls = 0;
    while (performance.now() - startMs < ROUND_MS) {
      for (let i = 0; i < 20; i++) format();
      calls += 20;
    }
    best = Math.max(best, (calls * COUNT * 1000) / (performance.now() - startMs));
  }
  console.log(`${name.padEnd(44)}${(best / 1e6).toFixed(1).padStart(7)} M numbers/s`);
}

function measureArray(name: string, make: () => number): void {
  const values = Float64Array.from({ length: COUNT }, make);
  new Float64Array(memory.buffer).set(values, VALUES / 8);
  const expected = JSON.stringify([...values]);
  measure(`formatArray, ${name}`, expected, () => kernel.formatArray(VALUES, COUNT, OUT));
}

function measureInts(limit: number, exponent: number): void {
  const values = Int32Array.from({ length: COUNT }, () => Math.floor((next() * 2 - 1) * limit));
  new Int32Array(memory.buffer).set(values, VALUES / 4);
  const expected = Array.from(values, (value) => `${value / 10 ** exponent},`).join('');
  measure(`formatScaledInts, below ${limit} / 10^${exponent}`, expected, () =>
    kernel.formatScaledInts(VALUES, COUNT, exponent, OUT),
  );
}

measureArray('two decimals below 100', () => Math.floor(next() * 1e4) / 100);
measureArray('two decimals below 10^6', () => Math.floor(next() * 1e8) / 100);
measureArray('integers below 10^6', () => Math.floor(next() * 1e6));
measureArray('17 digits', next);
for (const exponent of [0, 1, 2, 3]) {
  measureInts(10 ** (exponent + 2), exponent);
  measureInts(1e7, exponent);
}
