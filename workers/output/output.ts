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
  /** NaN = there is none. */
  readonly stats: readonly number[];
}

/** A failure that concerns one selection: the others are answered. */
export interface ResultProblem {
  readonly select: number;
  readonly error: string;
}

/**
 * One form of an answer. Each function writes to the answer region; the caller has seen to it that
 * there is room for `bytesMax`.
 */
export interface Output {
  readonly contentType: string;
  /** Bytes that `write` may need for a series of so many values; texts of names included. */
  bytesMax(result: ResultSeries): number;
  /** What comes before the first series. Of several shards' answers only the first one's is used. */
  head(): void;
  write(result: ResultSeries): void;
  problem(problem: ResultProblem): void;
  /** What comes behind the last. */
  tail(): void;
}
