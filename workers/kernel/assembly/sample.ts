// What stands behind the prefix of a line: its number and its time. 0 = not as most are, which is left
// to the control plane.
import {
  CONVERSION_ADDEND,
  CONVERSION_DIVISOR,
  CONVERSION_MULTIPLIER,
  CONVERSION_SHIFT,
  NEW_TIME,
  NEW_VALUE,
  PRECISION_AUTO,
  PRECISION_H,
  PRECISION_M,
  PRECISION_MS,
  PRECISION_NS,
  PRECISION_US,
  STATE_BASE,
} from '../layout';
import { POWERS_OF_TEN } from './block-fields';
import { decimalToDouble } from './number';
import { append, noteTime } from './series';

const NEWLINE: u32 = 10;
const RETURN: u32 = 13;
const SPACE: u32 = 32;
const POINT: u32 = 46;
const MINUS: u32 = 45;
const PLUS: u32 = 43;
const LETTER_E: u32 = 101;
const LETTER_I: u32 = 105;
const LETTER_U: u32 = 117;

/** That many digits fit 64 bits. */
const DIGITS_MAX: u32 = 19;
/** Up to it digits and their point are a number that one division rounds correctly. */
const PLAIN_BYTES_MAX: u32 = 16;

let timeMin: u32 = 0;
let timeMax: u32 = 0xffffffff;
/** A space, ten digits and the end of the line. */
const STAMP_BYTES: u32 = 12;
const STAMP_MASK: i32 = (1 << STAMP_BYTES) - 1;
/** Where the last such stamp was read, and what it was: the next line's is mostly the same. */
let stampAt: u32 = 0;
let stampTime: u32 = 0;

/** Samples outside `min` … `max` (Unix seconds) go to the control plane, which says why. */
export function setTimeRange(min: u32, max: u32): void {
  timeMin = min;
  timeMax = max;
}

/** The bytes of a timestamp read before may be others now. */
export function forgetStamp(): void {
  stampAt = 0;
}

function convert(value: f64, conversion: u32): f64 {
  const addend = load<f64>(conversion + CONVERSION_ADDEND);
  let scaled = value * load<f64>(conversion + CONVERSION_MULTIPLIER);
  // Minus zero plus zero would not be minus zero.
  if (addend != 0) scaled += addend;
  return scaled / load<f64>(conversion + CONVERSION_DIVISOR);
}

/**
 * `number[i|u] [timestamp]` and the line's end; returns the next line, 0 = not for the fast path.
 * `conversion` 0 = there is none, which is known where this is inlined, as is `isNew`: there is no series
 * yet, and time and value are left in the state region.
 */
// @ts-ignore: decorator
@inline
export function sampleLine(
  isNew: bool,
  series: u32,
  conversion: u32,
  from: u32,
  end: u32,
  precision: i32,
  nowSec: u32,
): u32 {
  const isNegative = <u32>load<u8>(from) == MINUS;
  const digits = from + <u32>isNegative;
  let p = digits;
  let mantissa: u64 = 0;
  let digit = <u32>load<u8>(p) - 48;
  while (digit < 10) {
    mantissa = mantissa * 10 + digit;
    digit = <u32>load<u8>(++p) - 48;
  }
  let fraction: u32 = 0;
  if (digit + 48 == POINT) {
    const point = p;
    digit = <u32>load<u8>(++p) - 48;
    while (digit < 10) {
      mantissa = mantissa * 10 + digit;
      digit = <u32>load<u8>(++p) - 48;
    }
    fraction = p - point - 1;
    if (!fraction) return 0;
  }
  let value: f64;
  if (!conversion && digit + 48 == SPACE && p - digits - 1 < PLAIN_BYTES_MAX) {
    value = <f64>(<i64>mantissa) / unchecked(POWERS_OF_TEN[fraction]);
  } else {
    p = finishNumber(mantissa, digits, p, fraction, end, isNegative, conversion);
    if (!p) return 0;
    value = finished;
  }
  if (isNegative) value = -value;
  if (conversion) {
    value = convert(value, conversion);
    if (value - value != 0) return 0;
  }
  return stampedSample(isNew, series, value, p, end, precision, nowSec);
}

let finished: f64 = 0;

/**
 * What a number is that is not just a few digits, of which those from `digits` to `p` were read, `fraction` of them
 * behind a point: without its sign and times the power of ten of a conversion it is left in `finished`. Returns the
 * address behind, 0 if it is not for the fast path. Not inlined, so that the loop over others stays small.
 */
function finishNumber(
  mantissa: u64,
  digits: u32,
  from: u32,
  fraction: u32,
  end: u32,
  isNegative: bool,
  conversion: u32,
): u32 {
  let p = from;
  let exponent = -<i32>fraction;
  const digitCount = p - digits - <u32>(fraction != 0);
  const next = <u32>load<u8>(p);
  if (digitCount - 1 >= DIGITS_MAX) {
    // Zeros at the front do not count; without a digit there is no number.
    if (!digitCount || digitCount - leadingZeros(digits) > DIGITS_MAX) return 0;
  }
  if (!fraction && (next == LETTER_I || (next == LETTER_U && !isNegative))) {
    // Integers of more digits may not fit 64 bits, which the control plane checks.
    if (digitCount >= DIGITS_MAX) return 0;
    p++;
  } else if ((next | 32) == LETTER_E) {
    p = readExponent(p + 1, end);
    if (!p) return 0;
    exponent += exponentRead;
  }
  if (conversion) exponent += load<i32>(conversion + CONVERSION_SHIFT);
  finished = decimalToDouble(mantissa, exponent);
  return finished == finished && p <= end ? p : 0;
}

/** How many of the digits from `p` on are zeros in front; a point among them is passed over. */
function leadingZeros(from: u32): u32 {
  let zeros: u32 = 0;
  let p = from;
  let byte = <u32>load<u8>(p);
  while (byte == 48 || byte == POINT) {
    zeros += <u32>(byte == 48);
    byte = <u32>load<u8>(++p);
  }
  return zeros;
}

let exponentRead: i32 = 0;

/** Reads `[+-]digits` to `exponentRead`; returns the address behind, 0 if it is not for the fast path. */
function readExponent(from: u32, end: u32): u32 {
  let p = from;
  const sign = <u32>load<u8>(p);
  if (sign == MINUS || sign == PLUS) p++;
  const digits = p;
  let exponent: i32 = 0;
  let digit = <u32>load<u8>(p) - 48;
  while (digit < 10 && p - digits < 4) {
    exponent = exponent * 10 + digit;
    digit = <u32>load<u8>(++p) - 48;
  }
  if (p == digits || digit < 10 || p > end) return 0;
  exponentRead = sign == MINUS ? -exponent : exponent;
  return p;
}

/** The timestamp part of a line. */
// @ts-ignore: decorator
@inline
function stampedSample(
  isNew: bool,
  series: u32,
  value: f64,
  from: u32,
  end: u32,
  precision: i32,
  nowSec: u32,
): u32 {
  if (stampAt != 0 && from + STAMP_BYTES <= end) {
    const same = i8x16.bitmask(i8x16.eq(v128.load(from), v128.load(stampAt)));
    if ((same & STAMP_MASK) == STAMP_MASK) {
      take(isNew, series, stampTime, value);
      return from + STAMP_BYTES;
    }
  }
  let p = from;
  if (p > end) return 0;
  if (p < end && <u32>load<u8>(p) == SPACE) p++;
  else {
    // No timestamp.
    if (p < end && <u32>load<u8>(p) == RETURN) p++;
    if (p < end && <u32>load<u8>(p) != NEWLINE) return 0;
    if (!isNew) noteTime(nowSec);
    take(isNew, series, nowSec, value);
    return p + 1;
  }
  const stamp = p;
  let ticks: u64 = 0;
  let digit = <u32>load<u8>(p) - 48;
  while (digit < 10) {
    ticks = ticks * 10 + digit;
    digit = <u32>load<u8>(++p) - 48;
  }
  const digitCount = p - stamp;
  if (digitCount - 1 >= 19 || p > end) return 0;
  if (p < end && <u32>load<u8>(p) == RETURN) p++;
  if (p < end && <u32>load<u8>(p) != NEWLINE) return 0;
  const time = toSeconds(ticks, precision);
  if (time < timeMin || time > timeMax) return 0;
  if (!isNew) noteTime(time);
  if (from + STAMP_BYTES == p + 1) {
    stampAt = from;
    stampTime = time;
  }
  take(isNew, series, time, value);
  return p + 1;
}

// @ts-ignore: decorator
@inline
function take(isNew: bool, series: u32, time: u32, value: f64): void {
  if (isNew) {
    store<u32>(STATE_BASE + NEW_TIME, time);
    store<f64>(STATE_BASE + NEW_VALUE, value);
  } else append(series, time, value);
}

/** Ticks of a precision as whole seconds; without one, by magnitude. Too late for 32 bits: 0. */
function toSeconds(ticks: u64, precision: i32): u32 {
  let seconds = ticks;
  if (precision == PRECISION_AUTO) {
    if (ticks >= 100000000000000000) seconds = ticks / 1000000000;
    else if (ticks >= 100000000000000) seconds = ticks / 1000000;
    else if (ticks >= 100000000000) seconds = ticks / 1000;
  } else if (precision == PRECISION_MS) seconds = ticks / 1000;
  else if (precision == PRECISION_US) seconds = ticks / 1000000;
  else if (precision == PRECISION_NS) seconds = ticks / 1000000000;
  // Ticks beyond 32 bits are too late in any case, and would wrap.
  else if (ticks > 0xffffffff) return 0;
  else if (precision == PRECISION_M) seconds = ticks * 60;
  else if (precision == PRECISION_H) seconds = ticks * 3600;
  return seconds > 0xffffffff ? 0 : <u32>seconds;
}
