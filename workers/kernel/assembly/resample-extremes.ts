// The smallest and the largest sample: of ranges, and of all, which curves must not lose.
//
// Which of a few samples wins is chance, so a branch on it is guessed wrong half of the time, and a
// wrong guess costs more than all the rest: short ranges are compared in registers.
import { cellOf, cellStart } from './resample-cells';

/** What `scanRange` found: Infinity and -Infinity if there is no sample. */
export let rangeLeast: f64 = 0;
export let rangeMost: f64 = 0;
/** Indexes of the first smallest and the first largest sample, in the order of time. */
export let earlierIndex: i32 = 0;
export let laterIndex: i32 = 0;

/** Ranges up to so many inputs are searched with a bit for each. */
const MASK_INPUTS: i32 = 64;

/**
 * Extremes of the samples `from` … `until` - 1. Missing ones are skipped without a look: `pmin` and
 * `pmax` keep their first operand unless the second one is beyond it.
 */
// @ts-ignore: decorator
@inline
export function scanRange(values: u32, from: i32, until: i32): void {
  let at = values + (<u32>from << 3);
  const end = values + (<u32>until << 3);
  let low = f64x2.splat(Infinity);
  let high = f64x2.splat(-Infinity);
  let otherLow = low;
  let otherHigh = high;
  for (; at + 32 <= end; at += 32) {
    const first = v128.load(at);
    const second = v128.load(at, 16);
    low = f64x2.pmin(low, first);
    high = f64x2.pmax(high, first);
    otherLow = f64x2.pmin(otherLow, second);
    otherHigh = f64x2.pmax(otherHigh, second);
  }
  for (; at < end; at += 8) {
    const value = v128.load64_splat(at);
    low = f64x2.pmin(low, value);
    high = f64x2.pmax(high, value);
  }
  low = f64x2.pmin(low, otherLow);
  high = f64x2.pmax(high, otherHigh);
  low = f64x2.pmin(low, v128.shuffle<i64>(low, low, 1, 0));
  high = f64x2.pmax(high, v128.shuffle<i64>(high, high, 1, 0));
  rangeLeast = f64x2.extract_lane(low, 0);
  rangeMost = f64x2.extract_lane(high, 0);
}

/** Finds where the extremes of a range lie, which are there. */
// @ts-ignore: decorator
@inline
export function findExtremes(values: u32, from: i32, until: i32, least: f64, most: f64): void {
  if (until - from > MASK_INPUTS) {
    findFar(values, from, least, most);
    return;
  }
  const leasts = f64x2.splat(least);
  const mosts = f64x2.splat(most);
  let low: u64 = 0;
  let high: u64 = 0;
  const start = values + (<u32>from << 3);
  // The last lane may lie behind the range, but then the one before it has been found.
  for (let i = 0; i < until - from; i += 2) {
    const pair = v128.load(start + (<u32>i << 3));
    low |= <u64>i64x2.bitmask(f64x2.eq(pair, leasts)) << <u64>i;
    high |= <u64>i64x2.bitmask(f64x2.eq(pair, mosts)) << <u64>i;
  }
  const lowIndex = <i32>ctz(low);
  const highIndex = <i32>ctz(high);
  const difference = lowIndex - highIndex;
  const negative = difference & (difference >> 31);
  earlierIndex = from + highIndex + negative;
  laterIndex = from + lowIndex - negative;
}

function findFar(values: u32, from: i32, least: f64, most: f64): void {
  const lowIndex = indexOf(values, from, least);
  const highIndex = indexOf(values, from, most);
  earlierIndex = min(lowIndex, highIndex);
  laterIndex = max(lowIndex, highIndex);
}

/** Index of the first `value` from `from` on; there is one. */
function indexOf(values: u32, from: i32, value: f64): i32 {
  const wanted = f64x2.splat(value);
  let at = values + (<u32>from << 3);
  while (!v128.any_true(equalOfEight(at, wanted))) at += 64;
  while (true) {
    const found = i64x2.bitmask(f64x2.eq(v128.load(at), wanted));
    if (found) return <i32>((at - values) >> 3) + ctz(found);
    at += 16;
  }
}

// @ts-ignore: decorator
@inline
function equalOfEight(at: u32, wanted: v128): v128 {
  return v128.or(
    v128.or(f64x2.eq(v128.load(at), wanted), f64x2.eq(v128.load(at, 16), wanted)),
    v128.or(f64x2.eq(v128.load(at, 32), wanted), f64x2.eq(v128.load(at, 48), wanted)),
  );
}

/**
 * Puts `least` and `most`, the extremes of all cells, into `out` if they are not shown, each into the
 * first cell that has it. If that is the other one's place, the nearest cell that shows a sample (the
 * later one on ties) takes one of them, so that they stay in the order of time; if there is none,
 * the largest one is shown.
 */
export function keepExtremes(values: u32, target: i32, least: f64, most: f64, out: u32): void {
  if (!(least <= most)) return;
  scanRange(out, 0, target);
  const lacksLeast = rangeLeast != least;
  const lacksMost = rangeMost != most;
  if (lacksLeast) keepOne(values, target, least, most, lacksMost, out);
  else if (lacksMost) keepOne(values, target, most, least, false, out);
}

/** Shows a value that is not; if the other one is not shown either, it will be. */
function keepOne(
  values: u32,
  target: i32,
  value: f64,
  other: f64,
  lacksOther: bool,
  out: u32,
): void {
  const start = cellStart(0);
  const cell = cellOf(indexOf(values, start, value));
  const at = out + (<u32>cell << 3);
  if (lacksOther) {
    const place = cellOf(indexOf(values, start, other));
    store<f64>(out + (<u32>place << 3), other);
  }
  if (load<f64>(at) != other) {
    store<f64>(at, value);
    return;
  }
  const near = nearestShown(cell, target, out);
  if (near < 0) {
    store<f64>(at, max(value, other));
    return;
  }
  const from = cellStart(cell);
  const isFirst = indexOf(values, from, value) < indexOf(values, from, other);
  store<f64>(out + (<u32>min(cell, near) << 3), isFirst ? value : other);
  store<f64>(out + (<u32>max(cell, near) << 3), isFirst ? other : value);
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
