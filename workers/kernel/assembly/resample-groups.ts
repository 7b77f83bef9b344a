// Extremes of groups of cells: spikes stay, and stay where they are to within a group.
import { lastSample, firstSample, valueAt } from './resample-buckets';
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

/**
 * Pairs of cells show the smallest and the largest of their samples. What cells are left over at the
 * end are a group as well, and groups with gaps are as `resampleGroups` tells.
 */
export function resampleMinMax(values: u32, start: i32, target: i32, out: u32): void {
  resampleGroups(2, values, start, target, out);
}

/**
 * M4 (Jugel, Jerzak, Hackenbroich and Markl, "M4: A Visualization-Oriented Time Series Data
 * Aggregation", 2014): of four cells the first, the smallest, the largest and the last sample.
 */
export function resampleM4(values: u32, start: i32, target: i32, out: u32): void {
  resampleGroups(4, values, start, target, out);
}

/**
 * Values of a group stand in the order of their time, in those of its cells that have samples; the
 * others are missing. If no cell has two different samples, each cell shows its own. Else, by the
 * number of cells that have samples:
 * - four: first, smallest, largest, last;
 * - three: smallest, largest, last;
 * - two: smallest, largest;
 * - one: of smallest and largest the one further away from the value shown before; the largest, if
 *   there is none or they are as far.
 * The last rule may lose the smallest or largest of all: see `keepExtremes`.
 */
// @ts-ignore: decorator
@inline
function resampleGroups(size: i32, values: u32, start: i32, target: i32, out: u32): void {
  let from = start;
  resetExtremes();
  for (let cell = 0; cell < target; cell += size) {
    const behind = min(cell + size, target);
    const first = from;
    let least: f64 = Infinity;
    let most: f64 = -Infinity;
    let present = 0;
    let isFlat = true;
    for (let k = cell; k < behind; k++) {
      const until = nextCellEnd();
      scanRange(values, from, until);
      const hasSample = rangeLeast <= rangeMost;
      store<f64>(out + (<u32>k << 3), hasSample ? rangeLeast : NaN);
      if (hasSample) {
        noteExtremes(k, rangeLeast, rangeMost);
        isFlat = isFlat && rangeLeast == rangeMost;
        least = min(least, rangeLeast);
        most = max(most, rangeMost);
        present++;
      }
      from = until;
    }
    if (!isFlat) writeGroup(values, first, from, least, most, present, cell, out);
  }
  keepExtremes(values, target, out);
}

/** A group from `cell` on, of which `present` cells have samples: those of inputs from … until - 1. */
function writeGroup(
  values: u32,
  from: i32,
  until: i32,
  least: f64,
  most: f64,
  present: i32,
  cell: i32,
  out: u32,
): void {
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
  const first = load<f64>(values + (<u32>firstOf(values, from, least, most) << 3));
  store<f64>(out + (<u32>at << 3), first);
  at = nextShown(at + 1, out);
  store<f64>(out + (<u32>at << 3), first == least ? most : least);
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
