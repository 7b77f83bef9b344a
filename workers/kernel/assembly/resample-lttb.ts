// Largest Triangle Three Buckets (Sveinn Steinarsson, "Downsampling Time Series for Visual
// Representation", 2013): of each bucket the point that makes the largest triangle with the point
// taken before it and the mean of the next bucket; the first one on ties.
//
// Gaps (the reference loses the data beside them):
// - a missing point never wins over a sample; a bucket without samples gives a missing point;
// - the point taken before is the last one that was a sample, so a gap does not reset it;
// - means skip missing points (their time is still the middle of the bucket);
// - where there is no point before or no mean after, that corner lies level with the candidate.
import { firstSample, lastSample, valueAt } from './resample-buckets';
import { nextCellEnd } from './resample-cells';

/**
 * Point for point as cc-metric-store does it on data without gaps: first and last point are kept,
 * and the points between are cut into `target` - 2 buckets. With `target` below 3 or not below
 * `count` the values are copied. Returns how many were written.
 */
export function lttb(values: u32, count: i32, target: i32, out: u32): i32 {
  if (target >= count || target < 3) {
    memory.copy(out, values, <u32>count << 3);
    return count;
  }
  const bucket = <f64>(count - 2) / <f64>(target - 2);
  store<f64>(out, load<f64>(values));
  let before = 0;
  let from = 1;
  let until = bucketStart(1, bucket, count);
  for (let i = 1; i < target - 1; i++) {
    const last = bucketStart(i + 1, bucket, count);
    const mean = meanOf(values, until, last);
    const middle = <f64>(until + last) * 0.5;
    const y = load<f64>(values + (<u32>before << 3));
    const best = largestTriangle(values, before, y, from, until, mean, middle);
    store<f64>(out + (<u32>i << 3), valueAt(values, best));
    if (best >= 0) before = best;
    from = until;
    until = last;
  }
  store<f64>(out + (<u32>(target - 1) << 3), load<f64>(values + (<u32>(count - 1) << 3)));
  return target;
}

/**
 * The same with the cells of a grid as buckets. The first cell shows its first sample and the last
 * cell its last one, which also is the third corner for the cell before.
 */
export function resampleLttb(values: u32, start: i32, target: i32, out: u32): void {
  let before = -1;
  let from = start;
  let until = nextCellEnd();
  let behind = until;
  for (let cell = 0; cell < target; cell++) {
    if (cell + 1 < target) behind = nextCellEnd();
    let best: i32;
    if (cell == 0) best = firstSample(values, from, until);
    else if (cell == target - 1) best = lastSample(values, from, until);
    else {
      // Of the last cell its last sample is what will be shown.
      const last = cell == target - 2 ? lastSample(values, until, behind) : -1;
      const mean = last < 0 ? meanOf(values, until, behind - 1) : valueAt(values, last);
      const middle = last < 0 ? <f64>(until + behind - 1) * 0.5 : <f64>last;
      const y = valueAt(values, before);
      best = largestTriangle(values, before, y, from, until, mean, middle);
    }
    store<f64>(out + (<u32>cell << 3), valueAt(values, best));
    if (best >= 0) before = best;
    from = until;
    until = behind;
  }
}

/** Where bucket `index` begins and the one before it ends; the last point is in none. */
// @ts-ignore: decorator
@inline
function bucketStart(index: i32, bucket: f64, count: i32): i32 {
  return min<i32>(<i32>(<f64>index * bucket) + 1, count - 2);
}

/** Mean of the samples first … last, both included; NaN if there is none. */
function meanOf(values: u32, first: i32, last: i32): f64 {
  let sum: f64 = 0;
  for (let i = first; i <= last; i++) sum += load<f64>(values + (<u32>i << 3));
  if (sum == sum) return sum / <f64>(last - first + 1);
  let present = 0;
  sum = 0;
  for (let i = first; i <= last; i++) {
    const value = load<f64>(values + (<u32>i << 3));
    if (value != value) continue;
    sum += value;
    present++;
  }
  return present ? sum / <f64>present : NaN;
}

/**
 * Which of from … until - 1 wins, -1 if all are missing; the corners are point `before`, of value
 * `y0` (NaN = there is none), and `mean` at `middle`. Areas may overflow: then the first sample.
 */
function largestTriangle(
  values: u32,
  before: i32,
  y0: f64,
  from: i32,
  until: i32,
  mean: f64,
  middle: f64,
): i32 {
  const width = <f64>before - middle;
  // Fast path: both corners known.
  if (y0 == y0 && mean == mean) {
    const best = largestOfKnown(values, <f64>before, y0, from, until, width, mean - y0);
    return best < until ? best : firstSample(values, from, until);
  }
  let best = -1;
  let bestArea: f64 = -1;
  for (let i = from; i < until; i++) {
    const y = load<f64>(values + (<u32>i << 3));
    const left = y0 == y0 ? y0 : y;
    const right = mean == mean ? mean : y;
    const area = Math.abs(width * (y - left) - <f64>(before - i) * (right - left));
    if (area > bestArea) {
      bestArea = area;
      best = i;
    }
  }
  return best < 0 ? firstSample(values, from, until) : best;
}

/**
 * The largest area first, then the first point that has it: twice the arithmetic, but no branch that
 * depends on the data. A missing point has no area, so it is never larger. `until` or more if no
 * point has one.
 */
// @ts-ignore: decorator
@inline
function largestOfKnown(
  values: u32,
  before: f64,
  y0: f64,
  from: i32,
  until: i32,
  width: f64,
  height: f64,
): i32 {
  const widths = f64x2.splat(width);
  const heights = f64x2.splat(height);
  const lefts = f64x2.splat(y0);
  const two = f64x2.splat(2);
  const start = f64x2.replace_lane(f64x2.splat(before - <f64>from), 1, before - <f64>from - 1);
  let largest = f64x2.splat(-1);
  let times = start;
  for (let i = from; i < until; i += 2) {
    let points = v128.load(values + (<u32>i << 3));
    // Behind the bucket is nothing.
    if (i + 1 == until) points = f64x2.replace_lane(points, 1, NaN);
    largest = f64x2.pmax(largest, areas(points, times, widths, heights, lefts));
    times = f64x2.sub(times, two);
  }
  largest = f64x2.pmax(largest, v128.shuffle<i64>(largest, largest, 1, 0));
  times = start;
  for (let chunk = from; chunk < until; chunk += 64) {
    const end = min(chunk + 64, until);
    let mask: u64 = 0;
    for (let i = chunk; i < end; i += 2) {
      const points = v128.load(values + (<u32>i << 3));
      const found = f64x2.eq(areas(points, times, widths, heights, lefts), largest);
      mask |= <u64>i64x2.bitmask(found) << <u64>(i - chunk);
      times = f64x2.sub(times, two);
    }
    // What lies behind the bucket is not the first one to have the largest area.
    if (mask) return chunk + <i32>ctz(mask);
  }
  return until;
}

// @ts-ignore: decorator
@inline
function areas(points: v128, times: v128, widths: v128, heights: v128, lefts: v128): v128 {
  const rise = f64x2.mul(widths, f64x2.sub(points, lefts));
  return f64x2.abs(f64x2.sub(rise, f64x2.mul(times, heights)));
}
