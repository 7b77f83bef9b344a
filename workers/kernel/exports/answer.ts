/** Series as the text of an answer (assembly/answer.ts). */
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
  /** Writes `,"avg":a,"min":b,"max":c` of four Float64 as `statistics` leaves them. */
  formatStatistics(statistics: number, out: number): number;
}
