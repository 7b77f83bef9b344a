// Blocks in checkpoints: most have a header of half the size (../../checkpoint/FORMAT.md). In memory
// they have it whole, since statistics read nothing else.
import {
  BLOCK_HEADER_BYTES,
  BLOCK_MAX,
  BLOCK_MIN,
  BLOCK_START,
  BLOCK_SUM,
  BLOCK_WORD,
  CODEC_CONSTANT,
  CODEC_DELTA,
  CODEC_FOR32,
  CODEC_SHORT,
  CODEC_SHORT_MASK,
  SHORT_HEADER_BYTES,
  SHORT_LEAST,
  SHORT_RANGE,
  SHORT_REST,
  SHORT_ULPS,
  SHORT_VALUE,
  WORD_CODEC_SHIFT,
} from '../layout';
import {
  POWERS_OF_TEN,
  wordBytes,
  wordCodec,
  wordCount,
  wordExceptions,
  wordExponent,
} from './block-fields';
import { copyRounded } from './copy';

const HEADERS_DIFFER: u32 = BLOCK_HEADER_BYTES - SHORT_HEADER_BYTES;
const SHORT_CODEC_BITS: u32 = CODEC_SHORT_MASK << WORD_CODEC_SHIFT;
const LEAST_MAX: f64 = 2147483647;
const RANGE_MAX: f64 = 0xffffff;
const REST_MAX: f64 = 0xffffffff;

// @ts-ignore: decorator
@inline
function isShort(savedWord: u32): bool {
  return wordCodec(savedWord) >= CODEC_SHORT;
}

/** The word of a saved block as it is in memory. */
// @ts-ignore: decorator
@inline
export function wordOf(saved: u32): u32 {
  const word = load<u32>(saved + BLOCK_WORD);
  return isShort(word) ? word ^ SHORT_CODEC_BITS : word;
}

/** Slot of its first value; `next` is the one behind the block in front of it. */
// @ts-ignore: decorator
@inline
export function startOf(saved: u32, next: u32): u32 {
  return isShort(load<u32>(saved + BLOCK_WORD)) ? next : load<u32>(saved + BLOCK_START);
}

/** See exports/block.ts. */
export function savedBytes(saved: u32): u32 {
  const bytes = wordBytes(wordOf(saved));
  return isShort(load<u32>(saved + BLOCK_WORD)) ? bytes - HEADERS_DIFFER : bytes;
}

/** Writes a block as it is saved behind one that ends in front of slot `next`; returns the address behind. */
export function saveBlock(block: u32, next: u32, out: u32): u32 {
  const word = load<u32>(block + BLOCK_WORD);
  const bytes = wordBytes(word);
  if (load<u32>(block + BLOCK_START) != next || !shorten(block, word, out)) {
    copyRounded(out, block, bytes);
    return out + bytes;
  }
  store<u32>(out + BLOCK_WORD, word ^ SHORT_CODEC_BITS);
  copyRounded(out + SHORT_HEADER_BYTES, block + BLOCK_HEADER_BYTES, bytes - BLOCK_HEADER_BYTES);
  return out + bytes - HEADERS_DIFFER;
}

/** Writes a short header but for its word, unless what the whole one says would not come back bit for bit. */
function shorten(block: u32, word: u32, out: u32): bool {
  const codec = wordCodec(word);
  if (codec == CODEC_CONSTANT) return shortenConstant(block, word, out);
  if ((codec != CODEC_FOR32 && codec != CODEC_DELTA) || wordExceptions(word)) return false;
  const power = unchecked(POWERS_OF_TEN[wordExponent(word)]);
  const sum = load<f64>(block + BLOCK_SUM);
  const smallest = load<f64>(block + BLOCK_MIN);
  const largest = load<f64>(block + BLOCK_MAX);
  const least = nearest(smallest * power);
  const range = nearest(largest * power) - least;
  const total = nearest(sum * power);
  const rest = total - least * <f64>wordCount(word);
  const fits =
    Math.abs(least) <= LEAST_MAX &&
    range >= 0 &&
    range <= RANGE_MAX &&
    rest >= 0 &&
    rest <= REST_MAX;
  if (!fits) return false;
  // What the reader will make of it; adding zero as there, where no integer is -0.
  const ulps = reinterpret<i64>(sum) - reinterpret<i64>((total + 0.0) / power);
  const isSame =
    reinterpret<u64>((least + 0.0) / power) == reinterpret<u64>(smallest) &&
    reinterpret<u64>((least + range) / power) == reinterpret<u64>(largest) &&
    ulps == <i64>(<i8>ulps);
  if (!isSame) return false;
  store<u32>(out + SHORT_RANGE, <u32>range | (<u32>ulps << 24));
  store<i32>(out + SHORT_LEAST, <i32>least);
  store<u32>(out + SHORT_REST, <u32>rest);
  return true;
}

function shortenConstant(block: u32, word: u32, out: u32): bool {
  const value = load<f64>(block + BLOCK_MIN);
  const ulps =
    reinterpret<i64>(load<f64>(block + BLOCK_SUM)) -
    reinterpret<i64>(value * <f64>wordCount(word));
  if (ulps != <i64>(<i32>ulps)) return false;
  store<i32>(out + SHORT_ULPS, <i32>ulps);
  store<f64>(out + SHORT_VALUE, value);
  return true;
}

/** See exports/block.ts. */
export function unpackBlock(saved: u32, next: u32, out: u32): void {
  const word = wordOf(saved);
  const bytes = wordBytes(word);
  if (!isShort(load<u32>(saved + BLOCK_WORD))) {
    copyRounded(out, saved, bytes);
    return;
  }
  store<u32>(out + BLOCK_START, next);
  store<u32>(out + BLOCK_WORD, word);
  if (wordCodec(word) == CODEC_CONSTANT) {
    const value = load<f64>(saved + SHORT_VALUE);
    store<i64>(
      out + BLOCK_SUM,
      reinterpret<i64>(value * <f64>wordCount(word)) + <i64>load<i32>(saved + SHORT_ULPS),
    );
    store<f64>(out + BLOCK_MIN, value);
    store<f64>(out + BLOCK_MAX, value);
  } else {
    const power = unchecked(POWERS_OF_TEN[wordExponent(word)]);
    const least = <f64>load<i32>(saved + SHORT_LEAST);
    const total = least * <f64>wordCount(word) + <f64>load<u32>(saved + SHORT_REST);
    const range = load<u32>(saved + SHORT_RANGE);
    store<i64>(out + BLOCK_SUM, reinterpret<i64>(total / power) + <i64>(<i32>range >> 24));
    store<f64>(out + BLOCK_MIN, least / power);
    store<f64>(out + BLOCK_MAX, (least + <f64>(range & 0xffffff)) / power);
  }
  copyRounded(out + BLOCK_HEADER_BYTES, saved + SHORT_HEADER_BYTES, bytes - BLOCK_HEADER_BYTES);
}
