// Fast path of MinMaxLTTB (resample-minmaxlttb.ts) for what is asked most: four samples a cell, and
// no gap. All samples are candidates, and their times are the same in each cell.
//
// A choice needs the one before, and a chain of such steps keeps a core waiting most of the time.
// So two chains run side by side: the second one begins somewhere in the middle, with a guess. After
// a few steps the guess hardly ever matters; whether it did is looked at when the first chain
// arrives there, and if so, the second half is done again.
import { keepExtremes } from './resample-extremes';
import { area, largerOf, lower, upper } from './resample-triangles';

/** Steps of the second chain before its choices count. */
const LEAD: i32 = 4;
/** Fewer cells are not worth two chains. */
export const QUARTERS_MIN: i32 = 16;

const CELL_BYTES: u32 = 32;

/** 4 * target values without a gap, or nothing is written and false returned. */
export function resampleQuarters(values: u32, target: i32, out: u32): bool {
  let low = v128.load(values);
  let high = low;
  let sum = low;
  const end = values + <u32>target * CELL_BYTES;
  // Two cells at a time, of an odd number the first one twice.
  for (let at = values + (target & 1 ? 0 : CELL_BYTES); at < end; at += 2 * CELL_BYTES) {
    const before = max(at - CELL_BYTES, values);
    const first = v128.load(before);
    const second = v128.load(before, 16);
    const third = v128.load(at);
    const fourth = v128.load(at, 16);
    low = f64x2.pmin(low, f64x2.pmin(f64x2.pmin(first, second), f64x2.pmin(third, fourth)));
    high = f64x2.pmax(high, f64x2.pmax(f64x2.pmax(first, second), f64x2.pmax(third, fourth)));
    sum = f64x2.add(sum, f64x2.add(f64x2.add(first, second), f64x2.add(third, fourth)));
  }
  // A gap makes the sum NaN; so do numbers near the largest double.
  if (!i64x2.all_true(f64x2.eq(sum, sum))) return false;
  choose(values, target, out);
  const least = min(f64x2.extract_lane(low, 0), f64x2.extract_lane(low, 1));
  const most = max(f64x2.extract_lane(high, 0), f64x2.extract_lane(high, 1));
  keepExtremes(values, target, least, most, out);
  return true;
}

function choose(values: u32, target: i32, out: u32): void {
  const last = target - 1;
  // Cells from `middle` on are the second chain's.
  const middle = (target + LEAD + 1) >> 1;
  const ahead = middle - LEAD;
  let one = f64x2.replace_lane(f64x2.splat(-4), 1, load<f64>(values));
  let two = f64x2.replace_lane(f64x2.splat(-4), 1, load<f64>(cellAt(values, ahead - 1)));
  let guess = two;
  store<f64>(out, load<f64>(values));
  let cell = 1;
  let other = ahead;
  for (; other < last - 1; other++) {
    one = step(values, cell, meanOf(values, cell + 1), one);
    two = step(values, other, meanOf(values, other + 1), two);
    // The first chain comes last, so what both have written stays as it is right.
    v128.store64_lane(out + (<u32>other << 3), two, 1);
    v128.store64_lane(out + (<u32>cell << 3), one, 1);
    cell++;
    if (other == middle - 1) guess = two;
  }
  for (; cell < middle; cell++) {
    one = step(values, cell, meanOf(values, cell + 1), one);
    v128.store64_lane(out + (<u32>cell << 3), one, 1);
  }
  if (!i64x2.all_true(f64x2.eq(one, guess))) {
    for (two = one; cell < last - 1; cell++) {
      two = step(values, cell, meanOf(values, cell + 1), two);
      v128.store64_lane(out + (<u32>cell << 3), two, 1);
    }
  }
  // The last cell shows its last sample, which is the corner for the cell before.
  const corner = load<f64>(cellAt(values, last), 24);
  const pair = f64x2.replace_lane(f64x2.splat(7), 1, corner);
  v128.store64_lane(out + (<u32>(last - 1) << 3), step(values, last - 1, pair, two), 1);
  store<f64>(out + (<u32>last << 3), corner);
}

// @ts-ignore: decorator
@inline
function cellAt(values: u32, cell: i32): u32 {
  return values + <u32>cell * CELL_BYTES;
}

/** Time, counted from the cell before, and mean of a cell's samples. */
// @ts-ignore: decorator
@inline
function meanOf(values: u32, cell: i32): v128 {
  const first = v128.load(cellAt(values, cell));
  const second = v128.load(cellAt(values, cell), 16);
  // Added one by one, as elsewhere.
  const two = f64x2.add(first, v128.shuffle<i64>(first, first, 1, 0));
  const four = f64x2.add(f64x2.add(two, second), v128.shuffle<i64>(second, second, 1, 0));
  return v128.shuffle<i64>(f64x2.splat(5.5), f64x2.mul(four, f64x2.splat(0.25)), 0, 2);
}

/**
 * Time and value of the sample of a cell that makes the largest triangle with the one taken before
 * and a third corner. Times of corners are counted from the cell's first sample, that of the result
 * from the first one of the next cell.
 */
// @ts-ignore: decorator
@inline
function step(values: u32, cell: i32, corner: v128, taken: v128): v128 {
  const first = v128.load(cellAt(values, cell));
  const second = v128.load(cellAt(values, cell), 16);
  const odd = v128.shuffle<i64>(first, second, 0, 2);
  const even = v128.shuffle<i64>(first, second, 1, 3);
  const time = lower(taken);
  const value = upper(taken);
  const width = f64x2.sub(time, lower(corner));
  const height = f64x2.sub(upper(corner), value);
  const oddArea = area(width, height, f64x2.sub(odd, value), f64x2.sub(time, f64x2(0, 2)));
  const evenArea = area(width, height, f64x2.sub(even, value), f64x2.sub(time, f64x2(1, 3)));
  return largerOf(oddArea, evenArea, f64x2(-4, -2), f64x2(-3, -1), odd, even);
}
