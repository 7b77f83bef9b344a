// The fields of a sealed block: what its header says and where its parts lie (../FORMAT.md).
import {
  BLOCK_HEADER_BYTES,
  BLOCK_MIN,
  BLOCK_WORD,
  CODEC_CONSTANT,
  CODEC_DELTA,
  CODEC_FOR64,
  CODEC_RAW,
  WORD_BITMAP,
  WORD_BITS_SHIFT,
  WORD_CODEC_SHIFT,
  WORD_COUNT_SHIFT,
  WORD_EXCEPTIONS_SHIFT,
  WORD_EXPONENT_SHIFT,
} from '../layout';

const BITMAP_BYTES: u32 = 16;

export const POWERS_OF_TEN: StaticArray<f64> = [
  1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
  1e18, 1e19, 1e20, 1e21, 1e22,
];

// Fields of a header word.
// @ts-ignore: decorator
@inline
export function wordSlots(word: u32): i32 {
  return <i32>(word & 127) + 1;
}
// @ts-ignore: decorator
@inline
export function wordCount(word: u32): i32 {
  return <i32>((word >> WORD_COUNT_SHIFT) & 127) + 1;
}
// @ts-ignore: decorator
@inline
export function wordCodec(word: u32): i32 {
  return (word >> WORD_CODEC_SHIFT) & 7;
}
// @ts-ignore: decorator
@inline
export function wordExponent(word: u32): i32 {
  return (word >> WORD_EXPONENT_SHIFT) & 31;
}
// @ts-ignore: decorator
@inline
export function wordBits(word: u32): i32 {
  return (word >> WORD_BITS_SHIFT) & 63;
}
// @ts-ignore: decorator
@inline
export function wordExceptions(word: u32): i32 {
  return word >> WORD_EXCEPTIONS_SHIFT;
}

/** Bytes of `slots` values of `bits` bits in 4 lanes of 32, or 2 of 64. */
// @ts-ignore: decorator
@inline
export function packedBytes(slots: i32, bits: i32, wide: bool): u32 {
  return wide
    ? <u32>((((slots + 1) >> 1) * bits + 63) >> 6) << 4
    : <u32>((((slots + 3) >> 2) * bits + 31) >> 5) << 4;
}

/** Address of the payload behind header and bitmap. */
// @ts-ignore: decorator
@inline
export function blockPayload(block: u32, word: u32): u32 {
  return block + BLOCK_HEADER_BYTES + (word & WORD_BITMAP ? BITMAP_BYTES : 0);
}

/** Behind the packed values: 8 bytes of positions, the smallest integer (i64), the odd values. */
export const EXCEPTION_BASE: u32 = 8;
export const EXCEPTION_VALUES: u32 = 16;
export function exceptionBytes(exceptions: i32): u32 {
  return exceptions ? (EXCEPTION_VALUES + (<u32>exceptions << 3) + 15) & ~15 : 0;
}

/** Bytes of a block, a multiple of 16. */
export function blockBytes(block: u32): u32 {
  return wordBytes(load<u32>(block + BLOCK_WORD));
}

/** The same by its word. */
export function wordBytes(word: u32): u32 {
  const slots = wordSlots(word);
  const codec = wordCodec(word);
  let bytes: u32 = BLOCK_HEADER_BYTES + (word & WORD_BITMAP ? BITMAP_BYTES : 0);
  if (codec == CODEC_RAW) bytes += ((<u32>slots << 3) + 15) & ~15;
  else if (codec == CODEC_DELTA) bytes += 16 + packedBytes(slots, wordBits(word), false);
  else if (codec != CODEC_CONSTANT) bytes += packedBytes(slots, wordBits(word), codec == CODEC_FOR64);
  return bytes + exceptionBytes(wordExceptions(word));
}

/** Smallest integer of a block: MIN's, unless MIN may itself be an exception. */
// @ts-ignore: decorator
@inline
export function blockBase(block: u32, word: u32): i64 {
  const power = unchecked(POWERS_OF_TEN[wordExponent(word)]);
  const least = load<f64>(block + BLOCK_MIN);
  return wordExceptions(word) ? exceptionBase(block, word) : <i64>nearest(least * power);
}

function exceptionBase(block: u32, word: u32): i64 {
  const slots = wordSlots(word);
  const packed = packedBytes(slots, wordBits(word), wordCodec(word) == CODEC_FOR64);
  return load<i64>(blockPayload(block, word) + packed + EXCEPTION_BASE);
}
