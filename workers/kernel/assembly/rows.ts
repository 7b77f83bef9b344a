// Unpacking of whole blocks, 32 rows of four lanes: one function for each number of bits, so that
// all shifts are constants of the instruction. Three times as fast as shifts by a variable.

/** Rows of a block of 128 values. */
export const ROWS_MAX: i32 = 32;

/** Row `row`, less than 2^bits in each lane; all arguments but `packed` are constants. */
// @ts-ignore: decorator
@inline
function lanesOf(packed: u32, row: i32, bits: i32): v128 {
  const at = packed + (<u32>((row * bits) >> 5) << 4);
  const shift = (row * bits) & 31;
  let lanes = v128.load(at);
  if (shift != 0) lanes = i32x4.shr_u(lanes, shift);
  if (shift + bits > 32) lanes = v128.or(lanes, i32x4.shl(v128.load(at, 16), 32 - shift));
  return shift + bits == 32 ? lanes : v128.and(lanes, i32x4.splat((1 << bits) - 1));
}

// @ts-ignore: decorator
@inline
function unpackRow(packed: u32, row: i32, bits: i32, bases: v128, out: u32): void {
  v128.store(out + (row << 4), i32x4.add(lanesOf(packed, row, bits), bases));
}

// @ts-ignore: decorator
@inline
function addRow(packed: u32, row: i32, bits: i32, bases: v128, sums: u32): void {
  const at = sums + (row << 4);
  v128.store(at, i32x4.add(v128.load(at), i32x4.add(lanesOf(packed, row, bits), bases)));
}

// @ts-ignore: decorator
@inline
function unpackAll(packed: u32, bits: i32, base: i32, out: u32): void {
  const bases = i32x4.splat(base);
  unpackRow(packed, 0, bits, bases, out);
  unpackRow(packed, 1, bits, bases, out);
  unpackRow(packed, 2, bits, bases, out);
  unpackRow(packed, 3, bits, bases, out);
  unpackRow(packed, 4, bits, bases, out);
  unpackRow(packed, 5, bits, bases, out);
  unpackRow(packed, 6, bits, bases, out);
  unpackRow(packed, 7, bits, bases, out);
  unpackRow(packed, 8, bits, bases, out);
  unpackRow(packed, 9, bits, bases, out);
  unpackRow(packed, 10, bits, bases, out);
  unpackRow(packed, 11, bits, bases, out);
  unpackRow(packed, 12, bits, bases, out);
  unpackRow(packed, 13, bits, bases, out);
  unpackRow(packed, 14, bits, bases, out);
  unpackRow(packed, 15, bits, bases, out);
  unpackRow(packed, 16, bits, bases, out);
  unpackRow(packed, 17, bits, bases, out);
  unpackRow(packed, 18, bits, bases, out);
  unpackRow(packed, 19, bits, bases, out);
  unpackRow(packed, 20, bits, bases, out);
  unpackRow(packed, 21, bits, bases, out);
  unpackRow(packed, 22, bits, bases, out);
  unpackRow(packed, 23, bits, bases, out);
  unpackRow(packed, 24, bits, bases, out);
  unpackRow(packed, 25, bits, bases, out);
  unpackRow(packed, 26, bits, bases, out);
  unpackRow(packed, 27, bits, bases, out);
  unpackRow(packed, 28, bits, bases, out);
  unpackRow(packed, 29, bits, bases, out);
  unpackRow(packed, 30, bits, bases, out);
  unpackRow(packed, 31, bits, bases, out);
}

// @ts-ignore: decorator
@inline
function addAll(packed: u32, bits: i32, base: i32, sums: u32): void {
  const bases = i32x4.splat(base);
  addRow(packed, 0, bits, bases, sums);
  addRow(packed, 1, bits, bases, sums);
  addRow(packed, 2, bits, bases, sums);
  addRow(packed, 3, bits, bases, sums);
  addRow(packed, 4, bits, bases, sums);
  addRow(packed, 5, bits, bases, sums);
  addRow(packed, 6, bits, bases, sums);
  addRow(packed, 7, bits, bases, sums);
  addRow(packed, 8, bits, bases, sums);
  addRow(packed, 9, bits, bases, sums);
  addRow(packed, 10, bits, bases, sums);
  addRow(packed, 11, bits, bases, sums);
  addRow(packed, 12, bits, bases, sums);
  addRow(packed, 13, bits, bases, sums);
  addRow(packed, 14, bits, bases, sums);
  addRow(packed, 15, bits, bases, sums);
  addRow(packed, 16, bits, bases, sums);
  addRow(packed, 17, bits, bases, sums);
  addRow(packed, 18, bits, bases, sums);
  addRow(packed, 19, bits, bases, sums);
  addRow(packed, 20, bits, bases, sums);
  addRow(packed, 21, bits, bases, sums);
  addRow(packed, 22, bits, bases, sums);
  addRow(packed, 23, bits, bases, sums);
  addRow(packed, 24, bits, bases, sums);
  addRow(packed, 25, bits, bases, sums);
  addRow(packed, 26, bits, bases, sums);
  addRow(packed, 27, bits, bases, sums);
  addRow(packed, 28, bits, bases, sums);
  addRow(packed, 29, bits, bases, sums);
  addRow(packed, 30, bits, bases, sums);
  addRow(packed, 31, bits, bases, sums);
}

function unpack1(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 1, base, out);
}
function add1(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 1, base, sums);
}
function unpack2(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 2, base, out);
}
function add2(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 2, base, sums);
}
function unpack3(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 3, base, out);
}
function add3(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 3, base, sums);
}
function unpack4(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 4, base, out);
}
function add4(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 4, base, sums);
}
function unpack5(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 5, base, out);
}
function add5(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 5, base, sums);
}
function unpack6(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 6, base, out);
}
function add6(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 6, base, sums);
}
function unpack7(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 7, base, out);
}
function add7(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 7, base, sums);
}
function unpack8(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 8, base, out);
}
function add8(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 8, base, sums);
}
function unpack9(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 9, base, out);
}
function add9(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 9, base, sums);
}
function unpack10(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 10, base, out);
}
function add10(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 10, base, sums);
}
function unpack11(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 11, base, out);
}
function add11(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 11, base, sums);
}
function unpack12(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 12, base, out);
}
function add12(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 12, base, sums);
}
function unpack13(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 13, base, out);
}
function add13(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 13, base, sums);
}
function unpack14(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 14, base, out);
}
function add14(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 14, base, sums);
}
function unpack15(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 15, base, out);
}
function add15(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 15, base, sums);
}
function unpack16(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 16, base, out);
}
function add16(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 16, base, sums);
}
function unpack17(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 17, base, out);
}
function add17(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 17, base, sums);
}
function unpack18(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 18, base, out);
}
function add18(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 18, base, sums);
}
function unpack19(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 19, base, out);
}
function add19(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 19, base, sums);
}
function unpack20(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 20, base, out);
}
function add20(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 20, base, sums);
}
function unpack21(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 21, base, out);
}
function add21(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 21, base, sums);
}
function unpack22(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 22, base, out);
}
function add22(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 22, base, sums);
}
function unpack23(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 23, base, out);
}
function add23(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 23, base, sums);
}
function unpack24(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 24, base, out);
}
function add24(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 24, base, sums);
}
function unpack25(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 25, base, out);
}
function add25(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 25, base, sums);
}
function unpack26(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 26, base, out);
}
function add26(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 26, base, sums);
}
function unpack27(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 27, base, out);
}
function add27(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 27, base, sums);
}
function unpack28(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 28, base, out);
}
function add28(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 28, base, sums);
}
function unpack29(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 29, base, out);
}
function add29(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 29, base, sums);
}
function unpack30(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 30, base, out);
}
function add30(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 30, base, sums);
}
function unpack31(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 31, base, out);
}
function add31(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 31, base, sums);
}
function unpack32(packed: u32, base: i32, out: u32): void {
  unpackAll(packed, 32, base, out);
}
function add32(packed: u32, base: i32, sums: u32): void {
  addAll(packed, 32, base, sums);
}

/** Unpacks 32 rows of `bits` (0 … 32), plus `base` in each lane, to i32 at `out`. */
export function unpackRows(packed: u32, bits: i32, base: i32, out: u32): void {
  switch (bits) {
    case 0:
      for (let at = out; at < out + 512; at += 16) v128.store(at, i32x4.splat(base));
      return;
    case 1:
      return unpack1(packed, base, out);
    case 2:
      return unpack2(packed, base, out);
    case 3:
      return unpack3(packed, base, out);
    case 4:
      return unpack4(packed, base, out);
    case 5:
      return unpack5(packed, base, out);
    case 6:
      return unpack6(packed, base, out);
    case 7:
      return unpack7(packed, base, out);
    case 8:
      return unpack8(packed, base, out);
    case 9:
      return unpack9(packed, base, out);
    case 10:
      return unpack10(packed, base, out);
    case 11:
      return unpack11(packed, base, out);
    case 12:
      return unpack12(packed, base, out);
    case 13:
      return unpack13(packed, base, out);
    case 14:
      return unpack14(packed, base, out);
    case 15:
      return unpack15(packed, base, out);
    case 16:
      return unpack16(packed, base, out);
    case 17:
      return unpack17(packed, base, out);
    case 18:
      return unpack18(packed, base, out);
    case 19:
      return unpack19(packed, base, out);
    case 20:
      return unpack20(packed, base, out);
    case 21:
      return unpack21(packed, base, out);
    case 22:
      return unpack22(packed, base, out);
    case 23:
      return unpack23(packed, base, out);
    case 24:
      return unpack24(packed, base, out);
    case 25:
      return unpack25(packed, base, out);
    case 26:
      return unpack26(packed, base, out);
    case 27:
      return unpack27(packed, base, out);
    case 28:
      return unpack28(packed, base, out);
    case 29:
      return unpack29(packed, base, out);
    case 30:
      return unpack30(packed, base, out);
    case 31:
      return unpack31(packed, base, out);
    case 32:
      return unpack32(packed, base, out);
  }
}

/** Adds them to the i32 at `sums`. */
export function addRows(packed: u32, bits: i32, base: i32, sums: u32): void {
  switch (bits) {
    case 0:
      for (let at = sums; at < sums + 512; at += 16) {
        v128.store(at, i32x4.add(v128.load(at), i32x4.splat(base)));
      }
      return;
    case 1:
      return add1(packed, base, sums);
    case 2:
      return add2(packed, base, sums);
    case 3:
      return add3(packed, base, sums);
    case 4:
      return add4(packed, base, sums);
    case 5:
      return add5(packed, base, sums);
    case 6:
      return add6(packed, base, sums);
    case 7:
      return add7(packed, base, sums);
    case 8:
      return add8(packed, base, sums);
    case 9:
      return add9(packed, base, sums);
    case 10:
      return add10(packed, base, sums);
    case 11:
      return add11(packed, base, sums);
    case 12:
      return add12(packed, base, sums);
    case 13:
      return add13(packed, base, sums);
    case 14:
      return add14(packed, base, sums);
    case 15:
      return add15(packed, base, sums);
    case 16:
      return add16(packed, base, sums);
    case 17:
      return add17(packed, base, sums);
    case 18:
      return add18(packed, base, sums);
    case 19:
      return add19(packed, base, sums);
    case 20:
      return add20(packed, base, sums);
    case 21:
      return add21(packed, base, sums);
    case 22:
      return add22(packed, base, sums);
    case 23:
      return add23(packed, base, sums);
    case 24:
      return add24(packed, base, sums);
    case 25:
      return add25(packed, base, sums);
    case 26:
      return add26(packed, base, sums);
    case 27:
      return add27(packed, base, sums);
    case 28:
      return add28(packed, base, sums);
    case 29:
      return add29(packed, base, sums);
    case 30:
      return add30(packed, base, sums);
    case 31:
      return add31(packed, base, sums);
    case 32:
      return add32(packed, base, sums);
  }
}
