/** 10^22 is the largest power of ten that a double holds exactly. */
const POWERS_OF_TEN = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
/** Below it a product with a power of ten is so exact that rounding gives the nearest integer. */
const DIGITS_EXACT_MAX = 1e15;
/** Significant digits that tell every float32 from all others. */
const FLOAT32_DIGITS = 9;

/**
 * The double that is meant by a float32: the one with the fewest decimals that rounds to the same
 * float32. A collector sent 2400.1; the file has the float32 next to it, which as a double is
 * 2400.10009765625. Widening the bits would show twelve digits nobody measured, and blocks of the
 * store would need all 53 bits of them. Integers below 2^53 stay as they are: they were counted, and
 * rounding 135109124096 bytes to 135109120000 would only move it away from what was counted.
 * Beyond, and where decimals would be many, it is the one of the fewest digits. `value` is a float32
 * already, NaN included.
 */
export function doubleOfFloat32(value: number): number {
  for (let decimals = 0; decimals < POWERS_OF_TEN.length; decimals++) {
    const power = POWERS_OF_TEN[decimals]!;
    const digits = Math.round(value * power);
    if (!(Math.abs(digits) < DIGITS_EXACT_MAX)) break;
    // The quotient of two exact doubles is the double that the decimal text would be read as.
    const candidate = digits / power;
    if (Math.fround(candidate) === value) return candidate;
  }
  if (!Number.isFinite(value) || Number.isSafeInteger(value)) return value;
  return shortestByText(value);
}

/** Slow path: very large, or so small that the decimals above do not reach it. */
function shortestByText(value: number): number {
  for (let digits = 1; digits < FLOAT32_DIGITS; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return candidate;
  }
  return Number(value.toPrecision(FLOAT32_DIGITS));
}
