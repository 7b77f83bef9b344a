/** The seed of this run: `SEED` if set, else a new one. Printed in the titles of random tests. */
export const seed = Number(process.env['SEED']) || Math.floor(Math.random() * 2 ** 31);

/** Reproducible numbers from 0 to 1 (mulberry32). */
export function random(from: number): () => number {
  let state = from >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
