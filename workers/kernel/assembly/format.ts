// Numbers as JSON text, in the shortest form that reads back to the same double: what JavaScript's
// own String() gives. Decimals of up to 15 digits are printed here; the rest is asked of the host.
import { formatRare } from './host';

/** 10^0 … 10^9 as integers, to split digits; 10^0 … 10^6 as doubles, to scale. */
const SCALES: StaticArray<f64> = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6];
const INTEGER_SCALES: StaticArray<u64> = [1, 10, 100, 1000, 10000, 100000, 1000000];
const SCALE_MAX: i32 = 6;
/** Integers below 10^15 have one shortest decimal form: their digits. */
const DIGITS_LIMIT: f64 = 1e15;
const ZERO: u32 = 48;
const MINUS: u32 = 45;
const POINT: u32 = 46;
const COMMA: u32 = 44;
const NULL_TEXT: u32 = 0x6c6c756e;

/** The scale that fitted the last number: neighbours mostly have as many decimals. */
let lastScale: i32 = 2;

/** Two decimal digits of 0 … 99, first digit in the low byte. */
// @ts-ignore: decorator
@inline
function twoDigits(value: u32): u32 {
  const tens = (value * 103) >> 10;
  return (ZERO | (ZERO << 8)) + tens + ((value - tens * 10) << 8);
}

function writeDigits(value: u64, out: u32): u32 {
  if (value < 10) {
    store<u8>(out, <u8>(ZERO + <u32>value));
    return out + 1;
  }
  let count: u32 = 1;
  for (let rest = value; rest >= 10; rest /= 10) count++;
  let at = out + count;
  let rest = value;
  while (rest >= 100) {
    at -= 2;
    store<u16>(at, <u16>twoDigits(<u32>(rest % 100)));
    rest /= 100;
  }
  if (rest >= 10) store<u16>(at - 2, <u16>twoDigits(<u32>rest));
  else store<u8>(at - 1, <u8>(ZERO + <u32>rest));
  return out + count;
}

/** `integer / 10^exponent` (exponent <= 6) without trailing zeros. */
// @ts-ignore: decorator
@inline
export function formatScaled(integer: i64, exponent: i32, out: u32): u32 {
  let p = out;
  let magnitude = <u64>integer;
  if (integer < 0) {
    store<u8>(p++, <u8>MINUS);
    magnitude = <u64>-integer;
  }
  if (exponent == 0) return writeDigits(magnitude, p);
  const scale = unchecked(INTEGER_SCALES[exponent]);
  const whole = magnitude / scale;
  let fraction = <u32>(magnitude - whole * scale);
  p = whole < 10 ? writeDigit(<u32>whole, p) : writeDigits(whole, p);
  if (!fraction) return p;
  store<u8>(p, <u8>POINT);
  let digits = exponent;
  while (fraction % 10 == 0) {
    fraction /= 10;
    digits--;
  }
  for (let at = p + digits; at > p; at--) {
    store<u8>(at, <u8>(ZERO + (fraction % 10)));
    fraction /= 10;
  }
  return p + digits + 1;
}

// @ts-ignore: decorator
@inline
function writeDigit(digit: u32, out: u32): u32 {
  store<u8>(out, <u8>(ZERO + digit));
  return out + 1;
}

/** See exports/format.ts. */
export function formatNumber(value: f64, out: u32): u32 {
  if (value != value || Math.abs(value) == Infinity) {
    store<u32>(out, NULL_TEXT);
    return out + 4;
  }
  let scale = lastScale;
  let scaled = nearest(value * unchecked(SCALES[scale]));
  if (scaled / unchecked(SCALES[scale]) == value && Math.abs(scaled) < DIGITS_LIMIT) {
    return formatScaled(<i64>scaled, scale, out);
  }
  for (scale = 0; scale <= SCALE_MAX; scale++) {
    scaled = nearest(value * unchecked(SCALES[scale]));
    if (scaled / unchecked(SCALES[scale]) == value && Math.abs(scaled) < DIGITS_LIMIT) {
      lastScale = scale;
      return formatScaled(<i64>scaled, scale, out);
    }
  }
  return formatRare(value, out);
}

/** See exports/format.ts. */
export function formatArray(values: u32, count: u32, out: u32): u32 {
  let p = out;
  store<u8>(p++, 91);
  for (let i: u32 = 0; i < count; i++) {
    if (i) store<u8>(p++, <u8>COMMA);
    p = formatNumber(load<f64>(values + (i << 3)), p);
  }
  store<u8>(p, 93);
  return p + 1;
}

/** 0 … 999: digits in the low three bytes, their number in the fourth. */
const SMALL_TEXT: StaticArray<u32> = smallTexts();
/** 0 … 99 hundredths: `.dd,` without trailing zeros in the low four bytes, its length in the fifth. */
const HUNDREDTHS_TEXT: StaticArray<u64> = hundredthsTexts();

function smallTexts(): StaticArray<u32> {
  const table = new StaticArray<u32>(1000);
  for (let i = 0; i < 1000; i++) {
    let text: u32 = 0;
    let length: u32 = 0;
    for (let rest = i; length == 0 || rest > 0; rest /= 10) {
      text = (text << 8) | (ZERO + <u32>(rest % 10));
      length++;
    }
    table[i] = text | (length << 24);
  }
  return table;
}

function hundredthsTexts(): StaticArray<u64> {
  const table = new StaticArray<u64>(100);
  for (let i: u32 = 0; i < 100; i++) {
    const tens = (ZERO + i / 10) << 8;
    const ones = (ZERO + (i % 10)) << 16;
    let text: u64 = COMMA;
    let length: u64 = 1;
    if (i % 10 != 0) {
      text = <u64>(POINT | tens | ones | (COMMA << 24));
      length = 4;
    } else if (i != 0) {
      text = <u64>(POINT | tens | (COMMA << 16));
      length = 3;
    }
    table[i] = text | (length << 32);
  }
  return table;
}

/**
 * `a,b,c,` of i32 divided by 10^exponent (at most 6), a comma behind each. The hottest loop of
 * an answer: up to two decimals and 999 before the point a number is two table look-ups.
 */
export function formatScaledInts(values: u32, count: i32, exponent: i32, out: u32): u32 {
  let p = out;
  const factor: u64 = exponent == 0 ? 100 : exponent == 1 ? 10 : 1;
  for (let i = 0; i < count; i++) {
    const value = <i64>load<i32>(values + (i << 2));
    const hundredths = <u64>(value < 0 ? -value : value) * factor;
    if (exponent > 2 || hundredths >= 100000) {
      p = formatScaled(value, exponent, p);
      store<u8>(p++, <u8>COMMA);
      continue;
    }
    store<u8>(p, <u8>MINUS);
    p += <u32>(value < 0);
    const whole = <u32>hundredths / 100;
    const text = unchecked(SMALL_TEXT[whole]);
    store<u32>(p, text);
    p += text >> 24;
    const fraction = unchecked(HUNDREDTHS_TEXT[<u32>hundredths - whole * 100]);
    store<u32>(p, <u32>fraction);
    p += <u32>(fraction >> 32);
  }
  return p;
}
