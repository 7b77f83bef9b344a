// The shortest decimal form of any double (Schubfach), and any decimal in JavaScript's notation.
import { POWERS, POWERS_FIRST } from './powers';

/** Eight times `0`. */
export const ZEROS: u64 = 0x3030303030303030;
const ZERO: u32 = 48;
const POINT: u32 = 46;
const LETTER_E: u32 = 101;
const PLUS: u32 = 43;
const MINUS: u32 = 45;
/** `0.00000` and a byte that the digits overwrite. */
const SMALL_TEXT: u64 = 0x3030303030302e30;

const DIGITS_MAX: i32 = 17;
/** JavaScript writes 10^21 and more, and less than 10^-6, with an exponent. */
const POINT_MAX: i32 = 21;
const POINT_MIN: i32 = -5;

const SIGNIFICAND_BITS: u64 = 52;
const HIDDEN_BIT: u64 = 1 << 52;
const SIGNIFICAND_MASK: u64 = HIDDEN_BIT - 1;
const EXPONENT_BIAS: i32 = 1075;

/** 10^0 … 10^17. */
const TENS: StaticArray<u64> = [
  1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000,
  100000000000, 1000000000000, 10000000000000, 100000000000000, 1000000000000000,
  10000000000000000, 100000000000000000,
];

/** The eight decimal digits of a number below 10^8, one a byte (0 … 9), the first lowest. */
// @ts-ignore: decorator
@inline
export function eightDigits(value: u32): u64 {
  // Halves, quarters, digits: each step divides all parts at once by a multiplication.
  const high = value / 10000;
  let parts = <u64>high | (<u64>(value - high * 10000) << 32);
  const hundreds = ((parts * 5243) >> 19) & 0x0000007f0000007f;
  parts = hundreds | ((parts - hundreds * 100) << 16);
  const tens = ((parts * 103) >> 10) & 0x000f000f000f000f;
  return tens | ((parts - tens * 10) << 8);
}

/** Digits (see eightDigits) without trailing zeros. */
// @ts-ignore: decorator
@inline
export function significantBytes(digits: u64): u32 {
  return 8 - <u32>(clz(digits) >> 3);
}

/**
 * A finite double above 0. Of the decimals that read back to it, the shortest, and of those the
 * nearest: Raffaello Giulietti, "The Schubfach way to render doubles" (2020), as in Alexander
 * Bolz's Drachennest. The three products of the paper differ by a shift of the power of ten, so
 * one multiplication and two additions give them.
 */
export function writeShortest(value: f64, out: u32): u32 {
  const bits = reinterpret<u64>(value);
  const fraction = bits & SIGNIFICAND_MASK;
  const biased = <i32>(bits >> SIGNIFICAND_BITS);
  const c = biased ? fraction | HIDDEN_BIT : fraction;
  const q = max(biased, 1) - EXPONENT_BIAS;
  // At a power of two the gap to the double below is half of the one above.
  const isUneven = fraction == 0 && biased > 1;
  // floor(log10(2^q)), of 3/4 * 2^q if uneven; then floor(log2(10^-k)).
  const k = (q * 1262611 - (isUneven ? 524031 : 0)) >> 22;
  const h = q + ((-k * 1741647) >> 19) + 1;
  const entry = POWERS + (<u32>(-k - POWERS_FIRST) << 4);
  const high = load<u64>(entry);
  const low = load<u64>(entry, 8);

  // power * 4c * 2^h: middle and top word decide, the bottom one only carries.
  const factor = (c << 2) << h;
  const bottom = low * factor;
  const carried = mulHigh(low, factor);
  const middle = high * factor + carried;
  const top = mulHigh(high, factor) + <u64>(middle < carried);

  const exact = roundToOdd(top, middle);
  const isOdd = c & 1;
  const upper = boundary(top, middle, bottom, high, low, h + 1, 1) - isOdd;
  const lower = boundary(top, middle, bottom, high, low, isUneven ? h : h + 1, -1) + isOdd;

  const s = exact >> 2;
  if (s >= 10) {
    const tenth = s / 10;
    const isDownInside = lower <= 40 * tenth;
    const isUpInside = 40 * tenth + 40 <= upper;
    if (isDownInside != isUpInside) return writeDecimal(tenth + <u64>isUpInside, k + 1, out);
  }
  const isDownInside = lower <= 4 * s;
  const isUpInside = 4 * s + 4 <= upper;
  if (isDownInside != isUpInside) return writeDecimal(s + <u64>isUpInside, k, out);
  const half = 4 * s + 2;
  const isUp = exact > half || (exact == half && (s & 1) != 0);
  return writeDecimal(s + <u64>isUp, k, out);
}

/** The product ± power * 2^shift, rounded: a boundary of the interval that reads back. */
// @ts-ignore: decorator
@inline
function boundary(
  top: u64,
  middle: u64,
  bottom: u64,
  high: u64,
  low: u64,
  shift: i32,
  sign: i32,
): u64 {
  // h is 1 … 4, so shift is 1 … 5.
  const addTop = high >> (64 - shift);
  const addMiddle = (high << shift) | (low >> (64 - shift));
  const addBottom = low << shift;
  if (sign > 0) {
    const carry = <u64>(bottom + addBottom < bottom);
    const sum = middle + addMiddle;
    const sumCarried = sum + carry;
    return roundToOdd(top + addTop + <u64>(sum < middle) + <u64>(sumCarried < sum), sumCarried);
  }
  const borrow = <u64>(bottom < addBottom);
  const difference = middle - addMiddle;
  const differenceBorrowed = difference - borrow;
  return roundToOdd(
    top - addTop - <u64>(middle < addMiddle) - <u64>(difference < borrow),
    differenceBorrowed,
  );
}

/** The last bit remembers that something was cut; 1 is the error of the power of ten. */
// @ts-ignore: decorator
@inline
function roundToOdd(top: u64, middle: u64): u64 {
  return top | <u64>(middle > 1);
}

/** High word of a 64 x 64 bit product, from 32-bit parts. */
// @ts-ignore: decorator
@inline
export function mulHigh(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffffffff;
  const bHigh = b >> 32;
  const cross = aHigh * bLow + ((aLow * bLow) >> 32);
  return aHigh * bHigh + (cross >> 32) + ((aLow * bHigh + (cross & 0xffffffff)) >> 32);
}

/** `integer * 10^exponent` in JavaScript's notation; integer < 10^17. */
export function writeDecimal(integer: u64, exponent: i32, out: u32): u32 {
  if (!integer) {
    store<u8>(out, <u8>ZERO);
    return out + 1;
  }
  // All 17 digits, the first one not 0: 1 + 8 + 8 of them.
  const count = digitCount(integer);
  const full = integer * unchecked(TENS[DIGITS_MAX - count]);
  const head = full / 100000000;
  const first = <u32>(head / 100000000);
  const left = eightDigits(<u32>(head - <u64>first * 100000000));
  const right = eightDigits(<u32>(full - head * 100000000));
  const length = right ? 9 + <i32>significantBytes(right) : 1 + <i32>significantBytes(left);

  // The number is 0.DIGITS * 10^point.
  const point = count + exponent;
  if (point > 0 && point <= POINT_MAX) {
    if (point >= length) {
      writeSeventeen(first, left, right, out);
      store<u32>(out + DIGITS_MAX, <u32>ZEROS);
      return out + point;
    }
    writeSeventeen(first, left, right, out + 1);
    for (let i = 0; i < point; i++) store<u8>(out + i, load<u8>(out + i, 1));
    store<u8>(out + point, <u8>POINT);
    return out + length + 1;
  }
  if (point <= 0 && point >= POINT_MIN) {
    store<u64>(out, SMALL_TEXT);
    const p = out + 2 - point;
    writeSeventeen(first, left, right, p);
    return p + length;
  }
  writeSeventeen(first, left, right, out + 1);
  store<u8>(out, <u8>(ZERO + first));
  store<u8>(out, <u8>POINT, 1);
  return writeExponent(point - 1, out + length + <u32>(length > 1));
}

// @ts-ignore: decorator
@inline
function writeSeventeen(first: u32, left: u64, right: u64, out: u32): void {
  store<u8>(out, <u8>(ZERO + first));
  store<u64>(out, left | ZEROS, 1);
  store<u64>(out, right | ZEROS, 9);
}

function digitCount(integer: u64): i32 {
  // Bits times log10(2), then one more if that power of ten is reached.
  const low = ((64 - <i32>clz(integer)) * 1233) >> 12;
  return low + <i32>(integer >= unchecked(TENS[low]));
}

function writeExponent(exponent: i32, out: u32): u32 {
  store<u8>(out, <u8>LETTER_E);
  store<u8>(out, <u8>(exponent < 0 ? MINUS : PLUS), 1);
  const magnitude = <u32>(exponent < 0 ? -exponent : exponent);
  let p = out + 2;
  if (magnitude >= 100) store<u8>(p++, <u8>(ZERO + magnitude / 100));
  if (magnitude >= 10) store<u8>(p++, <u8>(ZERO + ((magnitude / 10) % 10)));
  store<u8>(p, <u8>(ZERO + (magnitude % 10)));
  return p + 1;
}
