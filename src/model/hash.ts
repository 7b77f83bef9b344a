/** What a hash begins with, and a step of it. */
export const HASH_START = 0x811c9dc5;

export function hashByte(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193);
}

/**
 * FNV-1a, 32 bits, over the UTF-8 bytes of `cluster`, a point and `host`: the function behind
 * NATS' `partition()` subject mapping, so that a partitioned stream and the shards agree.
 */
export function hashHost(cluster: string, host: string): number {
  let hash = HASH_START;
  for (const byte of Buffer.from(`${cluster}.${host}`)) hash = hashByte(hash, byte);
  return hash >>> 0;
}
