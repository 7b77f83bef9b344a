// Extremes of groups of cells: spikes stay, and stay where they are to within a group.
import { firstSample, lastSample, valueAt } from './resample-buckets';
import { cellStart, nextCellEnd } from './resample-cells';
import {
  earlierIndex,
  findExtremes,
  keepExtremes,
  laterIndex,
  rangeLeast,
  rangeMost,
  scanRange,
} from './resample-extremes';

/**
 * Pairs of cells show the smallest and the largest of their samples, in the order of time. What cell
 * is left over at the end, and pairs with a gap, are as `resampleGroup` tells.
 */
export function resampleMinMax(values: u32, start: i32, target: i32, out: u32): void {
  let from = start;
  let isComplete = true;
  let cell = 0;
  for (; cell + 1 < target; cell += 2) {
    const middle = nextCellEnd();
    const until = nextCellEnd();
    // Fast path: both cells begin with a sample.
    if (isSample(values, from, middle) && isSample(values, middle, until)) {
      scanRange(values, from, until);
      findExtremes(values, from, until, rangeLeast, rangeMost);
      store<f64>(out + (<u32>cell << 3), valueAt(values, earlierIndex));
      store<f64>(out + (<u32>cell << 3), valueAt(values, laterIndex), 8);
    } else if (!resampleGroup(values, cell, 2, out)) isComplete = false;
    from = until;
  }
  if (cell < target && !resampleGroup(values, cell, 1, out)) isComplete = false;
  if (isComplete) return;
  scanRange(values, start, cellStart(target));
  keepExtremes(values, target, rangeLeast, rangeMost, out);
}

// @ts-ignore: decorator
@inline
function isSample(values: u32, index: i32, until: i32): bool {
  const value = load<f64>(values + (<u32>index << 3));
  return index < until && value == value;
}

/**
 * M4 (Jugel, Jerzak, Hackenbroich and Markl, "M4: A Visualization-Oriented Time Series Data
 * Aggregation", 2014): of four cells the first, the smallest, the largest and the last sample.
 */
export function resampleM4(values: u32, start: i32, target: i32, out: u32): void {
  let from = start;
  let isComplete = true;
  let cell = 0;
  for (; cell + 3 < target; cell += 4) {
    const second = nextCellEnd();
    const third = nextCellEnd();
    const fourth = nextCellEnd();
    const until = nextCellEnd();
    // Fast path: all cells begin with a sample, and the first one has two that differ.
    if (
      differs(values, from, second) &&
      isSample(values, second, third) &&
      isSample(values, third, fourth) &&
      isSample(values, fourth, until)
    ) {
      const at = out + (<u32>cell << 3);
      scanRange(values, from, until);
      findExtremes(values, from, until, rangeLeast, rangeMost);
      store<f64>(at, valueAt(values, from));
      store<f64>(at, valueAt(values, earlierIndex), 8);
      store<f64>(at, valueAt(values, laterIndex), 16);
      store<f64>(at, valueAt(values, lastSample(values, from, until)), 24);
    } else if (!resampleGroup(values, cell, 4, out)) isComplete = false;
    from = until;
  }
  if (cell < target && !resampleGroup(values, cell, target - cell, out)) isComplete = false;
  if (isComplete) return;
  scanRange(values, start, cellStart(target));
  keepExtremes(values, target, rangeLeast, rangeMost, out);
}

/** Whether the first two inputs from `from` on lie before `until`, and are different samples. */
// @ts-ignore: decorator
@inline
function differs(values: u32, from: i32, until: i32): bool {
  const first = load<f64>(values + (<u32>from << 3));
  const second = load<f64>(values + (<u32>from << 3), 8);
  return until - from > 1 && (first < second || first > second);
}

/**
 * Values of a group of `size` cells from `cell` on. They stand in the order of their time, in those
 * cells that have samples; the others are missing. If no cell has two different samples, each cell
 * shows its own. Else, by the number of cells that have samples:
 * - four: first, smallest, largest, last;
 * - three: smallest, largest, last;
 * - two: smallest, largest;
 * - one: of smallest and largest the one further away from the value shown before; the largest, if
 *   there is none or they are as far. Returns false then: the smallest or largest of all may be lost.
 */
function resampleGroup(values: u32, cell: i32, size: i32, out: u32): bool {
  let from = cellStart(cell);
  const first = from;
  let present = 0;
  let isFlat = true;
  for (let k = cell; k < cell + size; k++) {
    const until = cellStart(k + 1);
    scanRange(values, from, until);
    const hasSample = rangeLeast <= rangeMost;
    store<f64>(out + (<u32>k << 3), hasSample ? rangeLeast : NaN);
    isFlat = isFlat && (!hasSample || rangeLeast == rangeMost);
    present += <i32>hasSample;
    from = until;
  }
  if (isFlat) return true;
  writeGroup(values, first, from, present, cell, out);
  return present > 1;
}

/** A group from `cell` on, of which `present` cells have samples: those of inputs from … until - 1. */
function writeGroup(
  values: u32,
  from: i32,
  until: i32,
  present: i32,
  cell: i32,
  out: u32,
): void {
  scanRange(values, from, until);
  const least = rangeLeast;
  const most = rangeMost;
  let at = nextShown(cell, out);
  if (present == 1) {
    const before = valueAt(out, lastSample(out, 0, cell));
    const isLeast = Math.abs(least - before) > Math.abs(most - before);
    store<f64>(out + (<u32>at << 3), isLeast ? least : most);
    return;
  }
  if (present == 4) {
    store<f64>(out + (<u32>at << 3), valueAt(values, firstSample(values, from, until)));
    at = nextShown(at + 1, out);
  }
  findExtremes(values, from, until, least, most);
  store<f64>(out + (<u32>at << 3), valueAt(values, earlierIndex));
  at = nextShown(at + 1, out);
  store<f64>(out + (<u32>at << 3), valueAt(values, laterIndex));
  if (present < 3) return;
  at = nextShown(at + 1, out);
  store<f64>(out + (<u32>at << 3), valueAt(values, lastSample(values, from, until)));
}

/** The first cell from `cell` on that has a sample; there is one. */
// @ts-ignore: decorator
@inline
function nextShown(cell: i32, out: u32): i32 {
  let k = cell;
  while (load<f64>(out + (<u32>k << 3)) != load<f64>(out + (<u32>k << 3))) k++;
  return k;
}
