// Single samples of a sealed block, without decoding the rest of it where that can be.
import {
  BLOCK_HEADER_BYTES,
  BLOCK_MIN,
  BLOCK_WORD,
  CODEC_CONSTANT,
  CODEC_RAW,
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

/** The first present slot of `from` … `until` of a block, -1 if there is none. */
export function firstPresent(block: u32, from: i32, until: i32): i32 {
  if (!(load<u32>(block + BLOCK_WORD) & WORD_BITMAP)) return from;
  const lower = presentBits(block, 0, from, until);
  if (lower) return <i32>ctz(lower);
  const upper = presentBits(block, 64, from, until);
  return upper ? 64 + <i32>ctz(upper) : -1;
}

/** The last one. */
export function lastPresent(block: u32, from: i32, until: i32): i32 {
  if (!(load<u32>(block + BLOCK_WORD) & WORD_BITMAP)) return until - 1;
  const upper = presentBits(block, 64, from, until);
  if (upper) return 127 - <i32>clz(upper);
  const lower = presentBits(block, 0, from, until);
  return lower ? 63 - <i32>clz(lower) : -1;
}

/** Bits of the present slots `first` … `first` + 63, of which only `from` … `until` count. */
function presentBits(block: u32, first: i32, from: i32, until: i32): u64 {
  const low = max(from - first, 0);
  const high = min(until - first, 64);
  if (low >= high) return 0;
  const inside = (u64.MAX_VALUE >> <u64>(64 - (high - low))) << <u64>low;
  return load<u64>(block + BLOCK_HEADER_BYTES + (first >> 3)) & inside;
}

/** The value of a present slot. `work`: 16 bytes. */
export function valueOfSlot(block: u32, slot: i32, work: u32): f64 {
  const word = load<u32>(block + BLOCK_WORD);
  const codec = wordCodec(word);
  if (codec == CODEC_CONSTANT) return load<f64>(block + BLOCK_MIN);
  const payload = blockPayload(block, word);
  if (codec == CODEC_RAW) return load<f64>(payload + (slot << 3));
  if (!hasInts(block, word)) {
    decodeBlockRange(block, slot, slot + 1, work);
    return load<f64>(work);
  }
  // Lane slot % 4, row slot / 4; its bits may lie in two words.
  const bits = wordBits(word);
  const bit = (slot >> 2) * bits;
  const at = payload + (<u32>(bit >> 5) << 4) + ((slot & 3) << 2);
  const words = <u64>load<u32>(at) | (<u64>load<u32>(at, 16) << 32);
  const integer = <i64>((words >> <u64>(bit & 31)) & ((<u64>1 << bits) - 1));
  return <f64>(integer + blockBase(block, word)) / unchecked(POWERS_OF_TEN[wordExponent(word)]);
}
