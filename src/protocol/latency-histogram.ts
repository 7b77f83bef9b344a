/**
 * Upper bounds of the buckets, in seconds. A body of a collector takes 0.1 to 1 ms and a query of one host 0.2 to
 * 2 ms, so that the first is where the fast ones end; clients of cc-backend wait 10 s, and `query-time-ms-max` is
 * 30 s by default. Between them two or three bounds a decade: a percentile is told to half its size.
 */
export const BOUNDS_SEC: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
  30,
];

/** What is above the last bound has a bucket of its own; behind the buckets is the sum of all times. */
const SUM = BOUNDS_SEC.length + 1;
/** Words that a histogram takes. */
export const HISTOGRAM_WORDS = SUM + 1;

/**
 * Counts times in buckets, in memory that is given: in shared memory one thread writes and others read. What is
 * read while it is written may lack the newest time, which no reader minds.
 */
export class LatencyHistogram {
  /** How many in each bucket, not cumulative, then the sum in seconds. */
  readonly words: Float64Array;

  /** @param words HISTOGRAM_WORDS of them. */
  constructor(words: Float64Array = new Float64Array(HISTOGRAM_WORDS)) {
    this.words = words;
  }

  /** Takes a time; costs about 10 ns, since most end in one of the first buckets. */
  add(seconds: number): void {
    const { words } = this;
    let bucket = 0;
    while (bucket < BOUNDS_SEC.length && seconds > BOUNDS_SEC[bucket]!) bucket++;
    words[bucket]!++;
    words[SUM]! += seconds;
  }

  get sumSec(): number {
    return this.words[SUM]!;
  }

  get count(): number {
    return countOf(this.words);
  }
}

/** How many times are in the words of a histogram. */
export function countOf(words: Float64Array): number {
  let count = 0;
  for (let bucket = 0; bucket < SUM; bucket++) count += words[bucket]!;
  return count;
}

/** Adds up histograms, word by word. */
export function sumOf(histograms: Iterable<Float64Array>): Float64Array {
  const sum = new Float64Array(HISTOGRAM_WORDS);
  for (const words of histograms) {
    for (let word = 0; word < HISTOGRAM_WORDS; word++) sum[word]! += words[word]!;
  }
  return sum;
}

/** What came to a histogram since it was as `earlier`. */
export function differenceOf(later: Float64Array, earlier: Float64Array): Float64Array {
  return later.map((value, word) => value - earlier[word]!);
}

/**
 * A quantile in seconds, found in its bucket by a straight line, as `histogram_quantile` of Prometheus does. What
 * is above the last bound counts as it. NaN where there is no time at all.
 */
export function quantileOf(words: Float64Array, quantile: number): number {
  const rank = quantile * countOf(words);
  if (rank === 0) return NaN;
  let below = 0;
  for (let bucket = 0; bucket < BOUNDS_SEC.length; bucket++) {
    const count = words[bucket]!;
    if (count > 0 && below + count >= rank) {
      const from = bucket === 0 ? 0 : BOUNDS_SEC[bucket - 1]!;
      return from + (BOUNDS_SEC[bucket]! - from) * ((rank - below) / count);
    }
    below += count;
  }
  return BOUNDS_SEC.at(-1)!;
}
