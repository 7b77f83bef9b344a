// Combining series slot by slot, and statistics.
import {
  BLOCK_ADDRESS_MASK,
  BLOCK_MAX,
  BLOCK_MIN,
  BLOCK_START,
  BLOCK_SUM,
  BLOCK_WORD,
  CODEC_CONSTANT,
  CODEC_FOR32,
  HEAD_SLOTS,
  SERIES_BLOCKS,
  SERIES_BLOCK_COUNT,
  SERIES_HEAD,
  SERIES_HEAD_SLOT,
  WORD_BITMAP,
} from '../layout';
import {
  blockBase,
  blockPayload,
  decodeBlockRange,
  POWERS_OF_TEN,
  unpackNarrow,
  wordBits,
  wordCodec,
  wordCount,
  wordExceptions,
  wordExponent,
  wordSlots,
} from './block';
import { formatNumber, formatScaledInts } from './format';
import { firstBlockFrom, readSeries } from './series';

const MISSING_TEXT: u32 = 0x6c6c756e;
const COMMA: u8 = 44;
/** Larger exponents are rare and would overflow 32-bit integers soon. */
const SUM_EXPONENT_MAX: i32 = 6;
const SUM_BOUND: f64 = 2147483647;
/** Blocks may stick out of the range by this much on either side: so they are added whole. */
const MARGIN: u32 = 128;

// @ts-ignore: decorator
@inline
function blockAt(list: u32, index: i32): u32 {
  return load<u32>(list + (index << 2)) & BLOCK_ADDRESS_MASK;
}

/** Directory index of the first block that reaches into or behind `from`. */
// @ts-ignore: decorator
@inline
function firstOverlap(series: u32, from: u32): i32 {
  const index = firstBlockFrom(series, from);
  if (index == 0) return 0;
  const block = blockAt(load<u32>(series + SERIES_BLOCKS), index - 1);
  const end = load<u32>(block + BLOCK_START) + wordSlots(load<u32>(block + BLOCK_WORD));
  return end > from ? index - 1 : index;
}

let sumExponent: i32 = 0;
/** Largest scaled value of a head that cannot make the integer sum overflow. */
let headLimit: f64 = 0;

/**
 * Whether the sum over all series fits 32-bit integers of one decimal exponent (left in
 * `sumExponent`): every overlapping block is packed decimals or constant and without gaps.
 */
function sumsAsIntegers(list: u32, length: i32, from: u32, until: u32): bool {
  let exponent = 0;
  let bound: f64 = 0;
  for (let k = 0; k < length; k++) {
    const series = load<u32>(list + (k << 2));
    const blocks = load<u32>(series + SERIES_BLOCKS);
    const count = <i32>load<u16>(series + SERIES_BLOCK_COUNT);
    let largest: f64 = 0;
    for (let index = firstOverlap(series, from); index < count; index++) {
      const block = blockAt(blocks, index);
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
  return exponent <= SUM_EXPONENT_MAX && bound * unchecked(POWERS_OF_TEN[exponent]) < SUM_BOUND;
}

/** Adds a block of packed decimals to integer sums; `integers` is the sum of its first slot. */
function addInteger(block: u32, word: u32, integers: u32, lanes: u32): void {
  const slots = wordSlots(word);
  const packed = blockPayload(block, word);
  const base = <i32>blockBase(block, word);
  const whole = slots >> 2;
  const exponent = wordExponent(word);
  if (exponent == sumExponent && (slots & 3) == 0) {
    addPacked(packed, whole, wordBits(word), base, integers);
    return;
  }
  unpackNarrow(packed, (slots + 3) >> 2, wordBits(word), base, lanes);
  const factor = <i32>unchecked(POWERS_OF_TEN[sumExponent - exponent]);
  for (let i = 0; i < slots; i++) {
    const at = integers + (i << 2);
    store<i32>(at, load<i32>(at) + load<i32>(lanes + (i << 2)) * factor);
  }
}

/** `unpackNarrow` that adds to what is at `sums`: one pass over memory less. */
function addPacked(packed: u32, rows: i32, bits: i32, base: i32, sums: u32): void {
  const bases = i32x4.splat(base);
  const mask = i32x4.splat(bits == 32 ? -1 : (1 << bits) - 1);
  let word = v128.load(packed);
  let shift = 0;
  for (let row = 0; row < rows; row++) {
    let lanes = i32x4.shr_u(word, shift);
    shift += bits;
    if (shift >= 32) {
      shift -= 32;
      packed += 16;
      word = v128.load(packed);
      if (shift) lanes = v128.or(lanes, i32x4.shl(word, bits - shift));
    }
    const at = sums + (row << 4);
    v128.store(at, i32x4.add(v128.load(at), i32x4.add(v128.and(lanes, mask), bases)));
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
    const blocks = load<u32>(series + SERIES_BLOCKS);
    const blockCount = <i32>load<u16>(series + SERIES_BLOCK_COUNT);
    for (let index = firstOverlap(series, from); index < blockCount; index++) {
      const block = blockAt(blocks, index);
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

let statCount: f64 = 0;
let statSum: f64 = 0;
let statMin: f64 = 0;
let statMax: f64 = 0;

function resetStatistics(): void {
  statCount = 0;
  statSum = 0;
  statMin = Infinity;
  statMax = -Infinity;
}

function addStatistics(values: u32, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const value = load<f64>(values + (i << 3));
    if (value != value) continue;
    statCount += 1;
    statSum += value;
    if (value < statMin) statMin = value;
    if (value > statMax) statMax = value;
  }
}

function storeStatistics(out: u32): void {
  store<f64>(out, statCount);
  store<f64>(out + 8, statSum);
  store<f64>(out + 16, statCount ? statMin : NaN);
  store<f64>(out + 24, statCount ? statMax : NaN);
}

/** See exports/aggregate.ts. */
export function statistics(values: u32, count: u32, out: u32): void {
  resetStatistics();
  addStatistics(values, count);
  storeStatistics(out);
}

/** See exports/aggregate.ts. */
export function seriesStatistics(series: u32, from: u32, count: u32, out: u32, work: u32): void {
  resetStatistics();
  const until = from + count;
  const blocks = load<u32>(series + SERIES_BLOCKS);
  const blockCount = <i32>load<u16>(series + SERIES_BLOCK_COUNT);
  for (let index = firstOverlap(series, from); index < blockCount; index++) {
    const block = blockAt(blocks, index);
    const start = load<u32>(block + BLOCK_START);
    if (start >= until) break;
    const word = load<u32>(block + BLOCK_WORD);
    const end = start + wordSlots(word);
    if (start >= from && end <= until) {
      statCount += <f64>wordCount(word);
      statSum += load<f64>(block + BLOCK_SUM);
      statMin = min(statMin, load<f64>(block + BLOCK_MIN));
      statMax = max(statMax, load<f64>(block + BLOCK_MAX));
    } else {
      const first = max<u32>(start, from);
      const last = min<u32>(end, until);
      decodeBlockRange(block, first - start, last - start, work);
      addStatistics(work, last - first);
    }
  }
  const head = load<u32>(series + SERIES_HEAD);
  if (head) {
    const headSlot = load<u32>(series + SERIES_HEAD_SLOT);
    const first = max<u32>(headSlot, from);
    const last = min<u32>(headSlot + HEAD_SLOTS, until);
    if (first < last) addStatistics(head + ((first - headSlot) << 3), last - first);
  }
  storeStatistics(out);
}

/** See exports/aggregate.ts. */
export function formatSeries(series: u32, from: u32, count: u32, out: u32, work: u32): u32 {
  const until = from + count;
  let p = out;
  store<u8>(p++, 91);
  let at = from;
  const blocks = load<u32>(series + SERIES_BLOCKS);
  const blockCount = <i32>load<u16>(series + SERIES_BLOCK_COUNT);
  for (let index = firstOverlap(series, from); index < blockCount; index++) {
    const block = blockAt(blocks, index);
    const start = load<u32>(block + BLOCK_START);
    if (start >= until) break;
    const end = min<u32>(start + wordSlots(load<u32>(block + BLOCK_WORD)), until);
    const first = max<u32>(start, at);
    p = formatMissing(first - at, p);
    p = formatBlock(block, first - start, end - start, p, work);
    at = end;
  }
  const head = load<u32>(series + SERIES_HEAD);
  const headSlot = load<u32>(series + SERIES_HEAD_SLOT);
  if (head && headSlot < until && headSlot + HEAD_SLOTS > at) {
    const first = max<u32>(headSlot, at);
    const last = min<u32>(headSlot + HEAD_SLOTS, until);
    p = formatMissing(first - at, p);
    p = formatValues(head + ((first - headSlot) << 3), last - first, p);
    at = last;
  }
  p = formatMissing(until - at, p);
  // The comma behind the last value becomes the bracket.
  if (count) p--;
  store<u8>(p, 93);
  return p + 1;
}

function formatMissing(count: u32, out: u32): u32 {
  let p = out;
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(p, MISSING_TEXT);
    store<u8>(p + 4, COMMA);
    p += 5;
  }
  return p;
}

function formatValues(values: u32, count: u32, out: u32): u32 {
  let p = out;
  for (let i: u32 = 0; i < count; i++) {
    p = formatNumber(load<f64>(values + (i << 3)), p);
    store<u8>(p++, COMMA);
  }
  return p;
}

/** Slots `from` … `until` of a block. Packed decimals are printed without ever becoming doubles. */
function formatBlock(block: u32, from: u32, until: u32, out: u32, work: u32): u32 {
  const word = load<u32>(block + BLOCK_WORD);
  const exponent = wordExponent(word);
  if (
    wordCodec(word) == CODEC_FOR32 &&
    !(word & WORD_BITMAP) &&
    !wordExceptions(word) &&
    exponent <= SUM_EXPONENT_MAX
  ) {
    const reach = max(
      Math.abs(load<f64>(block + BLOCK_MIN)),
      Math.abs(load<f64>(block + BLOCK_MAX)),
    );
    if (reach * unchecked(POWERS_OF_TEN[exponent]) < SUM_BOUND) {
      const rows = (wordSlots(word) + 3) >> 2;
      const base = <i32>blockBase(block, word);
      unpackNarrow(blockPayload(block, word), rows, wordBits(word), base, work);
      return formatScaledInts(work + (from << 2), until - from, exponent, out);
    }
  }
  if (wordCodec(word) == CODEC_CONSTANT && !(word & WORD_BITMAP)) {
    return formatConstant(load<f64>(block + BLOCK_MIN), until - from, out);
  }
  decodeBlockRange(block, from, until, work);
  return formatValues(work, until - from, out);
}

function formatConstant(value: f64, count: u32, out: u32): u32 {
  let p = formatNumber(value, out);
  store<u8>(p++, COMMA);
  const bytes = p - out;
  for (let i: u32 = 1; i < count; i++) {
    memory.copy(p, out, bytes);
    p += bytes;
  }
  return p;
}
