/**
 * A 32-bit hash of up to four integers, of which the low 32 bits count. Whatever is made up follows
 * from such hashes of seed, host, series and time. They are made of integer operations alone, which
 * every machine and every version of Node does alike; `Math.sin` and its like may differ in the last bit.
 */
export function mix(a: number, b: number, c = 0, d = 0): number {
  let state = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 15) ^ b, 0xc2b2ae35);
  state = Math.imul(state ^ (state >>> 13) ^ c, 0x27d4eb2f);
  state = Math.imul(state ^ (state >>> 16) ^ d, 0x165667b1);
  state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
  return (state ^ (state >>> 13)) >>> 0;
}

/** The next of a chain of random numbers (xorshift32), never 0: the cheapest there is. */
export function nextRandom(state: number): number {
  let next = state ^ (state << 13);
  next ^= next >>> 17;
  return next ^ (next << 5);
}

/** FNV-1a of a text's UTF-16 units. */
export function textHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}

const TWO_TO_32 = 4_294_967_296;

/** A rate from 0 to 1 as the number that a 32-bit hash must stay below. */
export function thresholdOf(rate: number): number {
  return Math.floor(rate * TWO_TO_32);
}

/** An integer from 0 to `count` - 1 of a 32-bit hash. */
export function below(hash: number, count: number): number {
  return Math.floor((hash * count) / TWO_TO_32);
}
