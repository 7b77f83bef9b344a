/** Fewer points from many (assembly/resample.ts). */
export interface ResampleExports {
  /**
   * LTTB of `count` Float64 at `values` into `target` values at `out`; all of them if `target` is
   * below 3 or not below `count`. NaN is a gap. Returns how many were written.
   */
  lttb(values: number, count: number, target: number, out: number): number;
}
