// The cells of a grid, and which inputs lie in each.
//
// Input i lies at i * den + offset, cell k takes what lies from k * num up to (k + 1) * num: so it
// begins at input ceil((k * num - offset) / den). All in integers: no rounding lets an input fall
// into the wrong cell, or a cell drift over a long range.

let inputs: i64 = 0;
let numerator: i64 = 0;
let denominator: i64 = 0;
let inputOffset: i64 = 0;
// The end of the cell last asked for, before it is bounded: position + rest / denominator.
let position: i64 = 0;
let rest: i64 = 0;
// What a cell adds to them.
let wholeStep: i64 = 0;
let restStep: i64 = 0;

/** Goes to the first cell; returns its first input. */
export function beginCells(count: i32, offset: i32, num: i32, den: i32): i32 {
  inputs = <i64>count;
  numerator = <i64>num;
  denominator = <i64>den;
  inputOffset = <i64>offset;
  // ceil(x / den) = floor((x + den - 1) / den).
  const dividend = denominator - 1 - inputOffset;
  position = floorQuotient(dividend, denominator);
  rest = dividend - position * denominator;
  wholeStep = numerator / denominator;
  restStep = numerator % denominator;
  return bounded(position);
}

/** The input behind the next cell; without a division, as cells may be as short as their inputs. */
// @ts-ignore: decorator
@inline
export function nextCellEnd(): i32 {
  position += wholeStep;
  rest += restStep;
  if (rest >= denominator) {
    rest -= denominator;
    position++;
  }
  return bounded(position);
}

/** First input of any cell, of those that `beginCells` was told of. */
export function cellStart(cell: i32): i32 {
  const dividend = <i64>cell * numerator - inputOffset + denominator - 1;
  return bounded(floorQuotient(dividend, denominator));
}

/** The cell of an input. */
export function cellOf(input: i32): i32 {
  return <i32>((<i64>input * denominator + inputOffset) / numerator);
}

// @ts-ignore: decorator
@inline
function bounded(input: i64): i32 {
  return <i32>min(max<i64>(input, 0), inputs);
}

function floorQuotient(dividend: i64, divisor: i64): i64 {
  const quotient = dividend / divisor;
  return quotient - <i64>(dividend % divisor < 0);
}
