import { random, seed } from './random.js';

const next = random(seed);
let counter = 0;

/** Shapes of data that users have, and some that nobody has; each gives the next value. */
export const BLOCK_SHAPES: Record<string, () => number> = {
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
