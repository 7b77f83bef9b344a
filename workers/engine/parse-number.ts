import { shiftedNumber } from '../../src/units/conversion.js';

/** Powers of ten that are exact as Float64, so that one division rounds correctly. */
const POWERS = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
/** Up to this many digits a mantissa is exact. */
const EXACT_DIGITS = 15;
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const INTEGER = /^[+-]?\d+$/;
const NOT_FINITE = /^[+-]?(nan|inf|infinity)$/i;

const MINUS = 45;
const POINT = 46;
const SMALL_I = 105;
const SMALL_U = 117;

/**
 * The number in bytes `from` … `until`: Go's decimal forms, or an integer with suffix `i` or `u`.
 * NaN if it is no number, ±Infinity if it is not finite or too large. With a `shift` its decimal
 * point is so many digits further to the right.
 */
export function parseNumber(bytes: Uint8Array, from: number, until: number, shift = 0): number {
  if (shift !== 0) return parseSlowly(bytes, from, until, shift);
  // Fast path: at most 15 digits, no exponent.
  const negative = bytes[from] === MINUS;
  let p = negative ? from + 1 : from;
  const digits = p;
  let mantissa = 0;
  let point = -1;
  for (; p < until; p++) {
    const digit = bytes[p]! - 48;
    if (digit >= 0 && digit <= 9) mantissa = mantissa * 10 + digit;
    else if (bytes[p] === POINT && point < 0) point = p;
    else break;
  }
  const count = p - digits - (point < 0 ? 0 : 1);
  if (p < until || count === 0 || count > EXACT_DIGITS) return parseSlowly(bytes, from, until, 0);
  const value = point < 0 ? mantissa : mantissa / POWERS[p - point - 1]!;
  return negative ? -value : value;
}

/** Slow path: exponents, suffixes, many digits, shifts, and all that is wrong. */
function parseSlowly(bytes: Uint8Array, from: number, until: number, shift: number): number {
  if (until - from > 400) return NaN;
  let text = '';
  for (let p = from; p < until; p++) text += String.fromCharCode(bytes[p]!);
  const suffix = bytes[until - 1];
  if (suffix === SMALL_I || suffix === SMALL_U) {
    const integer = text.slice(0, -1);
    const isSigned = integer.startsWith('-');
    const isFine = INTEGER.test(integer) && !(suffix === SMALL_U && isSigned);
    return isFine ? shiftedNumber(integer, shift) : NaN;
  }
  if (NOT_FINITE.test(text)) return Infinity;
  return DECIMAL.test(text) ? shiftedNumber(text, shift) : NaN;
}
