/** Fewer points from many (assembly/resample.ts). NaN is a gap; values are finite else. */
export interface ResampleExports {
  /**
   * One value of each of `target` cells, of `count` Float64 at `values`, to `out`; returns how many
   * it wrote. Cell k takes the values start(k) … start(k + 1) - 1, where
   * start(k) = ceil((k * num - offset) / den), not below 0 and not above `count`. `algorithm`:
   * RESAMPLE_* of layout.ts; 0 ≤ offset, 0 < num, 0 < den, all below 2^31.
   *
   * A cell without samples is missing (for a count: 0); a cell with samples is not, except for
   * RESAMPLE_SIMPLE, which takes the first value as it is. RESAMPLE_MINMAX, RESAMPLE_M4 and
   * RESAMPLE_MINMAXLTTB show the smallest and the largest sample of all, unless they lie in one cell
   * and no other has samples: then the largest.
   *
   * May read 8 bytes behind the values. `out` may not overlap them.
   */
  resample(
    algorithm: number,
    values: number,
    count: number,
    offset: number,
    num: number,
    den: number,
    target: number,
    out: number,
  ): number;
  /**
   * One value of every `stride` values: floor(count / stride) of them, what is left over at the end
   * belongs to none. With RESAMPLE_LTTB it is `lttb` of as many points.
   */
  resampleStride(
    algorithm: number,
    values: number,
    count: number,
    stride: number,
    out: number,
  ): number;
  /**
   * LTTB of `count` Float64 at `values` into `target` values at `out`, as cc-metric-store cuts its
   * buckets; all of them if `target` is below 3 or not below `count`. Returns how many were written.
   */
  lttb(values: number, count: number, target: number, out: number): number;
}
