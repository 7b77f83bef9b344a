// Reading sealed blocks back to Float64.
import {
  BLOCK_HEADER_BYTES,
  BLOCK_MIN,
  BLOCK_WORD,
  CODEC_CONSTANT,
  CODEC_DELTA,
  CODEC_FOR64,
  CODEC_RAW,
  SCRATCH_BASE,
  WORD_BITMAP,
} from '../layout';
import {
  blockBase,
  blockPayload,
  EXCEPTION_VALUES,
  packedBytes,
  POWERS_OF_TEN,
  wordBits,
  wordCodec,
  wordExceptions,
  wordExponent,
  wordSlots,
} from './block-fields';
import { unpackNarrow, unpackWide } from './pack';

/** Work areas, behind those of encode.ts: 128 i32, 128 Float64, 128 i64. */
const LANES: u32 = SCRATCH_BASE + 10752;
const DECODED: u32 = SCRATCH_BASE + 12288;
const INTEGERS: u32 = SCRATCH_BASE + 13312 + 64;

/** All slots of a block as Float64, NaN where missing. `out` has room for a multiple of 4. */
function decodeAll(block: u32, out: u32): void {
  const word = load<u32>(block + BLOCK_WORD);
  const slots = wordSlots(word);
  const codec = wordCodec(word);
  const payload = blockPayload(block, word);
  if (codec == CODEC_CONSTANT) {
    const value = f64x2.splat(load<f64>(block + BLOCK_MIN));
    for (let i = 0; i < slots; i += 2) v128.store(out + (i << 3), value);
  } else if (codec == CODEC_RAW) memory.copy(out, payload, slots << 3);
  else decodeIntegers(block, word, payload, out);
  if (wordExceptions(word)) readExceptions(word, payload, out);
  if (word & WORD_BITMAP) maskMissing(block + BLOCK_HEADER_BYTES, slots, out);
}

function decodeIntegers(block: u32, word: u32, payload: u32, out: u32): void {
  const slots = wordSlots(word);
  const bits = wordBits(word);
  const codec = wordCodec(word);
  const power = f64x2.splat(unchecked(POWERS_OF_TEN[wordExponent(word)]));
  if (codec == CODEC_DELTA) {
    unpackNarrow(payload + 16, 0, (slots + 3) >> 2, bits, 0, LANES);
    let integer = load<i64>(payload) + smallestOf(block, word);
    const smallest = load<i64>(payload + 8);
    for (let i = 0; i < slots; i++) {
      if (i) integer += <i64>load<u32>(LANES + (i << 2)) + smallest;
      store<f64>(out + (i << 3), <f64>integer);
    }
  } else if (codec == CODEC_FOR64) {
    unpackWide(payload, (slots + 1) >> 1, bits, INTEGERS);
    const base = blockBase(block, word);
    for (let i = 0; i < slots; i++) {
      store<f64>(out + (i << 3), <f64>(load<i64>(INTEGERS + (i << 3)) + base));
    }
  } else {
    unpackNarrow(payload, 0, (slots + 3) >> 2, bits, 0, LANES);
    const base = f64x2.splat(<f64>blockBase(block, word));
    for (let i = 0; i < slots; i += 4) {
      const lanes = v128.load(LANES + (i << 2));
      const low = f64x2.convert_low_i32x4_u(lanes);
      const high = f64x2.convert_low_i32x4_u(v128.shuffle<i32>(lanes, lanes, 2, 3, 2, 3));
      v128.store(out + (i << 3), f64x2.div(f64x2.add(low, base), power));
      v128.store(out + (i << 3) + 16, f64x2.div(f64x2.add(high, base), power));
    }
    return;
  }
  for (let i = 0; i < slots; i += 2) {
    const at = out + (i << 3);
    v128.store(at, f64x2.div(v128.load(at), power));
  }
}

/** DELTA keeps its first integer less the block's smallest, which is MIN's. */
// @ts-ignore: decorator
@inline
function smallestOf(block: u32, word: u32): i64 {
  const power = unchecked(POWERS_OF_TEN[wordExponent(word)]);
  return <i64>nearest(load<f64>(block + BLOCK_MIN) * power);
}

function readExceptions(word: u32, payload: u32, out: u32): void {
  const wide = wordCodec(word) == CODEC_FOR64;
  const at = payload + packedBytes(wordSlots(word), wordBits(word), wide);
  for (let i = 0; i < wordExceptions(word); i++) {
    store<f64>(out + (<u32>load<u8>(at + i) << 3), load<f64>(at + EXCEPTION_VALUES + (i << 3)));
  }
}

function maskMissing(bitmap: u32, slots: i32, out: u32): void {
  for (let i = 0; i < slots; i++) {
    if (!((<u32>load<u8>(bitmap + (i >> 3)) >> (i & 7)) & 1)) store<f64>(out + (i << 3), NaN);
  }
}

/** See exports/block.ts. */
export function decodeBlock(block: u32, out: u32): void {
  decodeBlockRange(block, 0, wordSlots(load<u32>(block + BLOCK_WORD)), out);
}

/** See exports/block.ts. */
export function decodeBlockRange(block: u32, from: i32, until: i32, out: u32): void {
  decodeAll(block, DECODED);
  memory.copy(out, DECODED + (from << 3), (until - from) << 3);
}
