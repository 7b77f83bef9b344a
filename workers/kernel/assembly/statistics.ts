// Count, sum, smallest and largest of values, those missing skipped.
import {
  BLOCK_MAX,
  BLOCK_MIN,
  BLOCK_START,
  BLOCK_SUM,
  BLOCK_WORD,
  CODEC_CONSTANT,
  SERIES_EXPONENT,
  SERIES_HEAD,
  SERIES_HEAD_SLOT,
  WORD_BITMAP,
} from '../layout';
import { POWERS_OF_TEN, wordCodec, wordCount, wordExponent } from './block-fields';
import { decodeBlockRange } from './decode';
import { blockAt, blockCount, blockEnd, firstOverlap, headEnd } from './directory';
import { hasInts, scaleToInts, unpackInts } from './ints';
import { largestLane, smallestLane } from './lanes';

let statCount: f64 = 0;
let statSum: f64 = 0;
let statMin: f64 = 0;
let statMax: f64 = 0;

export function resetStatistics(): void {
  statCount = 0;
  statSum = 0;
  statMin = Infinity;
  statMax = -Infinity;
}

export function addStatistics(values: u32, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const value = load<f64>(values + (i << 3));
    if (value != value) continue;
    statCount += 1;
    statSum += value;
    if (value < statMin) statMin = value;
    if (value > statMax) statMax = value;
  }
}

export function storeStatistics(out: u32): void {
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

/** Integers times a power of ten: their sum is exact. */
export function addIntStatistics(ints: u32, count: i32, power: f64): void {
  if (count < 1) return;
  let sums = i64x2.splat(0);
  let low = i32x4.splat(i32.MAX_VALUE);
  let high = i32x4.splat(i32.MIN_VALUE);
  const end = ints + (<u32>(count & ~3) << 2);
  for (let at = ints; at < end; at += 16) {
    const lanes = v128.load(at);
    sums = i64x2.add(sums, i64x2.extend_low_i32x4_s(lanes));
    sums = i64x2.add(sums, i64x2.extend_high_i32x4_s(lanes));
    low = i32x4.min_s(low, lanes);
    high = i32x4.max_s(high, lanes);
  }
  let sum = i64x2.extract_lane(sums, 0) + i64x2.extract_lane(sums, 1);
  let least = smallestLane(low);
  let most = largestLane(high);
  for (let i: i32 = count & ~3; i < count; i++) {
    const value = load<i32>(ints + (i << 2));
    sum += value;
    least = min(least, value);
    most = max(most, value);
  }
  statCount += <f64>count;
  statSum += <f64>sum / power;
  statMin = min(statMin, <f64>least / power);
  statMax = max(statMax, <f64>most / power);
}

/** The same value `count` times. */
export function addConstantStatistics(value: f64, count: i32): void {
  statCount += <f64>count;
  statSum += value * <f64>count;
  statMin = min(statMin, value);
  statMax = max(statMax, value);
}

/** A whole block, from its header. */
export function addBlockStatistics(block: u32): void {
  statCount += <f64>wordCount(load<u32>(block + BLOCK_WORD));
  statSum += load<f64>(block + BLOCK_SUM);
  statMin = min(statMin, load<f64>(block + BLOCK_MIN));
  statMax = max(statMax, load<f64>(block + BLOCK_MAX));
}

/** Slots `from` … `until` of a block. */
function addPartStatistics(block: u32, from: i32, until: i32, work: u32): void {
  const word = load<u32>(block + BLOCK_WORD);
  if (hasInts(block, word)) {
    const ints = unpackInts(block, word, from, until, work);
    addIntStatistics(ints, until - from, unchecked(POWERS_OF_TEN[wordExponent(word)]));
  } else if (wordCodec(word) == CODEC_CONSTANT && !(word & WORD_BITMAP)) {
    addConstantStatistics(load<f64>(block + BLOCK_MIN), until - from);
  } else {
    decodeBlockRange(block, from, until, work);
    addStatistics(work, until - from);
  }
}

/** Slots of the head: mostly decimals of the exponent that the blocks have. */
function addHeadStatistics(series: u32, values: u32, count: u32, work: u32): void {
  const exponent = <i32>load<u8>(series + SERIES_EXPONENT);
  if (scaleToInts(values, count, exponent, work)) {
    addIntStatistics(work, count, unchecked(POWERS_OF_TEN[exponent]));
  } else addStatistics(values, count);
}

/** See exports/aggregate.ts. */
export function seriesStatistics(series: u32, from: u32, count: u32, out: u32, work: u32): void {
  resetStatistics();
  const until = from + count;
  const blocks = blockCount(series);
  for (let index = firstOverlap(series, from); index < blocks; index++) {
    const block = blockAt(series, index);
    const start = load<u32>(block + BLOCK_START);
    if (start >= until) break;
    const end = blockEnd(block);
    if (start >= from && end <= until) addBlockStatistics(block);
    else addPartStatistics(block, max(start, from) - start, min(end, until) - start, work);
  }
  const head = load<u32>(series + SERIES_HEAD);
  if (head) {
    const headSlot = load<u32>(series + SERIES_HEAD_SLOT);
    const first = max<u32>(headSlot, from);
    const last = min<u32>(headEnd(series), until);
    if (first < last) addHeadStatistics(series, head + ((first - headSlot) << 3), last - first, work);
  }
  storeStatistics(out);
}
