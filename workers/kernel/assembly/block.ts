// Sealed blocks: up to 128 slots as the smallest of a constant, bit-packed decimals, differences
// of decimals, or plain doubles. Lossless: what is decoded is bit for bit what was encoded.
// Layout: ../layout.ts and ../FORMAT.md. The idea of decimal scaling is ALP's (Afroozeh, Kuffo and
// Boncz, SIGMOD 2024); the vertical packing in SIMD lanes is Lemire and Boytsov's (2015).
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
  CODEC_FOR64,
  CODEC_RAW,
  SCRATCH_BASE,
  WORD_BITMAP,
  WORD_BITS_SHIFT,
  WORD_CODEC_SHIFT,
  WORD_COUNT_SHIFT,
  WORD_EXCEPTIONS_SHIFT,
  WORD_EXPONENT_SHIFT,
} from '../layout';

/** Work areas, behind those of series.ts: 128 i64 integers, 128 i64 differences, 512 bytes i32. */
const INTEGERS: u32 = SCRATCH_BASE + 8192;
const DIFFERENCES: u32 = SCRATCH_BASE + 9216 + 256;
const LANES: u32 = SCRATCH_BASE + 10752;
const DECODED: u32 = SCRATCH_BASE + 12288;
const BITMAP_BYTES: u32 = 16;
const EXPONENT_MAX: i32 = 22;
const EXCEPTIONS_MAX: i32 = 7;
/** Integers below it are exact as Float64. */
const INTEGER_LIMIT: f64 = 9007199254740992;

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
function packedBytes(slots: i32, bits: i32, wide: bool): u32 {
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
const EXCEPTION_BASE: u32 = 8;
const EXCEPTION_VALUES: u32 = 16;
function exceptionBytes(exceptions: i32): u32 {
  return exceptions ? (EXCEPTION_VALUES + (<u32>exceptions << 3) + 15) & ~15 : 0;
}

/** Bytes of a block, a multiple of 16. */
export function blockBytes(block: u32): u32 {
  const word = load<u32>(block + BLOCK_WORD);
  const slots = wordSlots(word);
  const codec = wordCodec(word);
  let bytes: u32 = BLOCK_HEADER_BYTES + (word & WORD_BITMAP ? BITMAP_BYTES : 0);
  if (codec == CODEC_RAW) bytes += ((<u32>slots << 3) + 15) & ~15;
  else if (codec == CODEC_DELTA) bytes += 16 + packedBytes(slots, wordBits(word), false);
  else if (codec != CODEC_CONSTANT) bytes += packedBytes(slots, wordBits(word), codec == CODEC_FOR64);
  return bytes + exceptionBytes(wordExceptions(word));
}

// @ts-ignore: decorator
@inline
function isExact(value: f64, power: f64): bool {
  // Adding zero makes -0 a zero, which differs from it in its sign bit: -0 is not exact.
  const scaled = nearest(value * power) + 0.0;
  return (
    Math.abs(scaled) < INTEGER_LIMIT && reinterpret<u64>(scaled / power) == reinterpret<u64>(value)
  );
}

/** How many present values do not scale exactly by 10^exponent; stops at `limit`. */
function inexactCount(values: u32, slots: i32, exponent: i32, limit: i32): i32 {
  const power = unchecked(POWERS_OF_TEN[exponent]);
  let inexact = 0;
  for (let i = 0; i < slots && inexact < limit; i++) {
    const value = load<f64>(values + (i << 3));
    if (value == value && !isExact(value, power)) inexact++;
  }
  return inexact;
}

/** The smallest exponent for all values but a few, -1 if there is none. */
function findExponent(values: u32, slots: i32, hint: i32): i32 {
  let exponent = hint;
  if (inexactCount(values, slots, exponent, 1) == 0) {
    while (exponent > 0 && inexactCount(values, slots, exponent - 1, 1) == 0) exponent--;
    return exponent;
  }
  for (exponent = 0; exponent <= EXPONENT_MAX; exponent++) {
    if (inexactCount(values, slots, exponent, 1) == 0) return exponent;
  }
  return -1;
}

/** The exponent with which at most a few values are left over, -1 if there is none. */
function findLooseExponent(values: u32, slots: i32): i32 {
  const most = min<i32>(EXCEPTIONS_MAX, slots >> 3);
  for (let exponent = 0; exponent < 10 && most > 0; exponent++) {
    if (inexactCount(values, slots, exponent, most + 1) <= most) return exponent;
  }
  return -1;
}

/** See exports/block.ts. */
export function encodeBlock(values: u32, slots: i32, start: u32, hint: i32, out: u32): u32 {
  let count = 0;
  let sum: f64 = 0;
  let least: f64 = Infinity;
  let most: f64 = -Infinity;
  let firstBits: u64 = 0;
  let constant = true;
  for (let i = 0; i < slots; i++) {
    const value = load<f64>(values + (i << 3));
    if (value != value) continue;
    if (count == 0) firstBits = reinterpret<u64>(value);
    else if (reinterpret<u64>(value) != firstBits) constant = false;
    count++;
    sum += value;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  store<u32>(out + BLOCK_START, start);
  store<f64>(out + BLOCK_SUM, sum);
  store<f64>(out + BLOCK_MIN, constant ? reinterpret<f64>(firstBits) : least);
  store<f64>(out + BLOCK_MAX, constant ? reinterpret<f64>(firstBits) : most);
  let word: u32 = <u32>(slots - 1) | (<u32>(count - 1) << WORD_COUNT_SHIFT);
  if (count < slots) {
    word |= WORD_BITMAP;
    writeBitmap(values, slots, out + BLOCK_HEADER_BYTES);
  }
  if (constant) word |= CODEC_CONSTANT << WORD_CODEC_SHIFT;
  else word = encodePayload(values, slots, hint, word, out);
  store<u32>(out + BLOCK_WORD, word);
  return blockBytes(out);
}

function writeBitmap(values: u32, slots: i32, out: u32): void {
  v128.store(out, i64x2.splat(0));
  for (let i = 0; i < slots; i++) {
    const value = load<f64>(values + (i << 3));
    if (value != value) continue;
    const at = out + (i >> 3);
    store<u8>(at, load<u8>(at) | <u8>(<u32>1 << <u32>(i & 7)));
  }
}

/** Chooses the smallest form, writes it behind the header, returns the word. */
function encodePayload(values: u32, slots: i32, hint: i32, word: u32, out: u32): u32 {
  const payload = blockPayload(out, word);
  let exponent = findExponent(values, slots, min(hint, EXPONENT_MAX));
  let exceptions = 0;
  // A few odd values (or none that fit) may cost less by themselves than in everybody's width.
  if (exponent < 0 || exponent > 6) {
    const loose = findLooseExponent(values, slots);
    if (loose >= 0 && loose < 7) {
      exponent = loose;
      exceptions = inexactCount(values, slots, loose, EXCEPTIONS_MAX + 1);
    }
  }
  if (exponent < 0) return encodeRaw(values, slots, word, payload);
  const range = scaleIntegers(values, slots, exponent);
  const bits = range == 0 ? 0 : 64 - <i32>clz<u64>(range);
  const wide = bits > 32;
  const plain = packedBytes(slots, bits, wide);
  const extra = exceptionBytes(exceptions);
  const deltaBits = exceptions ? 64 : differenceBits(slots);
  if (deltaBits <= 32 && <u32>16 + packedBytes(slots, deltaBits, false) < plain) {
    store<i64>(payload, load<i64>(INTEGERS));
    store<i64>(payload + 8, smallestDifference);
    packNarrow(DIFFERENCES, slots, deltaBits, payload + 16);
    return (
      word |
      (CODEC_DELTA << WORD_CODEC_SHIFT) |
      (<u32>exponent << WORD_EXPONENT_SHIFT) |
      (<u32>deltaBits << WORD_BITS_SHIFT)
    );
  }
  if (plain + extra >= <u32>slots << 3) return encodeRaw(values, slots, word, payload);
  if (exceptions) {
    writeExceptions(values, slots, exponent, payload + plain);
  }
  if (wide) packWide(slots, bits, payload);
  else packNarrow(INTEGERS, slots, bits, payload);
  return (
    word |
    (<u32>(wide ? CODEC_FOR64 : CODEC_FOR32) << WORD_CODEC_SHIFT) |
    (<u32>exponent << WORD_EXPONENT_SHIFT) |
    (<u32>bits << WORD_BITS_SHIFT) |
    (<u32>exceptions << WORD_EXCEPTIONS_SHIFT)
  );
}

function encodeRaw(values: u32, slots: i32, word: u32, payload: u32): u32 {
  memory.copy(payload, values, slots << 3);
  if (slots & 1) store<f64>(payload + (slots << 3), 0);
  return word | (CODEC_RAW << WORD_CODEC_SHIFT);
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

let smallestDifference: i64 = 0;
let smallestInteger: i64 = 0;

/** Writes INTEGERS as value * 10^exponent less the smallest; missing and odd ones 0. Returns the range. */
function scaleIntegers(values: u32, slots: i32, exponent: i32): u64 {
  const power = unchecked(POWERS_OF_TEN[exponent]);
  let least: i64 = i64.MAX_VALUE;
  let most: i64 = i64.MIN_VALUE;
  for (let i = 0; i < slots; i++) {
    const value = load<f64>(values + (i << 3));
    if (value != value || !isExact(value, power)) continue;
    const integer = <i64>nearest(value * power);
    store<i64>(INTEGERS + (i << 3), integer);
    least = min(least, integer);
    most = max(most, integer);
  }
  smallestInteger = least;
  for (let i = 0; i < slots; i++) {
    const value = load<f64>(values + (i << 3));
    const at = INTEGERS + (i << 3);
    store<i64>(at, value == value && isExact(value, power) ? load<i64>(at) - least : 0);
  }
  return <u64>(most - least);
}

/** Differences of INTEGERS less the smallest one; returns their bits. */
function differenceBits(slots: i32): i32 {
  if (slots < 3) return 64;
  let least: i64 = i64.MAX_VALUE;
  let most: i64 = i64.MIN_VALUE;
  for (let i = 1; i < slots; i++) {
    const difference = load<i64>(INTEGERS + (i << 3)) - load<i64>(INTEGERS + (i << 3) - 8);
    store<i64>(DIFFERENCES + (i << 3), difference);
    least = min(least, difference);
    most = max(most, difference);
  }
  smallestDifference = least;
  store<i64>(DIFFERENCES, 0);
  for (let i = 1; i < slots; i++) {
    const at = DIFFERENCES + (i << 3);
    store<i64>(at, load<i64>(at) - least);
  }
  const range = <u64>(most - least);
  return range == 0 ? 0 : 64 - <i32>clz<u64>(range);
}

function writeExceptions(values: u32, slots: i32, exponent: i32, out: u32): void {
  const power = unchecked(POWERS_OF_TEN[exponent]);
  let at = 0;
  store<i64>(out + EXCEPTION_BASE, smallestInteger);
  for (let i = 0; i < slots; i++) {
    const value = load<f64>(values + (i << 3));
    if (value != value || isExact(value, power)) continue;
    store<u8>(out + at, <u8>i);
    store<f64>(out + EXCEPTION_VALUES + (at << 3), value);
    at++;
  }
}

/** Packs i64 at `from` (each < 2^bits, bits <= 32) into 4 lanes: value i is lane i % 4, row i / 4. */
function packNarrow(from: u32, slots: i32, bits: i32, out: u32): void {
  const rows = (slots + 3) >> 2;
  for (let i = slots; i < rows << 2; i++) store<i64>(from + (i << 3), 0);
  if (!bits) return;
  let word = i32x4.splat(0);
  let filled = 0;
  for (let row = 0; row < rows; row++) {
    const at = from + (row << 5);
    const lanes = v128.shuffle<i32>(v128.load(at), v128.load(at + 16), 0, 2, 4, 6);
    word = v128.or(word, i32x4.shl(lanes, filled));
    filled += bits;
    if (filled >= 32) {
      v128.store(out, word);
      out += 16;
      filled -= 32;
      word = filled ? i32x4.shr_u(lanes, bits - filled) : i32x4.splat(0);
    }
  }
  if (filled) v128.store(out, word);
}

/** The same for up to 53 bits in 2 lanes of 64, from INTEGERS. */
function packWide(slots: i32, bits: i32, out: u32): void {
  const rows = (slots + 1) >> 1;
  if (slots & 1) store<i64>(INTEGERS + (slots << 3), 0);
  let word = i64x2.splat(0);
  let filled = 0;
  for (let row = 0; row < rows; row++) {
    const lanes = v128.load(INTEGERS + (row << 4));
    word = v128.or(word, i64x2.shl(lanes, filled));
    filled += bits;
    if (filled >= 64) {
      v128.store(out, word);
      out += 16;
      filled -= 64;
      word = filled ? i64x2.shr_u(lanes, bits - filled) : i64x2.splat(0);
    }
  }
  if (filled) v128.store(out, word);
}

/** Unpacks rows of 4 lanes, plus `base` in each, to i32 at `out`. */
// @ts-ignore: decorator
@inline
export function unpackNarrow(packed: u32, rows: i32, bits: i32, base: i32, out: u32): void {
  const bases = i32x4.splat(base);
  if (!bits) {
    for (let row = 0; row < rows; row++) v128.store(out + (row << 4), bases);
    return;
  }
  const mask = i32x4.splat(bits == 32 ? -1 : (1 << bits) - 1);
  let word = v128.load(packed);
  let shift = 0;
  for (let row = 0; row < rows; row++) {
    let lanes = i32x4.shr_u(word, shift);
    shift += bits;
    if (shift >= 32) {
      shift -= 32;
      packed += 16;
      word = v128.load(packed);
      if (shift) lanes = v128.or(lanes, i32x4.shl(word, bits - shift));
    }
    v128.store(out + (row << 4), i32x4.add(v128.and(lanes, mask), bases));
  }
}

/** Unpacks 2 lanes of 64 bits to i64 at `out`. */
function unpackWide(packed: u32, rows: i32, bits: i32, out: u32): void {
  const mask = i64x2.splat(((<i64>1) << bits) - 1);
  let word = v128.load(packed);
  let shift = 0;
  for (let row = 0; row < rows; row++) {
    let lanes = i64x2.shr_u(word, shift);
    shift += bits;
    if (shift >= 64) {
      shift -= 64;
      packed += 16;
      word = v128.load(packed);
      if (shift) lanes = v128.or(lanes, i64x2.shl(word, bits - shift));
    }
    v128.store(out + (row << 4), v128.and(lanes, mask));
  }
}

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
    unpackNarrow(payload + 16, (slots + 3) >> 2, bits, 0, LANES);
    let integer = load<i64>(payload) + smallestOf(block, word);
    const smallest = load<i64>(payload + 8);
    for (let i = 0; i < slots; i++) {
      if (i) integer += <i64>load<u32>(LANES + (i << 2)) + smallest;
      store<f64>(out + (i << 3), <f64>integer);
    }
  } else if (codec == CODEC_FOR64) {
    unpackWide(payload, (slots + 1) >> 1, bits, DIFFERENCES);
    const base = blockBase(block, word);
    for (let i = 0; i < slots; i++) {
      store<f64>(out + (i << 3), <f64>(load<i64>(DIFFERENCES + (i << 3)) + base));
    }
  } else {
    unpackNarrow(payload, (slots + 3) >> 2, bits, 0, LANES);
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
