// A resampled series as the text of an answer, with statistics of its native slots. Values that an
// algorithm took from the series are printed as the integers they are packed as.
import {
  BLOCK_MIN,
  BLOCK_START,
  BLOCK_WORD,
  CODEC_CONSTANT,
  RESAMPLE_AVERAGE,
  RESAMPLE_COUNT,
  RESAMPLE_LTTB,
  RESAMPLE_SUM,
  SERIES_EXPONENT,
  SERIES_HEAD,
  SERIES_HEAD_SLOT,
  WORD_BITMAP,
} from '../layout';
import { formatStatistics } from './answer';
import { POWERS_OF_TEN, wordCodec, wordExponent, wordSlots } from './block-fields';
import { copyRounded } from './copy';
import { decodeBlockRange } from './decode';
import { blockAt, blockCount, blockEnd, firstOverlap, headEnd } from './directory';
import { formatNumber, formatScaledInts } from './format';
import { hasInts, scaleToInts, unpackInts, unscaleInts } from './ints';
import { resampleStride } from './resample';
import {
  addBlockStatistics,
  addConstantStatistics,
  addIntStatistics,
  addStatistics,
  resetStatistics,
  storeStatistics,
} from './statistics';
import { fillMissing } from './window';

const COMMA: u8 = 44;
const OPEN_BRACKET: u8 = 91;
const CLOSE_BRACKET: u8 = 93;
const CLOSE_BRACE: u8 = 125;
/** `{"data":`, first byte lowest. */
const DATA_TEXT: u64 = 0x3a2261746164227b;
/** Work area of a block: integers or Float64 of 128 slots and 4 more. */
const BLOCK_WORK_BYTES: u32 = 2048;
/** So many values are printed one way or the other: a gap or a longer decimal costs its neighbours. */
const RUN_VALUES: u32 = 16;

/** How many of the slots read are integers divided by 10^exponent of the series. */
let scaledSlots: u32 = 0;

/** See exports/answer.ts. */
export function formatResampled(
  series: u32,
  from: u32,
  count: u32,
  algorithm: i32,
  stride: i32,
  statistics: u32,
  middle: u32,
  middleBytes: u32,
  out: u32,
  work: u32,
): u32 {
  const values = work + BLOCK_WORK_BYTES;
  // Behind the values: room for what is written or read in registers of two or four.
  const points = values + ((count + 4) << 3);
  const statisticsWanted = statistics != 0;
  // Fast path: what is chosen among integers is chosen among their quotients, and printed as integers.
  // In a tie of triangles the last digit of a quotient might decide; LTTB has to do as the reference.
  const areScaled =
    choosesValues(algorithm) &&
    algorithm != RESAMPLE_LTTB &&
    readValues(series, from, count, statisticsWanted, true, values, work);
  if (!areScaled) readValues(series, from, count, statisticsWanted, false, values, work);
  if (statisticsWanted) storeStatistics(statistics);
  const length = resampleStride(algorithm, values, count, stride, points);
  store<u64>(out, DATA_TEXT);
  const exponent = <i32>load<u8>(series + SERIES_EXPONENT);
  let p = out + 8;
  if (areScaled || (scaledSlots == count && choosesValues(algorithm))) {
    unscaleInts(points, length, areScaled ? 0 : exponent, values);
    store<u8>(p, OPEN_BRACKET);
    p = formatScaledInts(values, length, exponent, p + 1);
    store<u8>(p - 1, CLOSE_BRACKET);
  } else p = formatDecimals(points, length, exponent, p, work);
  store<u8>(p++, COMMA);
  copyRounded(p, middle, middleBytes);
  p += middleBytes;
  if (statisticsWanted) p = formatStatistics(statistics, p);
  store<u8>(p, CLOSE_BRACE);
  return p + 1;
}

// @ts-ignore: decorator
@inline
function choosesValues(algorithm: i32): bool {
  return (
    algorithm != RESAMPLE_AVERAGE && algorithm != RESAMPLE_SUM && algorithm != RESAMPLE_COUNT
  );
}

/** See exports/answer.ts. */
export function formatDecimals(values: u32, count: u32, exponent: i32, out: u32, work: u32): u32 {
  let p = out;
  store<u8>(p++, OPEN_BRACKET);
  for (let i: u32 = 0; i < count; i += RUN_VALUES) {
    const run = values + (i << 3);
    const length = min<u32>(RUN_VALUES, count - i);
    if (scaleToInts(run, length, exponent, work)) p = formatScaledInts(work, length, exponent, p);
    else {
      for (let k: u32 = 0; k < length; k++) {
        p = formatNumber(load<f64>(run + (k << 3)), p);
        store<u8>(p++, COMMA);
      }
    }
  }
  // The comma behind the last value becomes the bracket.
  if (count) p--;
  store<u8>(p, CLOSE_BRACKET);
  return p + 1;
}

/**
 * Slots as Float64, and statistics of them on the way if they are wanted. With `asIntegers` they are not
 * divided by 10^exponent of the series; false if not all slots are such integers, and all is to be read
 * again.
 */
function readValues(
  series: u32,
  from: u32,
  count: u32,
  statisticsWanted: bool,
  asIntegers: bool,
  out: u32,
  work: u32,
): bool {
  scaledSlots = 0;
  if (statisticsWanted) resetStatistics();
  const exponent = <i32>load<u8>(series + SERIES_EXPONENT);
  const until = from + count;
  const base = out - (from << 3);
  let at = from;
  const blocks = blockCount(series);
  for (let index = firstOverlap(series, from); index < blocks; index++) {
    const block = blockAt(series, index);
    const start = load<u32>(block + BLOCK_START);
    if (start >= until) break;
    const first = max<u32>(start, at);
    const end = min<u32>(blockEnd(block), until);
    fillMissing(base + (at << 3), first - at);
    readBlock(
      block,
      first - start,
      end - start,
      exponent,
      statisticsWanted,
      asIntegers,
      base + (first << 3),
      work,
    );
    at = end;
    if (asIntegers && scaledSlots != at - from) return false;
  }
  const head = load<u32>(series + SERIES_HEAD);
  if (head) {
    const headSlot = load<u32>(series + SERIES_HEAD_SLOT);
    const first = max<u32>(headSlot, at);
    const last = min<u32>(headEnd(series), until);
    if (first < last) {
      fillMissing(base + (at << 3), first - at);
      const values = head + ((first - headSlot) << 3);
      const target = base + (first << 3);
      memory.copy(target, values, (last - first) << 3);
      readHead(values, last - first, exponent, statisticsWanted, asIntegers, target, work);
      at = last;
    }
  }
  fillMissing(base + (at << 3), until - at);
  return scaledSlots == count;
}

/** Slots `from` … `until` of a block, in a series of that exponent; up to three more are written. */
function readBlock(
  block: u32,
  from: i32,
  until: i32,
  exponent: i32,
  statisticsWanted: bool,
  asIntegers: bool,
  out: u32,
  work: u32,
): void {
  const word = load<u32>(block + BLOCK_WORD);
  const count = until - from;
  const isWhole = count == wordSlots(word);
  if (statisticsWanted && isWhole) addBlockStatistics(block);
  const countsValues = statisticsWanted && !isWhole;
  if (hasInts(block, word)) {
    const ints = unpackInts(block, word, from, until, work);
    const power = unchecked(POWERS_OF_TEN[wordExponent(word)]);
    if (wordExponent(word) == exponent) scaledSlots += count;
    if (countsValues) addIntStatistics(ints, count, power);
    if (asIntegers) intsAsDoubles(ints, count, out);
    else intsToDoubles(ints, count, power, out);
  } else if (wordCodec(word) == CODEC_CONSTANT && !(word & WORD_BITMAP)) {
    const value = load<f64>(block + BLOCK_MIN);
    if (countsValues) addConstantStatistics(value, count);
    const pair = f64x2.splat(value);
    for (let i = 0; i < count; i += 2) v128.store(out + (<u32>i << 3), pair);
  } else {
    decodeBlockRange(block, from, until, out);
    if (countsValues) addStatistics(out, count);
  }
}

/** The quotients are what decoding gives, to the bit. */
function intsToDoubles(ints: u32, count: i32, power: f64, out: u32): void {
  const powers = f64x2.splat(power);
  for (let i = 0; i < count; i += 4) {
    const lanes = v128.load(ints + (<u32>i << 2));
    const low = f64x2.convert_low_i32x4_s(lanes);
    const high = f64x2.convert_low_i32x4_s(v128.shuffle<i32>(lanes, lanes, 2, 3, 2, 3));
    const at = out + (<u32>i << 3);
    v128.store(at, f64x2.div(low, powers));
    v128.store(at, f64x2.div(high, powers), 16);
  }
}

/** Up to three more are written. */
function intsAsDoubles(ints: u32, count: i32, out: u32): void {
  for (let i = 0; i < count; i += 4) {
    const lanes = v128.load(ints + (<u32>i << 2));
    const at = out + (<u32>i << 3);
    v128.store(at, f64x2.convert_low_i32x4_s(lanes));
    v128.store(at, f64x2.convert_low_i32x4_s(v128.shuffle<i32>(lanes, lanes, 2, 3, 2, 3)), 16);
  }
}

/** Slots of the head, copied already: mostly decimals of the exponent that the blocks have. */
function readHead(
  values: u32,
  count: u32,
  exponent: i32,
  statisticsWanted: bool,
  asIntegers: bool,
  target: u32,
  work: u32,
): void {
  if (scaleToInts(values, count, exponent, work)) {
    scaledSlots += count;
    if (asIntegers) intsAsDoubles(work, count, target);
  }
  // As in an answer that is not resampled, to the last digit.
  if (statisticsWanted) addStatistics(values, count);
}
