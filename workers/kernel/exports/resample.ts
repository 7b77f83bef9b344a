/** Fewer points from many (assembly/resample.ts). */
export interface ResampleExports {
  /** LTTB of `count` Float64 at `values` into `target` values at `out`; returns how many were written. */
  lttb(values: number, count: number, target: number, out: number): number;
}
