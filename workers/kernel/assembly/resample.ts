// Fewer points from many.

/**
 * Largest Triangle Three Buckets (Steinarsson 2013), as cc-metric-store does it: first and last
 * point are kept; of each bucket the point that makes the largest triangle with the point taken
 * before and the mean of the next bucket, the first on ties. Missing values: means skip them, a
 * bucket without any value is missing, and a missing point before or mean after counts as the
 * point's own height, so that a gap never wins over data. Returns how many points were written.
 */
export function lttb(values: u32, count: i32, target: i32, out: u32): i32 {
  if (target >= count || target < 3) {
    memory.copy(out, values, count << 3);
    return count;
  }
  const bucket = <f64>(count - 2) / <f64>(target - 2);
  store<f64>(out, load<f64>(values));
  let before = 0;
  for (let i = 0; i < target - 2; i++) {
    const from = <i32>Math.floor(<f64>i * bucket) + 1;
    const until = min<i32>(<i32>Math.floor(<f64>(i + 1) * bucket) + 1, count - 2);
    const last = min<i32>(<i32>Math.floor(<f64>(i + 2) * bucket) + 1, count - 2);
    const mean = meanOf(values, until, last);
    const middle = <f64>(until + last) * 0.5;
    before = largestTriangle(values, before, from, until, mean, middle);
    store<f64>(out + ((i + 1) << 3), load<f64>(values + (before << 3)));
  }
  store<f64>(out + ((target - 1) << 3), load<f64>(values + ((count - 1) << 3)));
  return target;
}

/** Mean of values first … last, both included; NaN if there is none. */
function meanOf(values: u32, first: i32, last: i32): f64 {
  let sum: f64 = 0;
  let count = 0;
  for (let i = first; i <= last; i++) {
    const value = load<f64>(values + (i << 3));
    if (value != value) continue;
    sum += value;
    count++;
  }
  return count ? sum / <f64>count : NaN;
}

function largestTriangle(
  values: u32,
  before: i32,
  from: i32,
  until: i32,
  mean: f64,
  middle: f64,
): i32 {
  const y0 = load<f64>(values + (before << 3));
  let best = from;
  let bestArea: f64 = -1;
  for (let i = from; i < until; i++) {
    const y = load<f64>(values + (i << 3));
    if (y != y) continue;
    const left = y0 == y0 ? y0 : y;
    const right = mean == mean ? mean : y;
    const area = Math.abs(
      (<f64>before - middle) * (y - left) - (<f64>before - <f64>i) * (right - left),
    );
    if (area > bestArea) {
      bestArea = area;
      best = i;
    }
  }
  return best;
}
