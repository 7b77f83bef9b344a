// MinMaxLTTB (Jeroen Van Der Donckt, Jonas Van Der Donckt, Rademaker and Van Hoecke, "MinMaxLTTB:
// Leveraging MinMax-Preselection to Scale LTTB", 2023): LTTB that only looks at extremes.
//
// Four points of a cell are candidates (the paper's ratio of 4): smallest and largest of each half,
// in the order of time and once if they are the same; all samples of a cell of at most four inputs.
// LTTB is done over the candidates with their own times; gaps are as in resample-lttb.ts, but that a
// mean's time is the mean of the candidates' times. First and last cell show their first and last
// sample. At the end the smallest and the largest of all are put where they belong, if they were not
// chosen.
//
// The next choice needs this one, so the way from one to the next is all the time it takes: four
// candidates are compared without a branch, which would be guessed wrong every other time.
import { SCRATCH_BASE } from '../layout';
import { firstSample, lastSample, valueAt } from './resample-buckets';
import { nextCellEnd } from './resample-cells';
import {
  earlierIndex,
  findExtremes,
  keepExtremes,
  laterIndex,
  rangeLeast,
  rangeMost,
  scanRange,
} from './resample-extremes';
import { area, largerOf, lower, upper } from './resample-triangles';

const CANDIDATES: i32 = 4;
/**
 * Work areas: lists of the candidates of two cells. A list is four registers of two Float64: times
 * of the first and third candidate, of the second and fourth, and their values likewise.
 */
const LISTS: u32 = SCRATCH_BASE + 16384;
const LIST_BYTES: u32 = 64;
const VALUES: u32 = 32;

// Of the list made last: how many candidates, and their mean.
let count: i32 = 0;
let meanTime: f64 = 0;
let meanValue: f64 = 0;

/** Cells of `values` from input `start` on. */
export function resampleMinMaxLttb(values: u32, start: i32, target: i32, out: u32): void {
  let from = start;
  let until = nextCellEnd();
  let behind = until;
  let list = LISTS;
  // Time and value of the sample taken last.
  let taken = f64x2(-1, NaN);
  let low = f64x2.splat(Infinity);
  let high = f64x2.splat(-Infinity);
  listCandidates(values, from, until, list);
  let listed = count;
  for (let cell = 0; cell < target; cell++) {
    const next = LISTS + LISTS + LIST_BYTES - list;
    if (cell + 1 < target) {
      behind = nextCellEnd();
      listCandidates(values, until, behind, next);
    }
    if (listed) {
      const odd = v128.load(list, VALUES);
      const even = v128.load(list, VALUES + 16);
      low = f64x2.pmin(f64x2.pmin(low, odd), even);
      high = f64x2.pmax(f64x2.pmax(high, odd), even);
      if (cell == 0) taken = sampleAt(values, firstSample(values, from, until));
      else if (cell == target - 1) taken = sampleAt(values, lastSample(values, from, until));
      else {
        if (cell == target - 2) aimAtLast(values, until, behind);
        taken = largestOf(list, taken);
      }
      v128.store64_lane(out + (<u32>cell << 3), taken, 1);
    } else store<f64>(out + (<u32>cell << 3), NaN);
    from = until;
    until = behind;
    list = next;
    listed = count;
  }
  low = f64x2.pmin(low, upper(low));
  high = f64x2.pmax(high, upper(high));
  keepExtremes(values, target, f64x2.extract_lane(low, 0), f64x2.extract_lane(high, 0), out);
}

// @ts-ignore: decorator
@inline
function sampleAt(values: u32, index: i32): v128 {
  return f64x2.replace_lane(f64x2.splat(<f64>index), 1, valueAt(values, index));
}

/** The candidate that makes the largest triangle with the sample taken and the mean. */
// @ts-ignore: decorator
@inline
function largestOf(list: u32, taken: v128): v128 {
  const odd = v128.load(list, VALUES);
  const even = v128.load(list, VALUES + 16);
  const oddTimes = v128.load(list);
  const evenTimes = v128.load(list, 16);
  const time = lower(taken);
  const value = upper(taken);
  const mean = f64x2.splat(meanValue);
  // A corner that is not known is level with the candidate.
  const isFirst = f64x2.extract_lane(taken, 0) < 0;
  const hasMean = meanValue == meanValue;
  const oddLeft = isFirst ? odd : value;
  const evenLeft = isFirst ? even : value;
  const width = f64x2.sub(time, f64x2.splat(meanTime));
  const oddHeight = f64x2.sub(hasMean ? mean : odd, oddLeft);
  const evenHeight = f64x2.sub(hasMean ? mean : even, evenLeft);
  const oddArea = area(width, oddHeight, f64x2.sub(odd, oddLeft), f64x2.sub(time, oddTimes));
  const evenArea = area(width, evenHeight, f64x2.sub(even, evenLeft), f64x2.sub(time, evenTimes));
  return largerOf(oddArea, evenArea, oddTimes, evenTimes, odd, even);
}

/** Of the last cell its last sample is what will be shown. */
function aimAtLast(values: u32, from: i32, until: i32): void {
  const last = lastSample(values, from, until);
  if (last < 0) return;
  meanTime = <f64>last;
  meanValue = valueAt(values, last);
}

/** Makes the list of a cell's candidates, and their mean. */
// @ts-ignore: decorator
@inline
function listCandidates(values: u32, from: i32, until: i32, list: u32): void {
  if (until - from == CANDIDATES) {
    const first = v128.load(values + (<u32>from << 3));
    const second = v128.load(values + (<u32>from << 3), 16);
    const sum =
      f64x2.extract_lane(first, 0) +
      f64x2.extract_lane(first, 1) +
      f64x2.extract_lane(second, 0) +
      f64x2.extract_lane(second, 1);
    // Fast path: four samples.
    if (sum == sum) {
      const times = f64x2.add(f64x2.splat(<f64>from), f64x2(0, 2));
      v128.store(list, times);
      v128.store(list, f64x2.add(times, f64x2.splat(1)), 16);
      v128.store(list, v128.shuffle<i64>(first, second, 0, 2), VALUES);
      v128.store(list, v128.shuffle<i64>(first, second, 1, 3), VALUES + 16);
      count = CANDIDATES;
      meanTime = <f64>from + 1.5;
      meanValue = sum * 0.25;
      return;
    }
  }
  listFew(values, from, until, list);
}

/** The same for fewer samples, and for more. */
function listFew(values: u32, from: i32, until: i32, list: u32): void {
  count = 0;
  meanTime = 0;
  meanValue = 0;
  if (until - from > CANDIDATES) {
    const middle = (from + until) >> 1;
    listExtremes(values, from, middle, list);
    listExtremes(values, middle, until, list);
  } else {
    for (let i = from; i < until; i++) {
      const value = load<f64>(values + (<u32>i << 3));
      if (value == value) append(list, i, value);
    }
  }
  meanTime = count ? meanTime / <f64>count : <f64>(from + until - 1) * 0.5;
  meanValue = meanValue / <f64>count;
  if (!count) return;
  // The list is filled up with its last candidate: a later one wins no tie.
  const last = candidateAt(list, count - 1);
  for (let i = count; i < CANDIDATES; i++) {
    store<f64>(candidateAt(list, i), load<f64>(last));
    store<f64>(candidateAt(list, i), load<f64>(last, VALUES), VALUES);
  }
}

function listExtremes(values: u32, from: i32, until: i32, list: u32): void {
  scanRange(values, from, until);
  if (!(rangeLeast <= rangeMost)) return;
  findExtremes(values, from, until, rangeLeast, rangeMost);
  append(list, earlierIndex, valueAt(values, earlierIndex));
  if (laterIndex > earlierIndex) append(list, laterIndex, valueAt(values, laterIndex));
}

// @ts-ignore: decorator
@inline
function append(list: u32, index: i32, value: f64): void {
  const at = candidateAt(list, count);
  store<f64>(at, <f64>index);
  store<f64>(at, value, VALUES);
  meanTime += <f64>index;
  meanValue += value;
  count++;
}

/** Where the time of a candidate lies. */
// @ts-ignore: decorator
@inline
function candidateAt(list: u32, index: i32): u32 {
  return list + (<u32>(index & 1) << 4) + (<u32>(index >> 1) << 3);
}
