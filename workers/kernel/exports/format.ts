/**
 * Writing numbers as JSON text (assembly/format.ts). Each returns the address behind the text; up to
 * FORMAT_SLACK_BYTES behind it may be overwritten, as digits are stored eight at a time.
 */
export interface FormatExports {
  /**
   * Writes `value` as `String(value)` does, in the shortest form that reads back to the same
   * double; -0 as `0`, NaN and ±Infinity as `null`. At most NUMBER_TEXT_BYTES_MAX bytes.
   */
  formatNumber(value: number, out: number): number;
  /** Writes `[a,b,null,…]` of `count` Float64 at `values`: at most 26 bytes a value, and 2. */
  formatArray(values: number, count: number, out: number): number;
  /**
   * Writes `scaled` / 10^exponent exactly, without trailing zeros: |scaled| < 2^53, exponent
   * 0 … 22. Below 10^15 the text is that of `formatNumber` of the quotient.
   */
  formatScaled(scaled: bigint, exponent: number, out: number): number;
  /** Writes `a,b,c,` of `count` Int32 at `values`, each divided by 10^exponent (0 … 22). */
  formatScaledInts(values: number, count: number, exponent: number, out: number): number;
}

/** As in `-0.0000012345678901234567`. */
export const NUMBER_TEXT_BYTES_MAX = 25;
/** What the functions may overwrite behind their text. */
export const FORMAT_SLACK_BYTES = 16;
