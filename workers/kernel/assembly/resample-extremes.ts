// The smallest and the largest sample: of ranges, and of all, which curves must not lose.
import { cellStart } from './resample-cells';

/** What `scanRange` found: Infinity and -Infinity if there is no sample. */
export let rangeLeast: f64 = 0;
export let rangeMost: f64 = 0;

// Of all cells so far, and the first cell that each lies in.
let least: f64 = 0;
let most: f64 = 0;
let leastCell: i32 = -1;
let mostCell: i32 = -1;

/**
 * Extremes of the samples `from` … `until` - 1. Missing ones are skipped without a look: `pmin` and
 * `pmax` keep their first operand unless the second one is beyond it.
 */
// @ts-ignore: decorator
@inline
export function scanRange(values: u32, from: i32, until: i32): void {
  let at = values + (<u32>from << 3);
  const end = values + (<u32>until << 3);
  let low: f64 = Infinity;
  let high: f64 = -Infinity;
  if (end - at >= 32) {
    let low0 = f64x2.splat(Infinity);
    let high0 = f64x2.splat(-Infinity);
    let low1 = low0;
    let high1 = high0;
    for (; at + 32 <= end; at += 32) {
      const first = v128.load(at);
      const second = v128.load(at, 16);
      low0 = f64x2.pmin(low0, first);
      high0 = f64x2.pmax(high0, first);
      low1 = f64x2.pmin(low1, second);
      high1 = f64x2.pmax(high1, second);
    }
    low0 = f64x2.pmin(low0, low1);
    high0 = f64x2.pmax(high0, high1);
    low = min(f64x2.extract_lane(low0, 0), f64x2.extract_lane(low0, 1));
    high = max(f64x2.extract_lane(high0, 0), f64x2.extract_lane(high0, 1));
  }
  for (; at < end; at += 8) {
    const value = load<f64>(at);
    low = value < low ? value : low;
    high = value > high ? value : high;
  }
  rangeLeast = low;
  rangeMost = high;
}

/** Index of the first of two values from `from` on; one of them is there. */
export function firstOf(values: u32, from: i32, one: f64, other: f64): i32 {
  let at = values + (<u32>from << 3);
  const ones = f64x2.splat(one);
  const others = f64x2.splat(other);
  while (true) {
    const pair = v128.load(at);
    const found = v128.or(f64x2.eq(pair, ones), f64x2.eq(pair, others));
    // The second lane may lie behind the range, but then the first one is what is looked for.
    if (v128.any_true(found)) {
      return <i32>((at - values) >> 3) + <i32>(i64x2.extract_lane(found, 0) == 0);
    }
    at += 16;
  }
}

export function resetExtremes(): void {
  least = Infinity;
  most = -Infinity;
  leastCell = -1;
  mostCell = -1;
}

/** Adds the extremes of a cell; those of no samples change nothing. */
// @ts-ignore: decorator
@inline
export function noteExtremes(cell: i32, cellLeast: f64, cellMost: f64): void {
  if (cellLeast < least) {
    least = cellLeast;
    leastCell = cell;
  }
  if (cellMost > most) {
    most = cellMost;
    mostCell = cell;
  }
}

/**
 * Puts the smallest and the largest sample of all into `out`, where one of them is not shown: each
 * into its cell. If both lie in the same one, the nearest cell that shows a sample (the later one
 * on ties) takes one of them, so that they stay in the order of time; if there is none, the largest
 * one is shown.
 */
export function keepExtremes(values: u32, target: i32, out: u32): void {
  if (leastCell < 0 || (isShown(least, target, out) && isShown(most, target, out))) return;
  if (leastCell != mostCell) {
    store<f64>(out + (<u32>leastCell << 3), least);
    store<f64>(out + (<u32>mostCell << 3), most);
    return;
  }
  const other = nearestShown(leastCell, target, out);
  if (other < 0) {
    store<f64>(out + (<u32>mostCell << 3), most);
    return;
  }
  const first = load<f64>(values + (<u32>firstOf(values, cellStart(leastCell), least, most) << 3));
  store<f64>(out + (<u32>min(leastCell, other) << 3), first);
  store<f64>(out + (<u32>max(leastCell, other) << 3), first == least ? most : least);
}

function isShown(value: f64, target: i32, out: u32): bool {
  for (let i = 0; i < target; i++) {
    if (load<f64>(out + (<u32>i << 3)) == value) return true;
  }
  return false;
}

function nearestShown(cell: i32, target: i32, out: u32): i32 {
  for (let distance = 1; distance < target; distance++) {
    if (cell + distance < target && shows(cell + distance, out)) return cell + distance;
    if (cell >= distance && shows(cell - distance, out)) return cell - distance;
  }
  return -1;
}

// @ts-ignore: decorator
@inline
function shows(cell: i32, out: u32): bool {
  const value = load<f64>(out + (<u32>cell << 3));
  return value == value;
}
