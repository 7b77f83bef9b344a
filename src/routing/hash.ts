/**
 * FNV-1a, 32 bits, over the UTF-8 bytes of `cluster`, a point and `host`: the function behind
 * NATS' `partition()` subject mapping, so that a partitioned stream and the shards agree.
 */
export function hashHost(cluster: string, host: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(`${cluster}.${host}`)) {
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return hash >>> 0;
}
