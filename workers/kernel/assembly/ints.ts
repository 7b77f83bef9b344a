// Short decimals as 32-bit integers times a power of ten: most metrics are, and integers are
// printed, added and compared without ever becoming doubles.
import {
  BLOCK_MAX,
  BLOCK_MIN,
  CODEC_FOR32,
  SCRATCH_BASE,
  WINDOW_SLOTS,
  WORD_BITMAP,
} from '../layout';
import {
  blockBase,
  blockPayload,
  POWERS_OF_TEN,
  wordBits,
  wordCodec,
  wordExceptions,
  wordExponent,
  wordSlots,
} from './block-fields';
import { unpackNarrow } from './pack';
import { unpackRows } from './rows';

/** Integers are kept up to it, so that differences of two fit 32 bits as well. */
const INTS_BOUND: f64 = 1073741823;
/** Larger exponents are rare, and leave few integers below the bound. */
export const INTS_EXPONENT_MAX: i32 = 6;
/** Work area of four Float64. */
const LAST_VALUES: u32 = SCRATCH_BASE + 5888;

/**
 * Writes `count` Float64 times 10^exponent as i32 to `out`, which has room for a multiple of four;
 * false, with `out` undefined, if one of them is missing, too large, or would not read back bit for
 * bit.
 */
export function scaleToInts(values: u32, count: u32, exponent: i32, out: u32): bool {
  if (exponent > INTS_EXPONENT_MAX) return false;
  const power = f64x2.splat(unchecked(POWERS_OF_TEN[exponent]));
  const end = values + ((count & ~3) << 3);
  let to = out;
  for (let at = values; at < end; at += 32) {
    if (!scaleFour(v128.load(at), v128.load(at, 16), power, to)) return false;
    to += 16;
  }
  if (!(count & 3)) return true;
  for (let i: u32 = 0; i < 4; i++) {
    store<f64>(LAST_VALUES + (i << 3), load<f64>(end + (min(i, (count & 3) - 1) << 3)));
  }
  return scaleFour(v128.load(LAST_VALUES), v128.load(LAST_VALUES, 16), power, to);
}

// @ts-ignore: decorator
@inline
function scaleFour(first: v128, second: v128, power: v128, out: u32): bool {
  const zero = f64x2.splat(0);
  const bound = f64x2.splat(INTS_BOUND);
  // Adding zero makes -0 a zero, which differs from it in its sign bit: -0 is not exact.
  const low = f64x2.add(f64x2.nearest(f64x2.mul(first, power)), zero);
  const high = f64x2.add(f64x2.nearest(f64x2.mul(second, power)), zero);
  const lanes = v128.shuffle<i32>(
    i32x4.trunc_sat_f64x2_s_zero(low),
    i32x4.trunc_sat_f64x2_s_zero(high),
    0,
    1,
    4,
    5,
  );
  v128.store(out, lanes);
  const isSame = v128.and(
    i64x2.eq(f64x2.div(low, power), first),
    i64x2.eq(f64x2.div(high, power), second),
  );
  // What is missing may equal itself, but is below no bound.
  const isSmall = v128.and(f64x2.le(f64x2.abs(low), bound), f64x2.le(f64x2.abs(high), bound));
  return i64x2.all_true(v128.and(isSame, isSmall));
}

/** The same for values that are known to be such integers divided by 10^exponent: nothing is looked at. */
export function unscaleInts(values: u32, count: u32, exponent: i32, out: u32): void {
  const power = f64x2.splat(unchecked(POWERS_OF_TEN[exponent]));
  for (let i: u32 = 0; i < count; i += 2) {
    const scaled = f64x2.nearest(f64x2.mul(v128.load(values + (i << 3)), power));
    v128.store64_lane(out + (i << 2), i32x4.trunc_sat_f64x2_s_zero(scaled), 0);
  }
}

/** Whether a block holds such integers, without gaps. */
export function hasInts(block: u32, word: u32): bool {
  if (wordCodec(word) != CODEC_FOR32 || word & WORD_BITMAP || wordExceptions(word)) return false;
  const exponent = wordExponent(word);
  if (exponent > INTS_EXPONENT_MAX) return false;
  const reach = max(Math.abs(load<f64>(block + BLOCK_MIN)), Math.abs(load<f64>(block + BLOCK_MAX)));
  return reach * unchecked(POWERS_OF_TEN[exponent]) <= INTS_BOUND;
}

/** So many rows of a part cost what all rows of a block do. */
const PART_ROWS_MAX: i32 = 12;

/**
 * Integers of slots `from` … `until` of a block that has them; returns the address of the first.
 * At most 512 bytes are written to `out`: whole rows of four, or all of the block.
 */
// @ts-ignore: decorator
@inline
export function unpackInts(block: u32, word: u32, from: i32, until: i32, out: u32): u32 {
  const base = <i32>blockBase(block, word);
  const packed = blockPayload(block, word);
  const row = from >> 2;
  const end = (until + 3) >> 2;
  if (end - row > PART_ROWS_MAX && wordSlots(word) > WINDOW_SLOTS - 4) {
    unpackRows(packed, wordBits(word), base, out);
    return out + (<u32>from << 2);
  }
  unpackNarrow(packed, row, end, wordBits(word), base, out);
  return out + (<u32>(from & 3) << 2);
}
