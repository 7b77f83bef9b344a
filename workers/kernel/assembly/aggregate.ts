// Combining series slot by slot.
import {
  BLOCK_MAX,
  BLOCK_MIN,
  BLOCK_START,
  BLOCK_WORD,
  CODEC_FOR32,
  HEAD_SLOTS,
  SERIES_HEAD,
  SERIES_HEAD_SLOT,
  WORD_BITMAP,
} from '../layout';
import {
  blockBase,
  blockPayload,
  POWERS_OF_TEN,
  wordBits,
  wordCodec,
  wordExceptions,
  wordExponent,
  wordSlots,
} from './block-fields';
import { decodeBlockRange } from './decode';
import { blockAt, blockCount, firstOverlap } from './directory';
import { INTS_EXPONENT_MAX } from './ints';
import { addNarrow, unpackNarrow } from './pack';
import { readSeries } from './series';

const SUM_BOUND: f64 = 2147483647;
/** Blocks may stick out of the range by this much on either side: so they are added whole. */
const MARGIN: u32 = 128;

let sumExponent: i32 = 0;
/** Largest scaled value of a head that cannot make the integer sum overflow. */
let headLimit: f64 = 0;

/** Directory index of the first block that matters for slots from `from` on. */
// @ts-ignore: decorator
@inline
function firstBlock(series: u32, from: u32): i32 {
  // Fast path of the newest slots: all in the head, and no block is touched. Without one its slot is
  // beyond all others.
  if (from >= load<u32>(series + SERIES_HEAD_SLOT)) return blockCount(series);
  return firstOverlap(series, from);
}

/**
 * Whether the sum over all series fits 32-bit integers of one decimal exponent (left in
 * `sumExponent`): every overlapping block is packed decimals or constant and without gaps.
 */
function sumsAsIntegers(list: u32, length: i32, from: u32, until: u32): bool {
  let exponent = 0;
  let bound: f64 = 0;
  for (let k = 0; k < length; k++) {
    const series = load<u32>(list + (k << 2));
    const count = blockCount(series);
    let largest: f64 = 0;
    for (let index = firstBlock(series, from); index < count; index++) {
      const block = blockAt(series, index);
      if (load<u32>(block + BLOCK_START) >= until) break;
      const word = load<u32>(block + BLOCK_WORD);
      if (wordCodec(word) == CODEC_FOR32 && !wordExceptions(word)) {
        exponent = max(exponent, wordExponent(word));
        const reach = max(
          Math.abs(load<f64>(block + BLOCK_MIN)),
          Math.abs(load<f64>(block + BLOCK_MAX)),
        );
        largest = max(largest, reach);
      }
    }
    bound += largest;
  }
  sumExponent = exponent;
  headLimit = (SUM_BOUND - bound * unchecked(POWERS_OF_TEN[exponent])) / <f64>length;
  return exponent <= INTS_EXPONENT_MAX && bound * unchecked(POWERS_OF_TEN[exponent]) < SUM_BOUND;
}

/** Adds a block of packed decimals to integer sums; `integers` is the sum of its first slot. */
function addInteger(block: u32, word: u32, integers: u32, lanes: u32): void {
  const slots = wordSlots(word);
  const packed = blockPayload(block, word);
  const base = <i32>blockBase(block, word);
  const whole = slots >> 2;
  const exponent = wordExponent(word);
  if (exponent == sumExponent && (slots & 3) == 0) {
    addNarrow(packed, whole, wordBits(word), base, integers);
    return;
  }
  unpackNarrow(packed, 0, (slots + 3) >> 2, wordBits(word), base, lanes);
  const factor = <i32>unchecked(POWERS_OF_TEN[sumExponent - exponent]);
  for (let i = 0; i < slots; i++) {
    const at = integers + (i << 2);
    store<i32>(at, load<i32>(at) + load<i32>(lanes + (i << 2)) * factor);
  }
}

/** Adds one part of a series (Float64, NaN = missing) to sums and counts. */
function addValues(values: u32, count: u32, sums: u32, counts: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const value = load<f64>(values + (i << 3));
    if (value != value) continue;
    const at = sums + (i << 3);
    store<f64>(at, load<f64>(at) + value);
    store<i32>(counts + (i << 2), load<i32>(counts + (i << 2)) + 1);
  }
}

/** See exports/aggregate.ts. */
export function sumSeries(
  list: u32,
  length: i32,
  from: u32,
  count: u32,
  out: u32,
  contributors: u32,
  work: u32,
): void {
  const until = from + count;
  const asIntegers = sumsAsIntegers(list, length, from, until);
  const lanes = work;
  const integers = work + 2048 + (MARGIN << 2);
  const steps = integers + ((count + MARGIN) << 2);
  memory.fill(work + 2048, 0, ((count + 2 * MARGIN) << 2) + ((count + 2) << 2));
  memory.fill(out, 0, count << 3);
  memory.fill(contributors, 0, count << 2);
  for (let k = 0; k < length; k++) {
    const series = load<u32>(list + (k << 2));
    const blocks = blockCount(series);
    for (let index = firstBlock(series, from); index < blocks; index++) {
      const block = blockAt(series, index);
      const start = load<u32>(block + BLOCK_START);
      if (start >= until) break;
      const word = load<u32>(block + BLOCK_WORD);
      const end = start + wordSlots(word);
      const first = max<u32>(start, from);
      const last = min<u32>(end, until);
      if (
        asIntegers &&
        wordCodec(word) == CODEC_FOR32 &&
        !wordExceptions(word) &&
        !(word & WORD_BITMAP)
      ) {
        addInteger(block, word, integers + ((start - from) << 2), lanes);
        const begin = steps + ((first - from) << 2);
        const stop = steps + ((last - from) << 2);
        store<i32>(begin, load<i32>(begin) + 1);
        store<i32>(stop, load<i32>(stop) - 1);
      } else {
        decodeBlockRange(block, first - start, last - start, lanes);
        addValues(lanes, last - first, out + ((first - from) << 3), contributors + ((first - from) << 2));
      }
    }
    addHead(series, from, until, out, contributors, integers, steps, asIntegers);
  }
  finishSums(count, integers, steps, out, contributors);
}

function addHead(
  series: u32,
  from: u32,
  until: u32,
  out: u32,
  contributors: u32,
  integers: u32,
  steps: u32,
  asIntegers: bool,
): void {
  const head = load<u32>(series + SERIES_HEAD);
  if (!head) return;
  const headSlot = load<u32>(series + SERIES_HEAD_SLOT);
  const first = max<u32>(headSlot, from);
  const last = min<u32>(headSlot + HEAD_SLOTS, until);
  if (first >= last) return;
  const values = head + ((first - headSlot) << 3);
  const offset = first - from;
  if (!asIntegers) {
    addValues(values, last - first, out + (offset << 3), contributors + (offset << 2));
    return;
  }
  const power = unchecked(POWERS_OF_TEN[sumExponent]);
  for (let i: u32 = 0; i < last - first; i++) {
    const value = load<f64>(values + (i << 3));
    if (value != value) continue;
    const scaled = nearest(value * power);
    const slot = offset + i;
    if (scaled / power == value && Math.abs(scaled) < headLimit) {
      const sum = integers + (slot << 2);
      store<i32>(sum, load<i32>(sum) + <i32>scaled);
      const begin = steps + (slot << 2);
      store<i32>(begin, load<i32>(begin) + 1);
      store<i32>(begin + 4, load<i32>(begin + 4) - 1);
    } else addValues(values + (i << 3), 1, out + (slot << 3), contributors + (slot << 2));
  }
}

/** Joins integer and floating sums; counts of whole blocks come as steps up and down. */
function finishSums(count: u32, integers: u32, steps: u32, out: u32, contributors: u32): void {
  const power = unchecked(POWERS_OF_TEN[sumExponent]);
  let whole = 0;
  for (let i: u32 = 0; i < count; i++) {
    whole += load<i32>(steps + (i << 2));
    const at = out + (i << 3);
    const counted = contributors + (i << 2);
    const others = load<i32>(counted);
    store<i32>(counted, others + whole);
    if (whole) {
      const exact = <f64>load<i32>(integers + (i << 2)) / power;
      store<f64>(at, others ? load<f64>(at) + exact : exact);
    } else if (!others) store<f64>(at, NaN);
  }
}

function extremeSeries(
  list: u32,
  length: i32,
  from: u32,
  count: u32,
  out: u32,
  contributors: u32,
  work: u32,
  sign: f64,
): void {
  for (let i: u32 = 0; i < count; i++) store<f64>(out + (i << 3), NaN);
  memory.fill(contributors, 0, count << 2);
  for (let k = 0; k < length; k++) {
    readSeries(load<u32>(list + (k << 2)), from, count, work);
    for (let i: u32 = 0; i < count; i++) {
      const value = load<f64>(work + (i << 3));
      if (value != value) continue;
      const at = out + (i << 3);
      const best = load<f64>(at);
      if (best != best || value * sign > best * sign) store<f64>(at, value);
      store<i32>(contributors + (i << 2), load<i32>(contributors + (i << 2)) + 1);
    }
  }
}

/** See exports/aggregate.ts. */
export function minSeries(
  list: u32,
  length: i32,
  from: u32,
  count: u32,
  out: u32,
  contributors: u32,
  work: u32,
): void {
  extremeSeries(list, length, from, count, out, contributors, work, -1);
}

/** See exports/aggregate.ts. */
export function maxSeries(
  list: u32,
  length: i32,
  from: u32,
  count: u32,
  out: u32,
  contributors: u32,
  work: u32,
): void {
  extremeSeries(list, length, from, count, out, contributors, work, 1);
}

/** See exports/aggregate.ts. */
export function divideByCount(values: u32, contributors: u32, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const by = load<u32>(contributors + (i << 2));
    if (by > 1) store<f64>(values + (i << 3), load<f64>(values + (i << 3)) / <f64>by);
  }
}

/** See exports/aggregate.ts. */
export function scaleValues(values: u32, count: u32, factor: f64): void {
  for (let i: u32 = 0; i < count; i++) {
    store<f64>(values + (i << 3), load<f64>(values + (i << 3)) * factor);
  }
}
