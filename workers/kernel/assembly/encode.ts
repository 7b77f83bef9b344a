// Sealing: up to 128 slots as the smallest of a constant, bit-packed decimals, differences of
// decimals, or plain doubles. Lossless: what is decoded is bit for bit what was encoded.
// The idea of decimal scaling is ALP's (Afroozeh, Kuffo and Boncz, SIGMOD 2024).
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
import {
  blockBytes,
  blockPayload,
  exceptionBytes,
  EXCEPTION_BASE,
  EXCEPTION_VALUES,
  packedBytes,
  POWERS_OF_TEN,
} from './block-fields';
import { packNarrow, packWide } from './pack';

/** Work areas, behind those of series.ts: 128 i64 integers, 128 i64 differences. */
const INTEGERS: u32 = SCRATCH_BASE + 8192;
const DIFFERENCES: u32 = SCRATCH_BASE + 9216 + 256;
const EXPONENT_MAX: i32 = 22;
const EXCEPTIONS_MAX: i32 = 7;
/** Integers below it are exact as Float64. */
const INTEGER_LIMIT: f64 = 9007199254740992;

// @ts-ignore: decorator
@inline
export function isExact(value: f64, power: f64): bool {
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
  if (wide) packWide(INTEGERS, slots, bits, payload);
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
