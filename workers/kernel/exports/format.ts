/** Writing numbers as JSON text (assembly/format.ts). */
export interface FormatExports {
  /** Writes `value` as JSON in the shortest form that reads back to the same double, `null` for NaN; returns the address behind it. */
  formatNumber(value: number, out: number): number;
  /** Writes `[a,b,null,…]` of `count` Float64 at `values`; returns the address behind it. At most 25 bytes a value. */
  formatArray(values: number, count: number, out: number): number;
}
