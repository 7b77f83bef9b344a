import { createShardMemory, instantiateKernel } from '../../workers/kernel/kernel.js';
import {
  ANSWER_BASE,
  QUERY_SCRATCH_BASE,
  RESAMPLE_AVERAGE,
  RESAMPLE_LTTB,
  RESAMPLE_M4,
  RESAMPLE_MAX,
  RESAMPLE_MINMAX,
  RESAMPLE_MINMAXLTTB,
} from '../../workers/kernel/layout.js';

/**
 * How many elements of a job's query the kernel writes in a second: as many series as the fourth
 * reference query has, four hours each, native and a quarter as many points. The statistics of both
 * must be the same to the letter, or nothing is timed.
 */
const SERIES = 320;
const SLOTS = 720;
const STEP_SEC = 60;
const FIRST_SLOT = 29_924_440;
const SHOWN_SLOTS = 240;
const STRIDE = 4;
const ROUND_MS = 200;
const ROUNDS = 7;
const STATISTICS = QUERY_SCRATCH_BASE;
const MIDDLE = STATISTICS + 64;
const BLOCK_WORK = STATISTICS + 256;
const MIDDLE_TEXT = '"from":1795466400,"to":1795480800,"resolution":240';

const memory = createShardMemory();
const kernel = instantiateKernel(memory);
kernel.initShard(1024);
const bytes = Buffer.from(memory.buffer);
bytes.write(MIDDLE_TEXT, MIDDLE, 'latin1');

let state = 12_345;
/** Reproducible numbers from 0 to 1 (a linear congruential generator is random enough here). */
function next(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
}

/** Series of two decimals, as many blocks and as much of a head as a host's stagger gives them. */
function makeSeries(gaps: number): number[] {
  return Array.from({ length: SERIES }, (_, index) => {
    const series = kernel.createSeries(STEP_SEC, 0, 0, Math.floor(index / 20) * 8, 0);
    const limit = 10 ** (3 + (index % 5));
    for (let slot = FIRST_SLOT; slot < FIRST_SLOT + SLOTS; slot++) {
      const value = Math.floor(next() * limit) / 100;
      if (next() >= gaps) kernel.appendSample(series, slot * STEP_SEC, value);
    }
    return series;
  });
}

const TOLERANCE = 1e-12;

type Write = (series: number, out: number) => number;
const from = FIRST_SLOT + SLOTS - SHOWN_SLOTS;
const native: Write = (series, out) =>
  kernel.formatElement(
    series,
    from,
    SHOWN_SLOTS,
    1,
    STATISTICS,
    MIDDLE,
    MIDDLE_TEXT.length,
    out,
    BLOCK_WORK,
  );
const resampled =
  (algorithm: number): Write =>
  (series, out) =>
    kernel.formatResampled(
      series,
      from,
      SHOWN_SLOTS,
      algorithm,
      STRIDE,
      STATISTICS,
      MIDDLE,
      MIDDLE_TEXT.length,
      out,
      BLOCK_WORK,
    );

function writeAll(all: readonly number[], write: Write): number {
  let at = ANSWER_BASE;
  for (const series of all) at = write(series, at);
  return at;
}

function tailOf(series: number, write: Write): string {
  const text = bytes.toString('latin1', ANSWER_BASE, write(series, ANSWER_BASE));
  return text.slice(text.indexOf(']'));
}

/** All is the same, but for the last digit of a mean: sums may be taken in another order. */
function isSame(text: string, other: string): boolean {
  const numbers = /-?\d+(?:\.\d+)?/g;
  if (text.replace(numbers, '') !== other.replace(numbers, '')) return false;
  const wanted = other.match(numbers) ?? [];
  const got = text.match(numbers) ?? [];
  return got.every((value, i) => {
    const difference = Math.abs(Number(value) - Number(wanted[i]));
    return difference <= TOLERANCE * Math.abs(Number(wanted[i]));
  });
}

const forms = {
  native,
  lttb: resampled(RESAMPLE_LTTB),
  minmaxlttb: resampled(RESAMPLE_MINMAXLTTB),
  minmax: resampled(RESAMPLE_MINMAX),
  m4: resampled(RESAMPLE_M4),
  max: resampled(RESAMPLE_MAX),
  average: resampled(RESAMPLE_AVERAGE),
};

for (const gaps of [0, 0.02]) {
  const all = makeSeries(gaps);
  for (const series of all) {
    for (const [name, write] of Object.entries(forms)) {
      if (!isSame(tailOf(series, write), tailOf(series, native))) {
        throw new Error(`${name}: statistics`);
      }
    }
  }
  // Rounds of all forms in turn: what else the machine does is shared by them.
  const best = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, write] of Object.entries(forms)) {
      const startMs = performance.now();
      let calls = 0;
      while (performance.now() - startMs < ROUND_MS / 4) {
        writeAll(all, write);
        calls++;
      }
      const perSecond = (calls * 1000) / (performance.now() - startMs);
      best.set(name, Math.max(best.get(name) ?? 0, perSecond));
    }
  }
  console.log(`${SERIES} elements, ${gaps * 100} % missing`);
  for (const [name, write] of Object.entries(forms)) {
    const rate = best.get(name)!;
    const ratio = rate / best.get('native')!;
    const kilobytes = (writeAll(all, write) - ANSWER_BASE) / 1000;
    const cells = [
      `${rate.toFixed(0).padStart(7)} queries/s`,
      `${ratio.toFixed(2).padStart(6)} of native`,
      `${((1e6 / rate / SERIES) * 1000).toFixed(0).padStart(6)} ns an element`,
      `${kilobytes.toFixed(0).padStart(5)} KB`,
    ];
    console.log(`${name.padEnd(12)}${cells.join('  ')}`);
  }
}
