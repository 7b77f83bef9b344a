// Values of one unit as those of another, in queries. See src/units/conversion.ts for what the
// numbers mean; there the decimal point is moved in the digits, which takes a text for each value.
import { POWERS_OF_TEN } from './block-fields';

/** Powers of ten up to it are exact as Float64. */
const EXACT_EXPONENT_MAX: i32 = 22;
/** A product of two doubles is that near to the one that was meant: two steps of the last bit. */
const NEAR: f64 = 4.440892098500626e-16;

/**
 * Converts `count` Float64 at `values` in place: the decimal point moves by `shift` digits, then
 * (value * multiplier + addend) / divisor. NaN stays NaN; what is too large for a double becomes NaN.
 */
export function convertValues(
  values: u32,
  count: u32,
  shift: i32,
  multiplier: f64,
  addend: f64,
  divisor: f64,
): void {
  if (shift) movePoints(values, count, shift);
  if (multiplier != 1 || addend != 0 || divisor != 1) {
    scale(values, count, multiplier, addend, divisor);
  }
  dropInfinite(values, count);
}

function movePoints(values: u32, count: u32, shift: i32): void {
  let left = shift;
  // Prefixes this far apart meet in no real data: what is rounded twice there does not matter.
  while (left > EXACT_EXPONENT_MAX) {
    scale(values, count, 1e22, 0, 1);
    left -= EXACT_EXPONENT_MAX;
  }
  while (left < -EXACT_EXPONENT_MAX) {
    scale(values, count, 1, 0, 1e22);
    left += EXACT_EXPONENT_MAX;
  }
  if (left > 0) scale(values, count, unchecked(POWERS_OF_TEN[left]), 0, 1);
  else scale(values, count, 1, 0, unchecked(POWERS_OF_TEN[-left]));
  shorten(values, count);
}

/** Two at a time; a last odd one alone. */
function scale(values: u32, count: u32, multiplier: f64, addend: f64, divisor: f64): void {
  const multipliers = f64x2.splat(multiplier);
  // Minus zero added changes nothing, not even minus zero.
  const added = addend != 0 ? addend : -0.0;
  const addends = f64x2.splat(added);
  const divisors = f64x2.splat(divisor);
  const end = values + (count << 3);
  let p = values;
  for (; p + 16 <= end; p += 16) {
    const scaled = f64x2.add(f64x2.mul(v128.load(p), multipliers), addends);
    v128.store(p, f64x2.div(scaled, divisors));
  }
  if (p < end) store<f64>(p, (load<f64>(p) * multiplier + added) / divisor);
}

/**
 * Replaces values that are a short decimal but for the last bits by that decimal: 1234.56 / 1000 is
 * 1.2345599999999999, which is long to print, and not what was meant.
 */
function shorten(values: u32, count: u32): void {
  const end = values + (count << 3);
  let p = values;
  for (; p + 16 <= end; p += 16) v128.store(p, shortened(v128.load(p)));
  if (p < end) store<f64>(p, f64x2.extract_lane(shortened(f64x2.splat(load<f64>(p))), 0));
}

// @ts-ignore: decorator
@inline
function shortened(value: v128): v128 {
  const size = f64x2.abs(value);
  // So many digits behind the point that the last one is still far from the last bit.
  let grid = f64x2.splat(1e12);
  grid = v128.bitselect(grid, f64x2.splat(1e9), f64x2.lt(size, f64x2.splat(1e3)));
  grid = v128.bitselect(grid, f64x2.splat(1e6), f64x2.lt(size, f64x2.splat(1e6)));
  grid = v128.bitselect(grid, f64x2.splat(1e3), f64x2.lt(size, f64x2.splat(1e9)));
  grid = v128.bitselect(grid, f64x2.splat(1), f64x2.lt(size, f64x2.splat(1e12)));
  const decimal = f64x2.div(f64x2.nearest(f64x2.mul(value, grid)), grid);
  const distance = f64x2.abs(f64x2.sub(decimal, value));
  const isNear = f64x2.le(distance, f64x2.mul(size, f64x2.splat(NEAR)));
  return v128.bitselect(decimal, value, isNear);
}

/** No number that JSON has. */
function dropInfinite(values: u32, count: u32): void {
  const end = values + (count << 3);
  for (let p = values; p < end; p += 8) {
    if (abs(load<f64>(p)) == Infinity) store<f64>(p, NaN);
  }
}
