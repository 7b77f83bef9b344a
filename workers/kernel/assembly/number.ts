// Decimals to doubles, rounded once: the double nearest to the text, as JavaScript's Number() gives.
//
// Up to 15 digits and a small power of ten: one multiplication or division of exact doubles. Up to
// 19 digits: Daniel Lemire, "Number parsing at a gigabyte per second" (2021), with the powers of
// powers.ts. What that cannot decide is left to the control plane.
import { POWERS_OF_TEN } from './block-fields';
import { POWERS, POWERS_FIRST } from './powers';
import { mulHigh } from './shortest';

/** Up to it powers of ten are exact as Float64, so one division rounds correctly. */
const EXACT_EXPONENT_MAX: i32 = 22;
/** Integers up to it are exact as Float64. */
const EXACT_MANTISSA_MAX: u64 = 9007199254740992;
/** Powers beyond are no finite or no normal doubles, nearly. */
const EXPONENT_MIN: i32 = -290;
const EXPONENT_MAX: i32 = 288;
/** 5^55 still fits 128 bits: up to it the table's powers are exact, others are rounded up. */
const TABLE_EXACT_MAX: i32 = 55;

const FRACTION_BITS: i32 = 52;
const EXPONENT_BIAS: i32 = 1023;

/** mantissa * 10^exponent; NaN if this function does not know. */
// @ts-ignore: decorator
@inline
export function decimalToDouble(mantissa: u64, exponent: i32): f64 {
  if (mantissa <= EXACT_MANTISSA_MAX) {
    if (exponent <= 0 && exponent >= -EXACT_EXPONENT_MAX) {
      return <f64>mantissa / unchecked(POWERS_OF_TEN[-exponent]);
    }
    if (exponent > 0 && exponent <= EXACT_EXPONENT_MAX) {
      return <f64>mantissa * unchecked(POWERS_OF_TEN[exponent]);
    }
  }
  return roundProduct(mantissa, exponent);
}

function roundProduct(mantissa: u64, exponent: i32): f64 {
  if (!mantissa) return 0;
  if (exponent < EXPONENT_MIN || exponent > EXPONENT_MAX) return NaN;
  const entry = POWERS + (<u32>(exponent - POWERS_FIRST) << 4);
  let powerHigh = load<u64>(entry);
  let powerLow = load<u64>(entry, 8);
  if (exponent > TABLE_EXACT_MAX) {
    // The method wants these powers rounded down, but those below 1 up.
    powerHigh -= <u64>(powerLow == 0);
    powerLow--;
  }
  const zeros = <i32>clz(mantissa);
  const factor = mantissa << zeros;
  let high = mulHigh(factor, powerHigh);
  let low = factor * powerHigh;
  // The nine bits below those kept are all ones: the low word of the power may carry into them.
  if ((high & 0x1ff) == 0x1ff) {
    const carried = mulHigh(factor, powerLow);
    low += carried;
    high += <u64>(low < carried);
  }
  if (low == u64.MAX_VALUE && (exponent < -27 || exponent > TABLE_EXACT_MAX)) return NaN;
  const top = <i32>(high >> 63);
  const shift = top + 64 - FRACTION_BITS - 3;
  let fraction = high >> shift;
  // floor(log2(10^exponent)) + 63 + 1 if the product has its top bit, less the normalisation.
  let biased = ((217706 * exponent) >> 16) + 63 + top - zeros + EXPONENT_BIAS;
  if (biased <= 0) return NaN;
  if (low <= 1 && exponent >= -4 && exponent <= 23 && (fraction & 3) == 1) {
    // Half way between two doubles: to the even one.
    if (fraction << shift == high) fraction &= ~(<u64>1);
  }
  fraction = (fraction + (fraction & 1)) >> 1;
  if (fraction >= <u64>1 << (FRACTION_BITS + 1)) {
    fraction = <u64>1 << FRACTION_BITS;
    biased++;
  }
  if (biased >= 2047) return NaN;
  fraction &= ~(<u64>1 << FRACTION_BITS);
  return reinterpret<f64>(fraction | (<u64>biased << FRACTION_BITS));
}
