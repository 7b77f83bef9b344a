/** Combining series (assembly/aggregate.ts). */
export interface AggregateExports {
  /**
   * Sum per slot over the series whose addresses (u32) lie at `list`: `count` slots from `from` on,
   * as Float64 to `out` (NaN where none is present) and how many contributed to each as u32 to
   * `contributors`. `work` is scratch of (count + 256) * 16 + 4096 bytes. Sums over packed blocks
   * of small decimal exponents without gaps are exact decimals; others are rounded at each addition.
   */
  sumSeries(
    list: number,
    length: number,
    from: number,
    count: number,
    out: number,
    contributors: number,
    work: number,
  ): void;
  /** Smallest value per slot, same arguments. */
  minSeries(
    list: number,
    length: number,
    from: number,
    count: number,
    out: number,
    contributors: number,
    work: number,
  ): void;
  /** Largest value per slot, same arguments. */
  maxSeries(
    list: number,
    length: number,
    from: number,
    count: number,
    out: number,
    contributors: number,
    work: number,
  ): void;
  /** values[i] /= contributors[i] where any. */
  divideByCount(values: number, contributors: number, count: number): void;
  /** values[i] *= factor. */
  scaleValues(values: number, count: number, factor: number): void;
}
