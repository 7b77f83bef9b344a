/** Series as the text of an answer (assembly/answer.ts, assembly/answer-resampled.ts). */
export interface AnswerExports {
  /**
   * Writes `[a,b,null]`: `count` slots of a series from `from` on, straight from its blocks;
   * returns the address behind it. `work`: 2048 bytes.
   */
  formatSeries(series: number, from: number, count: number, out: number, work: number): number;
  /**
   * Writes a whole element: `{`, the data if `withData` is not 0, the `middleBytes` bytes at
   * `middle`, the statistics of the slots, `}`; returns the address behind it. The statistics are
   * left at `statistics` as well (see `statistics`); 0 = none are wanted.
   */
  formatElement(
    series: number,
    from: number,
    count: number,
    withData: number,
    statistics: number,
    middle: number,
    middleBytes: number,
    out: number,
    work: number,
  ): number;
  /**
   * Writes results `[element,element],[element]`, one behind the other, with an element, as `formatElement` writes it,
   * of each of the `elements` series whose addresses lie at `list` (u32 each); returns the address behind them. Bit 0
   * of an address is set if the series is the first of its result, as that of the first one is.
   */
  formatResults(
    list: number,
    elements: number,
    from: number,
    count: number,
    withData: number,
    statistics: number,
    middle: number,
    middleBytes: number,
    out: number,
    work: number,
  ): number;
  /**
   * Writes a whole element as `formatElement` does, with the data resampled as `resampleStride` does
   * it and the statistics of the native slots. `work`: 2048 + (count + 4 + points) * 8 bytes, where
   * the points are floor(count / stride), at least 3; stride at least 2.
   */
  formatResampled(
    series: number,
    from: number,
    count: number,
    algorithm: number,
    stride: number,
    statistics: number,
    middle: number,
    middleBytes: number,
    out: number,
    work: number,
  ): number;
  /**
   * Writes what `formatArray` writes, several times as fast where values are decimals of at most
   * `exponent` digits behind the point and below 2^30 without it. `work`: 64 bytes.
   */
  formatDecimals(
    values: number,
    count: number,
    exponent: number,
    out: number,
    work: number,
  ): number;
  /** Writes `,"avg":a,"min":b,"max":c` of four Float64 as `statistics` leaves them. */
  formatStatistics(statistics: number, out: number): number;
}
