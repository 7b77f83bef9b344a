const MASK = (1n << 64n) - 1n;
const PRIME_1 = 11400714785074694791n;
const PRIME_2 = 14029467366897019727n;
const PRIME_3 = 1609587929392839161n;
const PRIME_4 = 9650029242287828579n;
const PRIME_5 = 2870177450012600261n;

function rotate(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & MASK;
}

function round(lane: bigint, input: bigint): bigint {
  return (rotate((lane + input * PRIME_2) & MASK, 31n) * PRIME_1) & MASK;
}

/** XXH64 with seed 0, as its specification tells it. */
export function checksum(bytes: Buffer): bigint {
  let at = 0;
  let hash = PRIME_5;
  if (bytes.length >= 32) {
    const lanes = [(PRIME_1 + PRIME_2) & MASK, PRIME_2, 0n, -PRIME_1 & MASK];
    for (; at + 32 <= bytes.length; at += 32) {
      for (let i = 0; i < 4; i++) lanes[i] = round(lanes[i]!, bytes.readBigUInt64LE(at + 8 * i));
    }
    const turns = [1n, 7n, 12n, 18n];
    hash = lanes.reduce((sum, lane, i) => sum + rotate(lane, turns[i]!), 0n) & MASK;
    for (const lane of lanes) hash = ((hash ^ round(0n, lane)) * PRIME_1 + PRIME_4) & MASK;
  }
  hash = (hash + BigInt(bytes.length)) & MASK;
  for (; at + 8 <= bytes.length; at += 8) {
    hash ^= round(0n, bytes.readBigUInt64LE(at));
    hash = (rotate(hash, 27n) * PRIME_1 + PRIME_4) & MASK;
  }
  if (at + 4 <= bytes.length) {
    hash ^= (BigInt(bytes.readUInt32LE(at)) * PRIME_1) & MASK;
    hash = (rotate(hash, 23n) * PRIME_2 + PRIME_3) & MASK;
    at += 4;
  }
  for (; at < bytes.length; at++) {
    hash ^= (BigInt(bytes[at]!) * PRIME_5) & MASK;
    hash = (rotate(hash, 11n) * PRIME_1) & MASK;
  }
  hash = ((hash ^ (hash >> 33n)) * PRIME_2) & MASK;
  hash = ((hash ^ (hash >> 29n)) * PRIME_3) & MASK;
  return hash ^ (hash >> 32n);
}
