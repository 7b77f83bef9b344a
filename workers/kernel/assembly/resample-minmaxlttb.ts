// MinMaxLTTB (Jeroen Van Der Donckt, Jonas Van Der Donckt, Rademaker and Van Hoecke, "MinMaxLTTB:
// Leveraging MinMax-Preselection to Scale LTTB", 2023): LTTB that only looks at extremes.
//
// Four points of a cell are candidates (the paper's ratio of 4): smallest and largest of each half,
// in the order of time and once if they are the same; all samples of a cell of at most four. LTTB is
// done over the candidates with their own times; gaps are as in resample-lttb.ts, but that a mean's
// time is the mean of the candidates' times. First and last cell show their first and last sample. At the end
// the smallest and the largest of all are put where they belong, if they were not chosen.
import { SCRATCH_BASE } from '../layout';
import { firstSample, lastSample, valueAt } from './resample-buckets';
import { nextCellEnd } from './resample-cells';
import {
  firstOf,
  keepExtremes,
  noteExtremes,
  rangeLeast,
  rangeMost,
  resetExtremes,
  scanRange,
} from './resample-extremes';

const CANDIDATES: i32 = 4;
/** Candidates of two cells: each four times Float64 (indexes), then four values. */
const LIST_BYTES: u32 = 64;
const LISTS: u32 = SCRATCH_BASE + 16384;
const VALUES: u32 = 32;

// Of the list made last.
let listCount: i32 = 0;
let meanTime: f64 = 0;
let meanValue: f64 = 0;

// The candidate taken last; its value is NaN before the first.
let takenTime: f64 = 0;
let takenValue: f64 = 0;

/** Cells of `values` from input `start` on. */
export function resampleMinMaxLttb(values: u32, start: i32, target: i32, out: u32): void {
  resetExtremes();
  takenTime = -1;
  takenValue = NaN;
  let from = start;
  let until = nextCellEnd();
  let list = LISTS;
  collect(values, 0, from, until, list);
  let count = listCount;
  for (let cell = 0; cell < target; cell++) {
    const next = LISTS + LISTS + LIST_BYTES - list;
    let behind = until;
    if (cell + 1 < target) {
      behind = nextCellEnd();
      collect(values, cell + 1, until, behind, next);
    }
    const nextCount = listCount;
    if (cell == 0) take(values, firstSample(values, from, until));
    else if (cell == target - 1) take(values, lastSample(values, from, until));
    else {
      if (cell == target - 2) aimAtLast(values, until, behind);
      if (count) takeLargest(list, count);
    }
    store<f64>(out + (<u32>cell << 3), count ? takenValue : NaN);
    from = until;
    until = behind;
    list = next;
    count = nextCount;
  }
  keepExtremes(values, target, out);
}

/** Of the last cell its last sample is what will be shown. */
function aimAtLast(values: u32, from: i32, until: i32): void {
  const last = lastSample(values, from, until);
  if (last < 0) return;
  meanTime = <f64>last;
  meanValue = valueAt(values, last);
}

function take(values: u32, index: i32): void {
  if (index < 0) return;
  takenTime = <f64>index;
  takenValue = valueAt(values, index);
}

/** Takes the candidate of the largest triangle, the first one on ties. */
// @ts-ignore: decorator
@inline
function takeLargest(list: u32, count: i32): void {
  const width = takenTime - meanTime;
  const hasBefore = takenValue == takenValue;
  const hasMean = meanValue == meanValue;
  let best = list;
  let bestArea: f64 = -1;
  for (let i = 0; i < count; i++) {
    const at = list + (<u32>i << 3);
    const y = load<f64>(at, VALUES);
    const left = hasBefore ? takenValue : y;
    const right = hasMean ? meanValue : y;
    const area = Math.abs(width * (y - left) - (takenTime - load<f64>(at)) * (right - left));
    // An area may overflow, or be none of two infinite ones: then the first candidate stays.
    if (area > bestArea) {
      bestArea = area;
      best = at;
    }
  }
  takenTime = load<f64>(best);
  takenValue = load<f64>(best, VALUES);
}

/** Makes the list of a cell's candidates, and their mean. */
// @ts-ignore: decorator
@inline
function collect(values: u32, cell: i32, from: i32, until: i32, list: u32): void {
  listCount = 0;
  if (until - from <= CANDIDATES) collectAll(values, cell, from, until, list);
  else {
    const middle = (from + until) >> 1;
    collectExtremes(values, cell, from, middle, list);
    collectExtremes(values, cell, middle, until, list);
  }
  let times: f64 = 0;
  let sum: f64 = 0;
  for (let i = 0; i < listCount; i++) {
    times += load<f64>(list + (<u32>i << 3));
    sum += load<f64>(list + (<u32>i << 3), VALUES);
  }
  meanTime = listCount ? times / <f64>listCount : <f64>(from + until - 1) * 0.5;
  meanValue = sum / <f64>listCount;
}

// @ts-ignore: decorator
@inline
function collectAll(values: u32, cell: i32, from: i32, until: i32, list: u32): void {
  for (let i = from; i < until; i++) {
    const value = load<f64>(values + (<u32>i << 3));
    if (value != value) continue;
    noteExtremes(cell, value, value);
    append(list, i, value);
  }
}

function collectExtremes(values: u32, cell: i32, from: i32, until: i32, list: u32): void {
  scanRange(values, from, until);
  const least = rangeLeast;
  const most = rangeMost;
  if (!(least <= most)) return;
  noteExtremes(cell, least, most);
  const first = firstOf(values, from, least, most);
  const value = load<f64>(values + (<u32>first << 3));
  append(list, first, value);
  if (least == most) return;
  const other = value == least ? most : least;
  append(list, firstOf(values, first, other, other), other);
}

// @ts-ignore: decorator
@inline
function append(list: u32, index: i32, value: f64): void {
  const at = list + (<u32>listCount << 3);
  store<f64>(at, <f64>index);
  store<f64>(at, value, VALUES);
  listCount++;
}
