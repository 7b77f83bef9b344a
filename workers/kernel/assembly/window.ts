// A window of a series: WINDOW_SLOTS slots, sealed in one block.
import {
  BLOCK_HEADER_BYTES,
  BLOCK_MAX,
  BLOCK_MIN,
  BLOCK_START,
  BLOCK_SUM,
  BLOCK_WORD,
  CODEC_CONSTANT,
  CODEC_FOR32,
  HEAD_SLOTS,
  SCRATCH_BASE,
  SERIES_EXPONENT,
  SERIES_HEAD,
  SERIES_HEAD_SLOT,
  SERIES_STAGGER,
  WINDOW_SLOTS,
  WORD_BITMAP,
  WORD_BITS_SHIFT,
  WORD_CODEC_SHIFT,
  WORD_COUNT_SHIFT,
  WORD_EXPONENT_SHIFT,
} from '../layout';
import { allocate } from './alloc';
import {
  blockBytes,
  packedBytes,
  POWERS_OF_TEN,
  wordCodec,
  wordExponent,
  wordSlots,
} from './block-fields';
import { copyRounded } from './copy';
import { decodeBlock } from './decode';
import { blockAt, blockCount, firstBlockFrom, insertBlock, removeBlock, replaceBlock } from './directory';
import { encodeBlock } from './encode';
import { largestLane, smallestLane } from './lanes';
import { packInts } from './pack';
import { hasInts, scaleToInts, unpackInts } from './ints';

/** Work areas: a window's values, the block made of them, the same values as integers. */
export const WINDOW_VALUES: u32 = SCRATCH_BASE;
const WINDOW_BLOCK: u32 = SCRATCH_BASE + 2048;
const WINDOW_INTS: u32 = SCRATCH_BASE + 4096;
/** The head's integers, before they follow those of the block. */
const HEAD_INTS: u32 = SCRATCH_BASE + 5632;

// @ts-ignore: decorator
@inline
export function windowStart(series: u32, slot: u32): u32 {
  const stagger = <u32>load<u8>(series + SERIES_STAGGER);
  return ((slot + stagger) & ~(WINDOW_SLOTS - 1)) - stagger;
}

export function fillMissing(values: u32, count: u32): void {
  const missing = f64x2.splat(NaN);
  const end = values + ((count & ~1) << 3);
  for (let at = values; at < end; at += 16) v128.store(at, missing);
  if (count & 1) store<f64>(end, NaN);
}

/** Decodes a window to WINDOW_VALUES; returns the index of its block, or ~index where one belongs. */
export function loadWindow(series: u32, start: u32): i32 {
  fillMissing(WINDOW_VALUES, WINDOW_SLOTS);
  const index = findWindow(series, start);
  if (index >= 0) {
    const block = blockAt(series, index);
    decodeBlock(block, WINDOW_VALUES + ((load<u32>(block + BLOCK_START) - start) << 3));
  }
  return index;
}

/**
 * Index of the block of a window, or ~index where one belongs. Mostly it is the last one or the next: a look at the
 * others would wait for memory each time.
 */
export function findWindow(series: u32, start: u32): i32 {
  const count = blockCount(series);
  if (!count) return ~0;
  const newest = load<u32>(blockAt(series, count - 1) + BLOCK_START);
  if (newest < start) return ~count;
  if (newest < start + WINDOW_SLOTS) return count - 1;
  const index = firstBlockFrom(series, start);
  return load<u32>(blockAt(series, index) + BLOCK_START) >= start + WINDOW_SLOTS ? ~index : index;
}

/** Encodes WINDOW_VALUES as the block at `index` (or inserts it at ~index). */
export function storeWindow(series: u32, start: u32, index: i32): void {
  let from: u32 = 0;
  let until: u32 = WINDOW_SLOTS;
  while (from < until && isNaN(load<f64>(WINDOW_VALUES + (from << 3)))) from++;
  while (until > from && isNaN(load<f64>(WINDOW_VALUES + ((until - 1) << 3)))) until--;
  if (from == until) {
    if (index >= 0) removeBlock(series, index);
    return;
  }
  const bytes = encodeBlock(
    WINDOW_VALUES + (from << 3),
    until - from,
    start + from,
    <i32>load<u8>(series + SERIES_EXPONENT),
    WINDOW_BLOCK,
  );
  const word = load<u32>(WINDOW_BLOCK + BLOCK_WORD);
  // A constant says nothing of the exponent of what comes next.
  if (wordCodec(word) != CODEC_CONSTANT) store<u8>(series + SERIES_EXPONENT, <u8>wordExponent(word));
  putBlock(series, index, bytes);
}

/** Copies the block at WINDOW_BLOCK to the heap and to its place among the series' blocks. */
function putBlock(series: u32, index: i32, bytes: u32): void {
  const block = allocate(bytes);
  copyRounded(block, WINDOW_BLOCK, bytes);
  if (index >= 0) replaceBlock(series, index, block);
  else insertBlock(series, ~index, block);
}

/** Moves the head's samples into the block of its window and leaves the head as it is. */
export function sealHead(series: u32): void {
  const headSlot = load<u32>(series + SERIES_HEAD_SLOT);
  const head = load<u32>(series + SERIES_HEAD);
  const start = windowStart(series, headSlot);
  const found = findWindow(series, start);
  const bytes = appendToBlock(series, head, headSlot, found >= 0 ? blockAt(series, found) : 0);
  if (bytes) {
    putBlock(series, found, bytes);
    return;
  }
  const index = loadWindow(series, start);
  copyRounded(WINDOW_VALUES + ((headSlot - start) << 3), head, HEAD_SLOTS << 3);
  storeWindow(series, start, index);
}

/**
 * Fast path of sealing: a head without gaps, whose values are integers of 32 bits with the decimal
 * exponent found before, directly behind a block of such values (or none, 0). Only integers are
 * looked at then. Returns the bytes of the new block at WINDOW_BLOCK, the very one that
 * `encodeBlock` would make, or 0 if that has to look.
 */
function appendToBlock(series: u32, head: u32, headSlot: u32, block: u32): u32 {
  const exponent = <i32>load<u8>(series + SERIES_EXPONENT);
  if (!scaleToInts(head, HEAD_SLOTS, exponent, HEAD_INTS)) return 0;
  let slots: i32 = 0;
  let start = headSlot;
  let sum: f64 = 0;
  if (block) {
    const word = load<u32>(block + BLOCK_WORD);
    slots = wordSlots(word);
    start = load<u32>(block + BLOCK_START);
    if (start + slots != headSlot || !unpackBlock(block, word, exponent)) return 0;
    sum = load<f64>(block + BLOCK_SUM);
  }
  // The head's integers follow those of the block.
  copyRounded(WINDOW_INTS + (slots << 2), HEAD_INTS, HEAD_SLOTS << 2);
  slots += HEAD_SLOTS;
  if (!rangeOfInts(slots, exponent)) return 0;
  for (let i: u32 = 0; i < <u32>HEAD_SLOTS; i++) sum += load<f64>(head + (i << 3));
  return writeInts(slots, start, exponent, sum);
}

/** A block's values as integers at WINDOW_INTS; false if they are not of this exponent or of 32 bits. */
function unpackBlock(block: u32, word: u32, exponent: i32): bool {
  const slots = wordSlots(word);
  if (wordCodec(word) == CODEC_CONSTANT) {
    if (word & WORD_BITMAP) return false;
    v128.store(WINDOW_VALUES, v128.load64_splat(block + BLOCK_MIN));
    v128.store(WINDOW_VALUES + 16, v128.load64_splat(block + BLOCK_MIN));
    if (!scaleToInts(WINDOW_VALUES, 4, exponent, WINDOW_INTS)) return false;
    const lanes = v128.load(WINDOW_INTS);
    for (let i: i32 = 4; i < slots; i += 4) v128.store(WINDOW_INTS + (i << 2), lanes);
    return true;
  }
  if (wordExponent(word) != exponent || !hasInts(block, word)) return false;
  unpackInts(block, word, 0, slots, WINDOW_INTS);
  return true;
}

let least: i32 = 0;
let most: i32 = 0;

/**
 * Leaves the range of the integers in `least` and `most`, and pads them to a multiple of four;
 * false if another codec or exponent would be shorter.
 */
function rangeOfInts(slots: i32, exponent: i32): bool {
  const last = WINDOW_INTS + (slots << 2);
  const end = (last + 15) & ~15;
  // Padding that goes on as the last two values do is no new step.
  const steps = rangeOfSteps(last, end);
  for (let at = last; at < end; at += 4) store<i32>(at, load<i32>(last - 4));
  let low = v128.load(WINDOW_INTS);
  let high = low;
  for (let at = WINDOW_INTS + 16; at < end; at += 16) {
    const lanes = v128.load(at);
    low = i32x4.min_s(low, lanes);
    high = i32x4.max_s(high, lanes);
  }
  least = smallestLane(low);
  most = largestLane(high);
  if (least == most) return true;
  if (exponent > 0 && allTens(end)) return false;
  const bits = bitsOf(<u32>(most - least));
  return <u32>16 + packedBytes(slots, bitsOf(steps), false) >= packedBytes(slots, bits, false);
}

/** Largest difference of two neighbours less the smallest. */
function rangeOfSteps(last: u32, end: u32): u32 {
  const step = load<i32>(last - 4) - load<i32>(last - 8);
  for (let at = last; at < end + 16; at += 4) store<i32>(at, load<i32>(at - 4) + step);
  let low = i32x4.splat(i32.MAX_VALUE);
  let high = i32x4.splat(i32.MIN_VALUE);
  for (let at = WINDOW_INTS; at < end; at += 16) {
    const steps = i32x4.sub(v128.load(at + 4), v128.load(at));
    low = i32x4.min_s(low, steps);
    high = i32x4.max_s(high, steps);
  }
  return <u32>(largestLane(high) - smallestLane(low));
}

// @ts-ignore: decorator
@inline
function bitsOf(range: u32): i32 {
  return range == 0 ? 0 : 32 - <i32>clz<u32>(range);
}

/** Whether a smaller exponent would do: mostly the first value says no. */
function allTens(end: u32): bool {
  for (let at = WINDOW_INTS; at < end; at += 4) {
    if (load<i32>(at) % 10) return false;
  }
  return true;
}

function writeInts(slots: i32, start: u32, exponent: i32, sum: f64): u32 {
  const power = unchecked(POWERS_OF_TEN[exponent]);
  const bits = bitsOf(<u32>(most - least));
  let word: u32 = <u32>(slots - 1) | (<u32>(slots - 1) << WORD_COUNT_SHIFT);
  if (bits) {
    word |=
      (CODEC_FOR32 << WORD_CODEC_SHIFT) |
      (<u32>exponent << WORD_EXPONENT_SHIFT) |
      (<u32>bits << WORD_BITS_SHIFT);
    packInts(WINDOW_INTS, (slots + 3) & ~3, least, bits, WINDOW_BLOCK + BLOCK_HEADER_BYTES);
  } else word |= CODEC_CONSTANT << WORD_CODEC_SHIFT;
  store<u32>(WINDOW_BLOCK + BLOCK_START, start);
  store<u32>(WINDOW_BLOCK + BLOCK_WORD, word);
  store<f64>(WINDOW_BLOCK + BLOCK_SUM, sum);
  store<f64>(WINDOW_BLOCK + BLOCK_MIN, <f64>least / power);
  store<f64>(WINDOW_BLOCK + BLOCK_MAX, <f64>most / power);
  return blockBytes(WINDOW_BLOCK);
}
