/**
 * Statistics (assembly/statistics.ts, moments.ts, summary.ts, percentiles.ts).
 *
 * A sample stands for its slot, `step` seconds. Of the samples of a range:
 *
 * - `count`, `min`, `max`; `first` and `last` in time.
 * - `sum`, compensated: its error does not grow with the range. The sum in a block's header is
 *   rounded at each of its at most 128 additions.
 * - `avg` = sum / count.
 * - `stddev` of the population: the root of the mean squared difference from the mean.
 * - `integral` = sum × step, in unit seconds: joules of watts. A gap adds nothing.
 * - `twa`, the time-weighted average: a sample holds until the next one, but for HOLD_SLOTS slots
 *   at most, and not beyond the end of the range; the average over the time that is held. Without
 *   a gap it is `avg`.
 * - percentiles by linear interpolation between the closest ranks, NumPy's default: pNN lies at
 *   rank NN / 100 × (count - 1) of the sorted samples. Up to `percentile-exact-max` samples they are
 *   exact, above it from a sketch: each of both ranks is off by at most 1 / 257 of itself (0.39 %),
 *   or by 1e-307, which only the least numbers there are come near to.
 *
 * What whole blocks cost: count, sum, min, max and what follows from them is in the header; `first`
 * and `last` decode a block each at most; of `twa` only blocks with gaps are decoded. `stddev` and
 * percentiles decode all.
 */
export interface StatisticsExports {
  /** Over `count` Float64, NaN skipped: writes count, sum, min, max as four Float64 to `out` (min, max NaN if none). */
  statistics(values: number, count: number, out: number): void;
  /** The same over slots of a series; whole blocks from their headers, only partly covered ones are decoded. `work`: 2048 bytes. */
  seriesStatistics(series: number, from: number, count: number, out: number, work: number): void;

  /**
   * Summary of `count` slots of a series from `from` on, SUMMARY_BYTES to `out`; `wanted` are
   * WANTS_* together: fields of what is not wanted are NaN. `work`: 2048 bytes.
   */
  summarizeSeries(
    series: number,
    from: number,
    count: number,
    wanted: number,
    out: number,
    work: number,
  ): void;
  /** The same of Float64 (NaN = missing), of which the first is that of slot `from`. */
  summarizeValues(values: number, from: number, count: number, wanted: number, out: number): void;

  /** Copies the Float64 that are not NaN; returns how many. `out` has room for `count`, or is `values`. */
  copyPresent(values: number, count: number, out: number): number;
  /**
   * The value of rank `rank` among the Float64 `from` … `until` of `values`, without NaN: it is put
   * in its place, smaller ones before and larger ones behind it. So for the next higher rank `from`
   * may be this one.
   */
  selectRank(values: number, from: number, until: number, rank: number): number;
  /**
   * Counts Float64 in the buckets of a sketch, SKETCH_BYTES that were zero at first: a bucket has
   * all values of one sign, one binary exponent and the same seven first bits of the significand.
   * NaN falls into buckets of exponent 2047.
   */
  addToSketch(values: number, count: number, sketch: number): void;
}
