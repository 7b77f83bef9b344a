// Values by their rank: exactly by partial sorting, or from a sketch of how they are distributed.
import { SKETCH_BUCKET_SHIFT } from '../layout';

/** So few are sorted by insertion. */
const FEW: u32 = 16;

/** See exports/statistics.ts. */
export function copyPresent(values: u32, count: u32, out: u32): u32 {
  let to = out;
  const end = values + (count << 3);
  for (let at = values; at < end; at += 8) {
    const value = load<f64>(at);
    // Written anyway, and kept where it is a number: there is no branch to mispredict.
    store<f64>(to, value);
    to += <u32>(value == value) << 3;
  }
  return (to - out) >> 3;
}

/** Where the next pivots come from: no input is the worst one for all of them. */
let pivotState: u32 = 1;

// @ts-ignore: decorator
@inline
function nextBelow(count: u32): u32 {
  pivotState = pivotState * 1664525 + 1013904223;
  return <u32>((<u64>pivotState * <u64>count) >> 32);
}

// @ts-ignore: decorator
@inline
function middleOf(a: f64, b: f64, c: f64): f64 {
  return max(min(a, b), min(max(a, b), c));
}

/** See exports/statistics.ts. Quickselect (Hoare 1961), whose partition has no branch on a value. */
export function selectRank(values: u32, from: u32, until: u32, rank: u32): f64 {
  const wanted = values + (rank << 3);
  // The rank is among those from `low` up to `end`.
  let low = values + (from << 3);
  let end = values + (until << 3);
  while (end - low > FEW << 3) {
    if (wanted - low <= 8) return placeLeast(low, end, wanted);
    const count = (end - low) >> 3;
    const pivot = middleOf(
      load<f64>(low + (nextBelow(count) << 3)),
      load<f64>(low + (nextBelow(count) << 3)),
      load<f64>(low + (nextBelow(count) << 3)),
    );
    let middle = partition(low, end, pivot, 0);
    if (middle == low) {
      // The pivot is the least: all equal to it are in their places at once, of whatever number.
      middle = partition(low, end, pivot, 1);
      if (wanted < middle) return pivot;
    }
    if (wanted < middle) end = middle;
    else low = middle;
  }
  sortFew(low, end);
  return load<f64>(wanted);
}

/** Values below the pivot to the front, with `takesEqual` those equal to it too; returns their end. */
// @ts-ignore: decorator
@inline
function partition(low: u32, end: u32, pivot: f64, takesEqual: u32): u32 {
  let to = low;
  for (let at = low; at < end; at += 8) {
    const value = load<f64>(at);
    store<f64>(at, load<f64>(to));
    store<f64>(to, value);
    to += (<u32>(value < pivot) | (<u32>(value == pivot) & takesEqual)) << 3;
  }
  return to;
}

/** The least one to `low`, and the next if that is wanted: as it is behind a rank selected before. */
function placeLeast(low: u32, end: u32, wanted: u32): f64 {
  for (let to = low; to <= wanted; to += 8) {
    let least = load<f64>(to);
    for (let at = to + 8; at < end; at += 8) {
      const value = load<f64>(at);
      if (value >= least) continue;
      store<f64>(at, least);
      least = value;
    }
    store<f64>(to, least);
  }
  return load<f64>(wanted);
}

function sortFew(low: u32, end: u32): void {
  for (let at = low + 8; at < end; at += 8) {
    const value = load<f64>(at);
    let to = at;
    while (to > low && load<f64>(to - 8) > value) {
      store<f64>(to, load<f64>(to - 8));
      to -= 8;
    }
    store<f64>(to, value);
  }
}

/** See exports/statistics.ts. */
export function addToSketch(values: u32, count: u32, sketch: u32): void {
  const end = values + (count << 3);
  for (let at = values; at < end; at += 8) {
    // What is missing falls into buckets that no number has.
    const bucket = sketch + ((load<u32>(at, 4) >> SKETCH_BUCKET_SHIFT) << 2);
    store<u32>(bucket, load<u32>(bucket) + 1);
  }
}
