import {
  PRECISION_AUTO,
  PRECISION_H,
  PRECISION_M,
  PRECISION_MS,
  PRECISION_NS,
  PRECISION_US,
} from '../kernel/layout.js';

const MINUS = 45;
/** Longest timestamp: nanoseconds of an int64. */
const DIGITS_MAX = 19;

/**
 * Seconds of the timestamp in bytes `from` … `until`, NaN if it is no integer. Finer ticks are cut
 * off as digits, so nanoseconds beyond 2^53 stay exact. Without a precision the magnitude decides:
 * below 1e11 seconds, 1e14 milliseconds, 1e17 microseconds, else nanoseconds.
 */
export function parseTime(
  bytes: Uint8Array,
  from: number,
  until: number,
  precision: number,
): number {
  const negative = bytes[from] === MINUS;
  let first = negative ? from + 1 : from;
  if (first === until) return NaN;
  for (let p = first; p < until; p++) {
    if (bytes[p]! < 48 || bytes[p]! > 57) return NaN;
  }
  while (first < until - 1 && bytes[first] === 48) first++;
  const digits = until - first;
  if (digits > DIGITS_MAX) return NaN;
  let seconds = 0;
  const whole = until - fractionDigits(precision, digits);
  for (let p = first; p < whole; p++) seconds = seconds * 10 + bytes[p]! - 48;
  if (precision === PRECISION_M) seconds *= 60;
  else if (precision === PRECISION_H) seconds *= 3600;
  return negative ? -seconds : seconds;
}

/** How many digits at the end are parts of a second. */
function fractionDigits(precision: number, digits: number): number {
  if (precision === PRECISION_AUTO) {
    if (digits <= 11) return 0;
    if (digits <= 14) return 3;
    return digits <= 17 ? 6 : 9;
  }
  if (precision === PRECISION_MS) return 3;
  if (precision === PRECISION_US) return 6;
  return precision === PRECISION_NS ? 9 : 0;
}
