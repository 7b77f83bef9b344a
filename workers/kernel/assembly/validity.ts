// Which values of a column are there, as the bitmap that columnar formats have.

/** See exports/table.ts. */
export function presentBits(values: u32, count: u32, out: u32): u32 {
  const infinity = f64x2.splat(Infinity);
  let present: u32 = 0;
  let bitmap = out;
  let at = values;
  const end = values + (count << 3);
  // Eight values make a byte: the masks of 64 bits each are narrowed until one bit each is left.
  for (; at + 64 <= end; at += 64) {
    const first = f64x2.lt(f64x2.abs(v128.load(at)), infinity);
    const second = f64x2.lt(f64x2.abs(v128.load(at, 16)), infinity);
    const third = f64x2.lt(f64x2.abs(v128.load(at, 32)), infinity);
    const fourth = f64x2.lt(f64x2.abs(v128.load(at, 48)), infinity);
    const low = v128.shuffle<i32>(first, second, 0, 2, 4, 6);
    const high = v128.shuffle<i32>(third, fourth, 0, 2, 4, 6);
    const bits = <u32>i16x8.bitmask(i16x8.narrow_i32x4_s(low, high));
    store<u8>(bitmap++, <u8>bits);
    present += popcnt(bits);
  }
  if (at < end) {
    let bits: u32 = 0;
    for (let bit: u32 = 0; at < end; at += 8, bit++) {
      bits |= <u32>(Math.abs(load<f64>(at)) < Infinity) << bit;
    }
    store<u8>(bitmap, <u8>bits);
    present += popcnt(bits);
  }
  return present;
}
