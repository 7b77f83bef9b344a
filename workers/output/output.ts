/** One series of an answer: what it is, and where its values lie in the shard's memory. */
export interface ResultSeries {
  /** Index of the selection it answers. */
  readonly select: number;
  readonly metric: string;
  /** Unit of values and statistics, '' = none is known. */
  readonly unit: string;
  // What it was grouped by; '' = it was not grouped by that.
  readonly cluster: string;
  readonly subCluster: string;
  readonly host: string;
  readonly type: string;
  readonly id: string;
  /** Sub-type with its id, such as `filesystem/home`. */
  readonly subId: string;
  /** Series that were combined in it. */
  readonly seriesCount: number;
  /** Smallest share of them in any slot that has some; 1 = all, always. */
  readonly coverage: number;
  /** Time of the first value. */
  readonly fromSec: number;
  readonly stepSec: number;
  readonly count: number;
  /** Address of `count` Float64 (NaN = missing); 0 = no data is wanted. */
  readonly values: number;
  /** Address of a stored series whose slots are the values, unchanged: printed from its blocks; 0 = none. */
  readonly series: number;
  /** In the order of the selection's statistics; NaN = there is none. */
  readonly stats: readonly number[];
}

/** Whether the points of a series are part of the answer. */
export function hasData(result: ResultSeries): boolean {
  return result.values !== 0 || result.series !== 0;
}

/** A failure that concerns one selection: the others are answered. */
export interface ResultProblem {
  readonly select: number;
  readonly error: string;
}

/**
 * One form of an answer. Each function writes to the answer region; the caller has seen to it that
 * there is room for `bytesMax`. An answer is the head, pieces of series, and the tail. Pieces stand
 * for themselves: those of several shards may follow one another in any order, with the form's
 * separator (`forms.ts`) between them.
 */
export interface Output {
  readonly contentType: string;
  /** Bytes that `write`, and `flush` behind it, may need for a series; texts of names included. */
  bytesMax(result: ResultSeries): number;
  /** What comes before the first series. Of several shards' answers only the first one's is used. */
  head(): void;
  /** The values are not needed any more when it returns. */
  write(result: ResultSeries): void;
  /** Throws `bad-request` in forms that are tables: they have no place for it. */
  problem(problem: ResultProblem): void;
  /**
   * Ends a piece. Forms that gather series write them now: until then nobody else may write to the
   * region, and the writer's position is only an upper bound.
   */
  flush(): void;
  /** What comes behind the last. */
  tail(): void;
}
