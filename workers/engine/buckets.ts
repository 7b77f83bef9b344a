import type { ResampleAlgorithm } from '../../src/model/query-request.js';

/**
 * Makes one value of every `stride` values, in place: `values[from …]` becomes
 * floor(count / stride) values at `out`. Missing values are skipped; a bucket of nothing but
 * missing ones is missing, or 0 for `count`. Left over values at the end are dropped, so that all
 * points stand for equally long times. LTTB is not of this kind.
 */
export function resampleBuckets(
  algorithm: Exclude<ResampleAlgorithm, 'lttb'>,
  values: Float64Array,
  from: number,
  count: number,
  stride: number,
  out: number,
): number {
  const buckets = Math.floor(count / stride);
  for (let bucket = 0; bucket < buckets; bucket++) {
    values[out + bucket] = bucketValue(algorithm, values, from + bucket * stride, stride);
  }
  return buckets;
}

function bucketValue(
  algorithm: Exclude<ResampleAlgorithm, 'lttb'>,
  values: Float64Array,
  from: number,
  stride: number,
): number {
  if (algorithm === 'simple') return values[from]!;
  let count = 0;
  let sum = 0;
  let least = Infinity;
  let most = -Infinity;
  let last = NaN;
  for (let i = from; i < from + stride; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) continue;
    count++;
    sum += value;
    least = Math.min(least, value);
    most = Math.max(most, value);
    last = value;
  }
  if (algorithm === 'count') return count;
  if (count === 0) return NaN;
  switch (algorithm) {
    case 'average':
      return sum / count;
    case 'min':
      return least;
    case 'max':
      return most;
    case 'sum':
      return sum;
    case 'last':
      return last;
  }
}
