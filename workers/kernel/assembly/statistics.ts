// Count, sum, smallest and largest of samples, those missing skipped: what a block's header has.
// Sums are compensated (Neumaier 1974; the rounding error by Knuth's two-sum, which needs no branch).
import {
  BLOCK_MAX,
  BLOCK_MIN,
  BLOCK_SUM,
  BLOCK_WORD,
  CODEC_CONSTANT,
  WORD_BITMAP,
} from '../layout';
import { POWERS_OF_TEN, wordCodec, wordCount, wordExponent } from './block-fields';
import { decodeBlockRange } from './decode';
import { hasInts, unpackInts } from './ints';
import { largestLane, smallestLane } from './lanes';

let statCount: f64 = 0;
let statSum: f64 = 0;
/** What rounding has cut from the sum so far. */
let statRest: f64 = 0;
let statMin: f64 = 0;
let statMax: f64 = 0;

export function resetStatistics(): void {
  statCount = 0;
  statSum = 0;
  statRest = 0;
  statMin = Infinity;
  statMax = -Infinity;
}

export function storeStatistics(out: u32): void {
  store<f64>(out, statCount);
  store<f64>(out + 8, statSum + statRest);
  store<f64>(out + 16, statCount ? statMin : NaN);
  store<f64>(out + 24, statCount ? statMax : NaN);
}

// @ts-ignore: decorator
@inline
export function countedSamples(): f64 {
  return statCount;
}

// @ts-ignore: decorator
@inline
function addSum(value: f64): void {
  const total = statSum + value;
  const back = total - statSum;
  statRest += statSum - (total - back) + (value - back);
  statSum = total;
}

export function addStatistics(values: u32, count: u32): void {
  let counts = i64x2.splat(0);
  let sums = f64x2.splat(0);
  let rests = f64x2.splat(0);
  let low = f64x2.splat(Infinity);
  let high = f64x2.splat(-Infinity);
  const end = values + (count << 3);
  for (let at = values; at < end; at += 16) {
    // The last one of an odd number goes with nothing.
    const lanes = at + 8 < end ? v128.load(at) : f64x2.replace_lane(f64x2.splat(NaN), 0, load<f64>(at));
    const present = f64x2.eq(lanes, lanes);
    const added = v128.and(lanes, present);
    const total = f64x2.add(sums, added);
    const back = f64x2.sub(total, sums);
    const cut = f64x2.add(f64x2.sub(sums, f64x2.sub(total, back)), f64x2.sub(added, back));
    rests = f64x2.add(rests, cut);
    sums = total;
    counts = i64x2.sub(counts, present);
    low = f64x2.pmin(low, lanes);
    high = f64x2.pmax(high, lanes);
  }
  statCount += <f64>(i64x2.extract_lane(counts, 0) + i64x2.extract_lane(counts, 1));
  addSum(f64x2.extract_lane(sums, 0));
  addSum(f64x2.extract_lane(sums, 1));
  statRest += f64x2.extract_lane(rests, 0) + f64x2.extract_lane(rests, 1);
  statMin = min(statMin, min(f64x2.extract_lane(low, 0), f64x2.extract_lane(low, 1)));
  statMax = max(statMax, max(f64x2.extract_lane(high, 0), f64x2.extract_lane(high, 1)));
}

/** Integers of at most 30 bits times a power of ten: their sum is exact. */
export function addIntStatistics(ints: u32, count: i32, power: f64): void {
  if (count < 1) return;
  let sums = i64x2.splat(0);
  let low = i32x4.splat(i32.MAX_VALUE);
  let high = i32x4.splat(i32.MIN_VALUE);
  const end = ints + (<u32>(count & ~7) << 2);
  for (let at = ints; at < end; at += 32) {
    const left = v128.load(at);
    const right = v128.load(at, 16);
    // Two of them fit 32 bits.
    const both = i32x4.add(left, right);
    sums = i64x2.add(sums, i64x2.extend_low_i32x4_s(both));
    sums = i64x2.add(sums, i64x2.extend_high_i32x4_s(both));
    low = i32x4.min_s(low, i32x4.min_s(left, right));
    high = i32x4.max_s(high, i32x4.max_s(left, right));
  }
  let sum = i64x2.extract_lane(sums, 0) + i64x2.extract_lane(sums, 1);
  let least = smallestLane(low);
  let most = largestLane(high);
  for (let i: i32 = count & ~7; i < count; i++) {
    const value = load<i32>(ints + (i << 2));
    sum += value;
    least = min(least, value);
    most = max(most, value);
  }
  addScaled(count, sum, least, most, power);
}

// @ts-ignore: decorator
@inline
function addScaled(count: i32, sum: i64, least: i32, most: i32, power: f64): void {
  statCount += <f64>count;
  addSum(<f64>sum / power);
  statMin = min(statMin, <f64>least / power);
  statMax = max(statMax, <f64>most / power);
}

/** The same value `count` times. */
export function addConstantStatistics(value: f64, count: i32): void {
  statCount += <f64>count;
  addSum(value * <f64>count);
  statMin = min(statMin, value);
  statMax = max(statMax, value);
}

/** A whole block, from its header. */
export function addBlockStatistics(block: u32): void {
  statCount += <f64>wordCount(load<u32>(block + BLOCK_WORD));
  addSum(load<f64>(block + BLOCK_SUM));
  statMin = min(statMin, load<f64>(block + BLOCK_MIN));
  statMax = max(statMax, load<f64>(block + BLOCK_MAX));
}

/** Slots `from` … `until` of a block. */
export function addPartStatistics(block: u32, from: i32, until: i32, work: u32): void {
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

/** See exports/statistics.ts. */
export function statistics(values: u32, count: u32, out: u32): void {
  resetStatistics();
  addStatistics(values, count);
  storeStatistics(out);
}
