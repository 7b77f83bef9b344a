// Texts as bytes: their hash, and whether two are the same.

/** Eight bytes a step; the last step overlaps or, below eight bytes, is masked. Reads up to 7 bytes behind. */
// @ts-ignore: decorator
@inline
export function hashBytes(start: u32, bytes: u32): u32 {
  let h: u64 = <u64>bytes * 0x9e3779b97f4a7c15;
  let p = start;
  let left = bytes;
  while (left >= 8) {
    h = (h ^ load<u64>(p)) * 0xff51afd7ed558ccd;
    h ^= h >> 32;
    p += 8;
    left -= 8;
  }
  if (left) {
    const tail = load<u64>(p) & ((<u64>1 << (left << 3)) - 1);
    h = (h ^ tail) * 0xff51afd7ed558ccd;
    h ^= h >> 32;
  }
  return <u32>(h ^ (h >> 29));
}

/** Whether `bytes` bytes are equal, 16 at a time; reads up to 15 bytes behind both. */
// @ts-ignore: decorator
@inline
export function sameBytes(a: u32, b: u32, bytes: u32): bool {
  if (bytes < 16) {
    const differs = ~i8x16.bitmask(i8x16.eq(v128.load(a), v128.load(b)));
    return (differs & ((1 << bytes) - 1)) == 0;
  }
  // Most are the same, so one look at the end; the last 16 overlap those before.
  const last = bytes - 16;
  let differs = v128.xor(v128.load(a + last), v128.load(b + last));
  let i: u32 = 0;
  for (; i + 16 < last; i += 32) {
    differs = v128.or(differs, v128.xor(v128.load(a + i), v128.load(b + i)));
    differs = v128.or(differs, v128.xor(v128.load(a + i + 16), v128.load(b + i + 16)));
  }
  if (i < last) differs = v128.or(differs, v128.xor(v128.load(a + i), v128.load(b + i)));
  return !v128.any_true(differs);
}
