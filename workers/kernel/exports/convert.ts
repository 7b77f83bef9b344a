/** Units of queries (assembly/convert.ts). */
export interface ConvertExports {
  /**
   * Converts `count` Float64 at `values` in place by the members of a `Conversion`. NaN stays NaN,
   * what is too large for a double becomes NaN. Short decimals become short decimals.
   */
  convertValues(
    values: number,
    count: number,
    shift: number,
    multiplier: number,
    addend: number,
    divisor: number,
  ): void;
}
