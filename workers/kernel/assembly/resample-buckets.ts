// One figure of each cell's samples.
import {
  RESAMPLE_AVERAGE,
  RESAMPLE_COUNT,
  RESAMPLE_FIRST,
  RESAMPLE_LAST,
  RESAMPLE_MAX,
  RESAMPLE_MIN,
  RESAMPLE_SIMPLE,
  RESAMPLE_SUM,
} from '../layout';
import { nextCellEnd } from './resample-cells';
import { rangeLeast, rangeMost, scanRange } from './resample-extremes';

let rangeSum: f64 = 0;
let rangeCount: i32 = 0;

/** Cells of `values` from input `start` on; a cell without samples is missing, its count is 0. */
export function resampleBuckets(
  algorithm: i32,
  values: u32,
  start: i32,
  target: i32,
  out: u32,
): void {
  let from = start;
  for (let cell = 0; cell < target; cell++) {
    const until = nextCellEnd();
    store<f64>(out + (<u32>cell << 3), bucketValue(algorithm, values, from, until));
    from = until;
  }
}

// @ts-ignore: decorator
@inline
function bucketValue(algorithm: i32, values: u32, from: i32, until: i32): f64 {
  switch (algorithm) {
    case RESAMPLE_AVERAGE:
      sumRange(values, from, until);
      return rangeCount ? rangeSum / <f64>rangeCount : NaN;
    case RESAMPLE_SUM:
      sumRange(values, from, until);
      return rangeCount ? rangeSum : NaN;
    case RESAMPLE_MIN:
      scanRange(values, from, until);
      return rangeLeast <= rangeMost ? rangeLeast : NaN;
    case RESAMPLE_MAX:
      scanRange(values, from, until);
      return rangeLeast <= rangeMost ? rangeMost : NaN;
    case RESAMPLE_FIRST:
      return valueAt(values, firstSample(values, from, until));
    case RESAMPLE_LAST:
      return valueAt(values, lastSample(values, from, until));
    case RESAMPLE_COUNT:
      return <f64>countRange(values, from, until);
    case RESAMPLE_SIMPLE:
      return from < until ? load<f64>(values + (<u32>from << 3)) : NaN;
  }
  return NaN;
}

/**
 * Sum and number of the samples. What each addition rounds off is summed as well (Knuth's TwoSum),
 * so the sum is as if it had been rounded once. Only the first of its additions waits for the one
 * before: it is as fast as a plain sum.
 */
function sumRange(values: u32, from: i32, until: i32): void {
  let sum: f64 = 0;
  let error: f64 = 0;
  let count = 0;
  for (let i = from; i < until; i++) {
    const value = load<f64>(values + (<u32>i << 3));
    if (value != value) continue;
    const next = sum + value;
    const added = next - sum;
    error += sum - (next - added) + (value - added);
    sum = next;
    count++;
  }
  // Past the largest double there is no error to tell.
  rangeSum = error == error ? sum + error : sum;
  rangeCount = count;
}

function countRange(values: u32, from: i32, until: i32): i32 {
  let count = 0;
  for (let i = from; i < until; i++) {
    const value = load<f64>(values + (<u32>i << 3));
    count += <i32>(value == value);
  }
  return count;
}

// @ts-ignore: decorator
@inline
export function valueAt(values: u32, index: i32): f64 {
  return index < 0 ? NaN : load<f64>(values + (<u32>index << 3));
}

/** Index of the first sample of from … until - 1; -1 if all are missing. */
// @ts-ignore: decorator
@inline
export function firstSample(values: u32, from: i32, until: i32): i32 {
  for (let i = from; i < until; i++) {
    const value = load<f64>(values + (<u32>i << 3));
    if (value == value) return i;
  }
  return -1;
}

/** Index of the last one. */
// @ts-ignore: decorator
@inline
export function lastSample(values: u32, from: i32, until: i32): i32 {
  for (let i = until - 1; i >= from; i--) {
    const value = load<f64>(values + (<u32>i << 3));
    if (value == value) return i;
  }
  return -1;
}
