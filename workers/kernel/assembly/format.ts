// Numbers as JSON text, in the shortest form that reads back to the same double: what JavaScript's
// own String() gives.
//
// Fast path: at most twelve decimals and 15 digits in all. Such a decimal is the only one of its
// length that reads back to its double, so its digits, trailing zeros cut, are the answer.
// Slow path: shortest.ts.
//
// Digits are made eight at a time within a register and stored whole, so up to 16 bytes behind the
// returned address may be overwritten.
import { FRACTION_TEXT, WHOLE_TEXT } from './digit-tables';
import { eightDigits, significantBytes, writeDecimal, writeShortest, ZEROS } from './shortest';

const COMMA: u32 = 44;
const MINUS: u32 = 45;
const POINT: u32 = 46;
const OPEN_BRACKET: u32 = 91;
const CLOSE_BRACKET: u32 = 93;
const NULL_TEXT: u32 = 0x6c6c756e;

/** 10^exponent of the scaled integers that have a fast path. */
const INTEGER_POWERS: StaticArray<u64> = [1, 10, 100, 1000, 10000, 100000, 1000000];
const FAST_EXPONENT_MAX: i32 = 6;
/** Integers below 2^53 have all their digits. */
const INTEGER_LIMIT: f64 = 9007199254740992;
/** A double tells decimals of fifteen digits apart. */
const DIGITS_LIMIT: f64 = 1e15;

/** See exports/format.ts. */
export function formatNumber(value: f64, out: u32): u32 {
  return writeNumber(value, out);
}

/** See exports/format.ts. */
export function formatArray(values: u32, count: u32, out: u32): u32 {
  let p = out;
  store<u8>(p, <u8>OPEN_BRACKET);
  const end = values + (count << 3);
  for (let at = values; at < end; at += 8) {
    p = writeNumber(load<f64>(at), p + 1);
    store<u8>(p, <u8>COMMA);
  }
  // The bracket takes the last comma's place.
  if (!count) p++;
  store<u8>(p, <u8>CLOSE_BRACKET);
  return p + 1;
}

// @ts-ignore: decorator
@inline
function writeNumber(value: f64, out: u32): u32 {
  const magnitude = Math.abs(value);
  let p = out;
  store<u8>(p, <u8>MINUS);
  p += <u32>(value < 0);
  if (magnitude < 1e9) {
    const millionths = nearest(magnitude * 1e6);
    if (millionths / 1e6 == magnitude) {
      const whole = <u32>magnitude;
      return writeFixed(whole, <u32>(<u64>millionths - <u64>whole * 1000000), p);
    }
  }
  return writeLarge(value, out);
}

/** Numbers from 10^9 on, those of more than six decimals, and what JSON has no number for. */
function writeLarge(value: f64, out: u32): u32 {
  const magnitude = Math.abs(value);
  if (!(magnitude < Infinity)) {
    store<u32>(out, NULL_TEXT);
    return out + 4;
  }
  store<u8>(out, <u8>MINUS);
  const p = out + <u32>(value < 0);
  if (magnitude < INTEGER_LIMIT && Math.trunc(magnitude) == magnitude) {
    return writeDecimal(<u64>magnitude, 0, p);
  }
  if (magnitude < 1000 && magnitude >= 1e-3) {
    const trillionths = nearest(magnitude * 1e12);
    if (trillionths / 1e12 == magnitude) return writeTrillionths(<u32>magnitude, <u64>trillionths, p);
  }
  const hundredths = nearest(magnitude * 1e2);
  if (hundredths < DIGITS_LIMIT && hundredths / 1e2 == magnitude) {
    return writeDecimal(<u64>hundredths, -2, p);
  }
  return writeShortest(magnitude, p);
}

/** value / 10^12, less than 1000 and with more than six decimals: averages are mostly such. */
function writeTrillionths(whole: u32, value: u64, out: u32): u32 {
  const rest = value - <u64>whole * 1000000000000;
  const high = rest / 10000;
  const text = load<u32>(WHOLE_TEXT + (whole << 2));
  store<u32>(out, text);
  const p = out + (text >> 24);
  const first = eightDigits(<u32>high);
  const second = eightDigits(<u32>(rest - high * 10000) * 10000);
  store<u8>(p, <u8>POINT);
  store<u64>(p, first | ZEROS, 1);
  store<u64>(p, second | ZEROS, 9);
  return p + 1 + (second ? 8 + significantBytes(second) : significantBytes(first));
}

/** `whole`, then a point and the `millionths` if there are any. */
// @ts-ignore: decorator
@inline
function writeFixed(whole: u32, millionths: u32, out: u32): u32 {
  let p = writeWhole(whole, out);
  const digits = eightDigits(millionths * 100);
  const length = significantBytes(digits);
  store<u8>(p, <u8>POINT);
  store<u64>(p + 1, digits | ZEROS);
  return p + length + <u32>(length != 0);
}

// @ts-ignore: decorator
@inline
function writeWhole(value: u32, out: u32): u32 {
  if (value < 1000) {
    const text = load<u32>(WHOLE_TEXT + (value << 2));
    store<u32>(out, text);
    return out + (text >> 24);
  }
  return value < 100000000 ? writeUpToEight(value, out) : writeDecimal(<u64>value, 0, out);
}

/** An integer below 10^8 without leading zeros. */
// @ts-ignore: decorator
@inline
function writeUpToEight(value: u32, out: u32): u32 {
  return writeDigits(eightDigits(value), out);
}

// @ts-ignore: decorator
@inline
function writeDigits(digits: u64, out: u32): u32 {
  // The last digit stays, even if it is 0.
  const leading = ctz(digits | (<u64>1 << 56)) >> 3;
  store<u64>(out, (digits | ZEROS) >> (leading << 3));
  return out + 8 - <u32>leading;
}

/** See exports/format.ts. */
export function formatScaled(scaled: i64, exponent: i32, out: u32): u32 {
  let p = out;
  store<u8>(p, <u8>MINUS);
  p += <u32>(scaled < 0);
  return writeScaled(<u64>(scaled < 0 ? -scaled : scaled), exponent, p);
}

// @ts-ignore: decorator
@inline
function writeScaled(magnitude: u64, exponent: i32, out: u32): u32 {
  // Below 2^32 the whole part fits writeFixed for any exponent.
  if (<u32>exponent <= <u32>FAST_EXPONENT_MAX && magnitude <= 0xffffffff) {
    const power = <u32>unchecked(INTEGER_POWERS[exponent]);
    const whole = <u32>magnitude / power;
    const rest = <u32>magnitude - whole * power;
    return writeFixed(whole, rest * <u32>unchecked(INTEGER_POWERS[FAST_EXPONENT_MAX - exponent]), out);
  }
  return writeDecimal(magnitude, -exponent, out);
}

/** See exports/format.ts. */
export function formatScaledInts(values: u32, count: i32, exponent: i32, out: u32): u32 {
  switch (exponent) {
    case 0:
      return writeInts(values, count, 1, 1000, out);
    case 1:
      return writeInts(values, count, 10, 100, out);
    case 2:
      return writeInts(values, count, 100, 10, out);
    case 3:
      return writeInts(values, count, 1000, 1, out);
  }
  let p = out;
  for (let i = 0; i < count; i++) {
    p = formatScaled(<i64>load<i32>(values + (<u32>i << 2)), exponent, p);
    store<u8>(p++, <u8>COMMA);
  }
  return p;
}

/**
 * The hottest loop of an answer: inlined for each power of ten, so that the divisions become
 * multiplications. Four numbers at a time take the path that the largest of them needs; as
 * neighbours are of a size the branch is predicted, and the paths themselves have none.
 */
// @ts-ignore: decorator
@inline
function writeInts(
  values: u32,
  count: i32,
  power: u32,
  thousandths: u32,
  out: u32,
): u32 {
  const short = i32x4.splat(1000 * power);
  const long = i32x4.splat(100000000);
  const end = values + (<u32>count << 2);
  let p = out;
  let at = values;
  for (; at + 16 <= end; at += 16) {
    const magnitudes = i32x4.abs(v128.load(at));
    if (i32x4.all_true(i32x4.lt_u(magnitudes, short))) {
      p = writeShort(load<i32>(at), power, thousandths, p);
      p = writeShort(load<i32>(at, 4), power, thousandths, p);
      p = writeShort(load<i32>(at, 8), power, thousandths, p);
      p = writeShort(load<i32>(at, 12), power, thousandths, p);
    } else if (i32x4.all_true(i32x4.lt_u(magnitudes, long))) {
      const wholes = divide(magnitudes, power);
      const high = divide(wholes, 10000);
      const low = i32x4.sub(wholes, i32x4.mul(high, i32x4.splat(10000)));
      const first = eightDigitsTwice(v128.shuffle<i32>(high, low, 0, 4, 1, 5));
      const second = eightDigitsTwice(v128.shuffle<i32>(high, low, 2, 6, 3, 7));
      const rests = i32x4.sub(magnitudes, i32x4.mul(wholes, i32x4.splat(power)));
      const fractions = i32x4.mul(rests, i32x4.splat(thousandths));
      p = writeLong(load<i32>(at), i64x2.extract_lane(first, 0), p);
      p = writeFraction(i32x4.extract_lane(fractions, 0), p);
      p = writeLong(load<i32>(at, 4), i64x2.extract_lane(first, 1), p);
      p = writeFraction(i32x4.extract_lane(fractions, 1), p);
      p = writeLong(load<i32>(at, 8), i64x2.extract_lane(second, 0), p);
      p = writeFraction(i32x4.extract_lane(fractions, 2), p);
      p = writeLong(load<i32>(at, 12), i64x2.extract_lane(second, 1), p);
      p = writeFraction(i32x4.extract_lane(fractions, 3), p);
    } else {
      for (let i: u32 = 0; i < 16; i += 4) p = writeAny(load<i32>(at + i), power, thousandths, p);
    }
  }
  for (; at < end; at += 4) p = writeAny(load<i32>(at), power, thousandths, p);
  return p;
}

/** |value| < 1000 * power: two look-ups. */
// @ts-ignore: decorator
@inline
function writeShort(value: i32, power: u32, thousandths: u32, out: u32): u32 {
  const sign = value >> 31;
  const magnitude = <u32>((value ^ sign) - sign);
  const whole = magnitude / power;
  store<u8>(out, <u8>MINUS);
  let p = out - <u32>sign;
  const text = load<u32>(WHOLE_TEXT + (whole << 2));
  store<u32>(p, text);
  p += text >> 24;
  return writeFraction((magnitude - whole * power) * thousandths, p);
}

/** Four integers by a power of ten, all by the same multiplication. */
// @ts-ignore: decorator
@inline
function divide(values: v128, power: u32): v128 {
  if (power == 1) return values;
  // ceil(2^shift / power): exact for any 32 bits (Granlund and Montgomery 1994).
  const shift = power == 10 ? 35 : power == 100 ? 37 : power == 1000 ? 38 : 45;
  const factor = i32x4.splat(
    power == 10 ? 0xcccccccd : power == 100 ? 0x51eb851f : power == 1000 ? 0x10624dd3 : 0xd1b71759,
  );
  const left = i64x2.shr_u(i64x2.extmul_low_i32x4_u(values, factor), shift);
  const right = i64x2.shr_u(i64x2.extmul_high_i32x4_u(values, factor), shift);
  return v128.shuffle<i32>(left, right, 0, 2, 4, 6);
}

/** eightDigits of two numbers, each given as two lanes: its upper and its lower four digits. */
// @ts-ignore: decorator
@inline
function eightDigitsTwice(halves: v128): v128 {
  const hundreds = i32x4.shr_u(i32x4.mul(halves, i32x4.splat(5243)), 19);
  const ones = i32x4.sub(halves, i32x4.mul(hundreds, i32x4.splat(100)));
  const pairs = v128.or(hundreds, i32x4.shl(ones, 16));
  const tens = i16x8.shr_u(i16x8.mul(pairs, i16x8.splat(103)), 10);
  const units = i16x8.sub(pairs, i16x8.mul(tens, i16x8.splat(10)));
  return v128.or(tens, i16x8.shl(units, 8));
}

/** The sign of `value`, then `digits` without leading zeros. */
// @ts-ignore: decorator
@inline
function writeLong(value: i32, digits: u64, out: u32): u32 {
  store<u8>(out, <u8>MINUS);
  return writeDigits(digits, out + (<u32>value >> 31));
}

function writeAny(value: i32, power: u32, thousandths: u32, out: u32): u32 {
  const sign = value >> 31;
  const magnitude = <u32>((value ^ sign) - sign);
  const whole = magnitude / power;
  store<u8>(out, <u8>MINUS);
  const p = writeWhole(whole, out - <u32>sign);
  return writeFraction((magnitude - whole * power) * thousandths, p);
}

/** `.ddd,` without trailing zeros. */
// @ts-ignore: decorator
@inline
function writeFraction(thousandths: u32, out: u32): u32 {
  const text = load<u64>(FRACTION_TEXT + (thousandths << 3));
  store<u64>(out, text);
  return out + <u32>(text >> 56);
}
