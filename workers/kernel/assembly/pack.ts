// Bit packing in SIMD lanes: value i lies in lane i % 4 (or 2), row i / 4 (or 2), and each lane is a
// bit stream of its rows (Lemire and Boytsov 2015). Reading may touch 16 bytes behind the packed ones.

import { addRows, ROWS_MAX, unpackRows } from './rows';

/** Packs i64 at `from` (each < 2^bits, bits <= 32) into 4 lanes: value i is lane i % 4, row i / 4. */
export function packNarrow(from: u32, slots: i32, bits: i32, out: u32): void {
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

/** The same for up to 53 bits in 2 lanes of 64. */
export function packWide(from: u32, slots: i32, bits: i32, out: u32): void {
  const rows = (slots + 1) >> 1;
  if (slots & 1) store<i64>(from + (slots << 3), 0);
  let word = i64x2.splat(0);
  let filled = 0;
  for (let row = 0; row < rows; row++) {
    const lanes = v128.load(from + (row << 4));
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

/** Packs i32 at `from`, less `base` (each then < 2^bits), as `packNarrow` does; `slots` is a multiple of 4. */
export function packInts(from: u32, slots: i32, base: i32, bits: i32, out: u32): void {
  if (!bits) return;
  const bases = i32x4.splat(base);
  let word = i32x4.splat(0);
  let filled = 0;
  const end = from + (<u32>slots << 2);
  for (let at = from; at < end; at += 16) {
    const lanes = i32x4.sub(v128.load(at), bases);
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

/** Unpacks rows `row` … `until` of 4 lanes, plus `base` in each, to i32 at `out`. */
export function unpackNarrow(
  packed: u32,
  row: i32,
  until: i32,
  bits: i32,
  base: i32,
  out: u32,
): void {
  if (until - row == ROWS_MAX) {
    unpackRows(packed, bits, base, out);
    return;
  }
  const bases = i32x4.splat(base);
  const end = out + (<u32>(until - row) << 4);
  if (!bits) {
    for (let at = out; at < end; at += 16) v128.store(at, bases);
    return;
  }
  const mask = i32x4.splat(bits == 32 ? -1 : (1 << bits) - 1);
  let from = packed + (<u32>((row * bits) >> 5) << 4);
  let shift = (row * bits) & 31;
  let word = v128.load(from);
  for (let at = out; at < end; at += 16) {
    let lanes = i32x4.shr_u(word, shift);
    shift += bits;
    if (shift >= 32) {
      shift -= 32;
      from += 16;
      word = v128.load(from);
      if (shift) lanes = v128.or(lanes, i32x4.shl(word, bits - shift));
    }
    v128.store(at, i32x4.add(v128.and(lanes, mask), bases));
  }
}

/** `unpackNarrow` of the first `rows` that adds to what is at `sums`: one pass over memory less. */
export function addNarrow(packed: u32, rows: i32, bits: i32, base: i32, sums: u32): void {
  if (rows == ROWS_MAX) {
    addRows(packed, bits, base, sums);
    return;
  }
  const bases = i32x4.splat(base);
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
    const at = sums + (row << 4);
    v128.store(at, i32x4.add(v128.load(at), i32x4.add(v128.and(lanes, mask), bases)));
  }
}

/** Unpacks 2 lanes of 64 bits to i64 at `out`. */
export function unpackWide(packed: u32, rows: i32, bits: i32, out: u32): void {
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
