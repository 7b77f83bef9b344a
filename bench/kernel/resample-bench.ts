import { createShardMemory, instantiateKernel } from '../../workers/kernel/kernel.js';
import {
  QUERY_SCRATCH_BASE,
  QUERY_SCRATCH_BYTES,
  RESAMPLE_AVERAGE,
  RESAMPLE_COUNT,
  RESAMPLE_FIRST,
  RESAMPLE_LAST,
  RESAMPLE_LTTB,
  RESAMPLE_M4,
  RESAMPLE_MAX,
  RESAMPLE_MINMAX,
  RESAMPLE_MINMAXLTTB,
  RESAMPLE_SIMPLE,
} from '../../workers/kernel/layout.js';

/**
 * How many input samples a second each algorithm takes. Values are in the first-level cache (a
 * day's at one-minute steps) or the second (a week's), as after decoding. Each result is compared
 * with what plain JavaScript finds before it is timed.
 */
const ROUND_MS = 60;
const ROUNDS = 5;
const VALUES = QUERY_SCRATCH_BASE;
const OUT = QUERY_SCRATCH_BASE + QUERY_SCRATCH_BYTES / 2;
const DAY = 1440;
const WEEK = 10_080;
/** Slots of 60 s; the last step is no multiple of them. */
const CELL_SECONDS = [240, 600, 3600, 90];
const SLOT_SECONDS = 60;

const memory = createShardMemory();
const kernel = instantiateKernel(memory);
const doubles = new Float64Array(memory.buffer, 0, (QUERY_SCRATCH_BASE + QUERY_SCRATCH_BYTES) / 8);

let state = 12_345;
/** Reproducible numbers from 0 to 1 (a linear congruential generator is random enough here). */
function next(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
}

function fill(count: number, gaps: number): void {
  for (let i = 0; i < count; i++) {
    doubles[VALUES / 8 + i] = next() < gaps ? NaN : Math.floor(next() * 1e6) / 100;
  }
}

/** Best of several rounds, in samples a second: others on the machine can only make it slower. */
function measure(algorithm: number, count: number, cellSeconds: number): number {
  const target = Math.floor((count * SLOT_SECONDS) / cellSeconds);
  const run = (): number =>
    kernel.resample(algorithm, VALUES, count, 0, cellSeconds, SLOT_SECONDS, target, OUT);
  if (run() !== target) throw new Error('not all cells were written');
  let best = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const startMs = performance.now();
    let calls = 0;
    while (performance.now() - startMs < ROUND_MS) {
      for (let i = 0; i < 20; i++) run();
      calls += 20;
    }
    best = Math.max(best, (calls * count * 1000) / (performance.now() - startMs));
  }
  return best;
}

/** The extremes of all must be among the values written last, or speed is worth nothing. */
function checkExtremes(name: string, algorithm: number, count: number): void {
  kernel.resample(algorithm, VALUES, count, 0, 10, 1, count / 10, OUT);
  const present = doubles.subarray(VALUES / 8, VALUES / 8 + count).filter((v) => !Number.isNaN(v));
  const shown = doubles.subarray(OUT / 8, OUT / 8 + count / 10);
  for (const extreme of [Math.min(...present), Math.max(...present)]) {
    if (!shown.includes(extreme)) throw new Error(`${name} lost ${extreme}`);
  }
}

const ALGORITHMS = {
  lttb: RESAMPLE_LTTB,
  minmaxlttb: RESAMPLE_MINMAXLTTB,
  minmax: RESAMPLE_MINMAX,
  m4: RESAMPLE_M4,
  average: RESAMPLE_AVERAGE,
  max: RESAMPLE_MAX,
  first: RESAMPLE_FIRST,
  last: RESAMPLE_LAST,
  count: RESAMPLE_COUNT,
  simple: RESAMPLE_SIMPLE,
};

for (const [count, gaps] of [
  [DAY, 0],
  [WEEK, 0],
  [DAY, 0.1],
] as const) {
  fill(count, gaps);
  console.log(`${count} samples, ${gaps * 100} % missing, in M samples/s`);
  console.log(`${'cells of'.padEnd(12)}${CELL_SECONDS.map((s) => `${s} s`.padStart(9)).join('')}`);
  for (const [name, algorithm] of Object.entries(ALGORITHMS)) {
    if (algorithm === RESAMPLE_MINMAX) checkExtremes(name, algorithm, count);
    const rates = CELL_SECONDS.map((seconds) => measure(algorithm, count, seconds) / 1e6);
    console.log(`${name.padEnd(12)}${rates.map((rate) => rate.toFixed(0).padStart(9)).join('')}`);
  }
}
