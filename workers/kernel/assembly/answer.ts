// A series as the text of an answer, straight from its blocks. Statistics of the same slots are
// taken on the way, while the integers are at hand.
import {
  BLOCK_MIN,
  BLOCK_START,
  BLOCK_WORD,
  CODEC_CONSTANT,
  SERIES_EXPONENT,
  SERIES_HEAD,
  SERIES_HEAD_SLOT,
  WORD_BITMAP,
} from '../layout';
import { POWERS_OF_TEN, wordCodec, wordExponent, wordSlots } from './block-fields';
import { copyRounded } from './copy';
import { decodeBlockRange } from './decode';
import { blockAt, blockCount, blockEnd, firstOverlap, headEnd } from './directory';
import { formatNumber, formatScaledInts } from './format';
import { hasInts, scaleToInts, unpackInts } from './ints';
import {
  addBlockStatistics,
  addConstantStatistics,
  addIntStatistics,
  addStatistics,
  resetStatistics,
  storeStatistics,
} from './statistics';
import { seriesStatistics } from './summary';

const COMMA: u8 = 44;
const OPEN_BRACKET: u8 = 91;
const CLOSE_BRACKET: u8 = 93;
const CLOSE_BRACE: u8 = 125;
const MISSING_TEXT: u32 = 0x6c6c756e;
/** `{"data":`, `,"avg":`, `,"min":` and `,"max":`, first byte lowest. */
const DATA_TEXT: u64 = 0x3a2261746164227b;
const AVG_TEXT: u64 = 0x3a22677661222c;
const MIN_TEXT: u64 = 0x3a226e696d222c;
const MAX_TEXT: u64 = 0x3a2278616d222c;
const NAME_BYTES: u32 = 7;

/** Statistics wanted of what is being written. */
let wantsStatistics: bool = false;

/** See exports/aggregate.ts. */
export function formatSeries(series: u32, from: u32, count: u32, out: u32, work: u32): u32 {
  wantsStatistics = false;
  return writeSeries(series, from, count, out, work);
}

/** See exports/aggregate.ts. */
export function formatElement(
  series: u32,
  from: u32,
  count: u32,
  withData: i32,
  statistics: u32,
  middle: u32,
  middleBytes: u32,
  out: u32,
  work: u32,
): u32 {
  let p = out;
  wantsStatistics = statistics != 0;
  if (withData) {
    store<u64>(p, DATA_TEXT);
    resetStatistics();
    p = writeSeries(series, from, count, p + 8, work);
    store<u8>(p++, COMMA);
    if (statistics) storeStatistics(statistics);
  } else {
    store<u8>(p++, <u8>(DATA_TEXT & 255));
    if (statistics) seriesStatistics(series, from, count, statistics, work);
  }
  copyRounded(p, middle, middleBytes);
  p += middleBytes;
  if (statistics) p = formatStatistics(statistics, p);
  store<u8>(p, CLOSE_BRACE);
  return p + 1;
}

/** See exports/answer.ts. */
export function formatResults(
  list: u32,
  elements: i32,
  from: u32,
  count: u32,
  withData: i32,
  statistics: u32,
  middle: u32,
  middleBytes: u32,
  out: u32,
  work: u32,
): u32 {
  let p = out;
  for (let i = 0; i < elements; i++) {
    const entry = load<u32>(list + (i << 2));
    const isFirst = (entry & 1) != 0;
    if (isFirst && i > 0) store<u8>(p++, CLOSE_BRACKET);
    if (i > 0) store<u8>(p++, COMMA);
    if (isFirst) store<u8>(p++, OPEN_BRACKET);
    p = formatElement(entry & ~1, from, count, withData, statistics, middle, middleBytes, p, work);
  }
  if (elements > 0) store<u8>(p++, CLOSE_BRACKET);
  return p;
}

/** See exports/aggregate.ts. */
export function formatStatistics(statistics: u32, out: u32): u32 {
  const count = load<f64>(statistics);
  let p = out;
  store<u64>(p, AVG_TEXT);
  p = formatNumber(count > 0 ? load<f64>(statistics, 8) / count : NaN, p + NAME_BYTES);
  store<u64>(p, MIN_TEXT);
  p = formatNumber(load<f64>(statistics, 16), p + NAME_BYTES);
  store<u64>(p, MAX_TEXT);
  return formatNumber(load<f64>(statistics, 24), p + NAME_BYTES);
}

function writeSeries(series: u32, from: u32, count: u32, out: u32, work: u32): u32 {
  const until = from + count;
  let p = out;
  store<u8>(p++, OPEN_BRACKET);
  let at = from;
  const blocks = blockCount(series);
  for (let index = firstOverlap(series, from); index < blocks; index++) {
    const block = blockAt(series, index);
    const start = load<u32>(block + BLOCK_START);
    if (start >= until) break;
    const end = min<u32>(blockEnd(block), until);
    const first = max<u32>(start, at);
    p = writeMissing(first - at, p);
    p = writeBlock(block, first - start, end - start, p, work);
    at = end;
  }
  const head = load<u32>(series + SERIES_HEAD);
  if (head) {
    const headSlot = load<u32>(series + SERIES_HEAD_SLOT);
    const first = max<u32>(headSlot, at);
    const last = min<u32>(headEnd(series), until);
    if (first < last) {
      p = writeMissing(first - at, p);
      p = writeHead(series, head + ((first - headSlot) << 3), last - first, p, work);
      at = last;
    }
  }
  p = writeMissing(until - at, p);
  // The comma behind the last value becomes the bracket.
  if (count) p--;
  store<u8>(p, CLOSE_BRACKET);
  return p + 1;
}

function writeMissing(count: u32, out: u32): u32 {
  let p = out;
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(p, MISSING_TEXT);
    store<u8>(p + 4, COMMA);
    p += 5;
  }
  return p;
}

/** Slots `from` … `until` of a block. */
function writeBlock(block: u32, from: i32, until: i32, out: u32, work: u32): u32 {
  const word = load<u32>(block + BLOCK_WORD);
  const isWhole = until - from == wordSlots(word);
  if (wantsStatistics && isWhole) addBlockStatistics(block);
  const countsValues = wantsStatistics && !isWhole;
  if (hasInts(block, word)) {
    const ints = unpackInts(block, word, from, until, work);
    const exponent = wordExponent(word);
    if (countsValues) addIntStatistics(ints, until - from, unchecked(POWERS_OF_TEN[exponent]));
    return formatScaledInts(ints, until - from, exponent, out);
  }
  if (wordCodec(word) == CODEC_CONSTANT && !(word & WORD_BITMAP)) {
    const value = load<f64>(block + BLOCK_MIN);
    if (countsValues) addConstantStatistics(value, until - from);
    return writeConstant(value, until - from, out);
  }
  decodeBlockRange(block, from, until, work);
  if (countsValues) addStatistics(work, until - from);
  return writeValues(work, until - from, out);
}

/** Slots of the head: mostly decimals of the exponent that the blocks have. */
function writeHead(series: u32, values: u32, count: u32, out: u32, work: u32): u32 {
  if (wantsStatistics) addStatistics(values, count);
  const exponent = <i32>load<u8>(series + SERIES_EXPONENT);
  if (scaleToInts(values, count, exponent, work)) {
    return formatScaledInts(work, count, exponent, out);
  }
  return writeValues(values, count, out);
}

function writeValues(values: u32, count: u32, out: u32): u32 {
  let p = out;
  for (let i: u32 = 0; i < count; i++) {
    p = formatNumber(load<f64>(values + (i << 3)), p);
    store<u8>(p++, COMMA);
  }
  return p;
}

function writeConstant(value: f64, count: i32, out: u32): u32 {
  if (count < 1) return out;
  let p = formatNumber(value, out);
  store<u8>(p++, COMMA);
  const bytes = p - out;
  const first = v128.load(out);
  const second = v128.load(out, 16);
  for (let i = 1; i < count; i++) {
    v128.store(p, first);
    if (bytes > 16) v128.store(p, second, 16);
    p += bytes;
  }
  return p;
}
