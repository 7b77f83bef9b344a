// Mean and sum of squared differences from it, of parts that are merged as they come (Chan, Golub
// and LeVeque 1979): nothing is squared before the mean of its part is taken off, so that large
// values with a small spread lose no digits.
import {
  BLOCK_MIN,
  BLOCK_WORD,
  CODEC_CONSTANT,
  SUMMARY_MEAN,
  SUMMARY_SQUARES,
  WINDOW_SLOTS,
  WORD_BITMAP,
} from '../layout';
import {
  blockBase,
  blockPayload,
  POWERS_OF_TEN,
  wordBits,
  wordCodec,
  wordExponent,
} from './block-fields';
import { decodeBlockRange } from './decode';
import { hasInts } from './ints';
import { unpackNarrow } from './pack';

let momentCount: f64 = 0;
let momentMean: f64 = 0;
let momentSquares: f64 = 0;

export function resetMoments(): void {
  momentCount = 0;
  momentMean = 0;
  momentSquares = 0;
}

export function storeMoments(out: u32): void {
  store<f64>(out + SUMMARY_MEAN, momentCount ? momentMean : NaN);
  store<f64>(out + SUMMARY_SQUARES, momentCount ? momentSquares : NaN);
}

// @ts-ignore: decorator
@inline
function mergeMoments(count: f64, mean: f64, squares: f64): void {
  const total = momentCount + count;
  const share = count / total;
  const difference = mean - momentMean;
  momentMean += difference * share;
  momentSquares += squares + difference * difference * (momentCount * share);
  momentCount = total;
}

/** Float64, NaN = missing. */
export function addValueMoments(values: u32, count: u32): void {
  for (let done: u32 = 0; done < count; done += WINDOW_SLOTS) {
    addFewMoments(values + (done << 3), min<u32>(WINDOW_SLOTS, count - done));
  }
}

/**
 * One pass over differences from one of the samples, at most 128. It has its own share in the
 * spread: so the square of its distance from the mean, all that is lost in the difference at the
 * end, is at most 128 times the mean squared difference, seven bits.
 */
function addFewMoments(values: u32, count: u32): void {
  const end = values + (count << 3);
  let at = values;
  while (at < end && load<f64>(at) != load<f64>(at)) at += 8;
  if (at == end) return;
  const origin = load<f64>(at);
  const origins = f64x2.splat(origin);
  let counts = i64x2.splat(0);
  let sums = f64x2.splat(0);
  let squares = f64x2.splat(0);
  for (; at + 8 < end; at += 16) {
    const lanes = f64x2.sub(v128.load(at), origins);
    const present = f64x2.eq(lanes, lanes);
    const differences = v128.and(lanes, present);
    counts = i64x2.sub(counts, present);
    sums = f64x2.add(sums, differences);
    squares = f64x2.add(squares, f64x2.mul(differences, differences));
  }
  let samples = <f64>(i64x2.extract_lane(counts, 0) + i64x2.extract_lane(counts, 1));
  let sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  let square = f64x2.extract_lane(squares, 0) + f64x2.extract_lane(squares, 1);
  if (at < end && load<f64>(at) == load<f64>(at)) {
    const difference = load<f64>(at) - origin;
    samples += 1;
    sum += difference;
    square += difference * difference;
  }
  mergeMoments(samples, origin + sum / samples, max(square - (sum * sum) / samples, 0));
}

/** So many bits of 128 integers leave room in 64 bits for the sum of their squares times 128. */
const SQUARE_BITS_MAX: i32 = 24;

/** Slots `from` … `until` of a block. `work`: 1024 bytes. */
export function addBlockMoments(block: u32, from: i32, until: i32, work: u32): void {
  const word = load<u32>(block + BLOCK_WORD);
  if (wordCodec(word) == CODEC_CONSTANT && !(word & WORD_BITMAP)) {
    mergeMoments(<f64>(until - from), load<f64>(block + BLOCK_MIN), 0);
  } else if (wordBits(word) <= SQUARE_BITS_MAX && hasInts(block, word)) {
    addPackedMoments(block, word, from, until, work);
  } else {
    decodeBlockRange(block, from, until, work);
    addFewMoments(work, until - from);
  }
}

/** Fast path: integers less the block's smallest, whose sum and squares are exact. */
function addPackedMoments(block: u32, word: u32, from: i32, until: i32, work: u32): void {
  unpackNarrow(blockPayload(block, word), from >> 2, (until + 3) >> 2, wordBits(word), 0, work);
  const ints = work + (<u32>(from & 3) << 2);
  const count = until - from;
  let sums = i32x4.splat(0);
  let squares = i64x2.splat(0);
  const end = ints + (<u32>(count & ~3) << 2);
  for (let at = ints; at < end; at += 16) {
    const lanes = v128.load(at);
    sums = i32x4.add(sums, lanes);
    squares = i64x2.add(squares, i64x2.extmul_low_i32x4_u(lanes, lanes));
    squares = i64x2.add(squares, i64x2.extmul_high_i32x4_u(lanes, lanes));
  }
  const pairs = i64x2.add(i64x2.extend_low_i32x4_u(sums), i64x2.extend_high_i32x4_u(sums));
  let sum = i64x2.extract_lane(pairs, 0) + i64x2.extract_lane(pairs, 1);
  let square = i64x2.extract_lane(squares, 0) + i64x2.extract_lane(squares, 1);
  for (let at = end; at < ints + (<u32>count << 2); at += 4) {
    const value = <i64>load<u32>(at);
    sum += value;
    square += value * value;
  }
  const power = unchecked(POWERS_OF_TEN[wordExponent(word)]);
  const samples = <f64>count;
  const mean = (<f64>blockBase(block, word) + <f64>sum / samples) / power;
  mergeMoments(samples, mean, <f64>(square * count - sum * sum) / (samples * power * power));
}
