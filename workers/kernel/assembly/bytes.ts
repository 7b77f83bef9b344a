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
  let i: u32 = 0;
  while (i + 16 <= bytes) {
    if (v128.any_true(v128.xor(v128.load(a + i), v128.load(b + i)))) return false;
    i += 16;
  }
  const left = bytes - i;
  if (!left) return true;
  const differs = ~i8x16.bitmask(i8x16.eq(v128.load(a + i), v128.load(b + i)));
  return (differs & ((1 << left) - 1)) == 0;
}
