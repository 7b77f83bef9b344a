import type { Random } from '../helpers/random.js';

/** Numbers at which something changes: digits that a double holds, 32 and 64 bits, signs, exponents. */
const EDGES = (
  '0 -0 1 -1 00 1. .5 . + - 1e 1e0 1e22 1e23 1e308 1.7976931348623157e308 1e309 -1e999 5e-324 4.9e-324 1e-400 ' +
  '0.1 1e-99999999999999999999999 1e99999999999999999999999 0.30000000000000004 123456789012345 1234567890123456 9007199254740991 9007199254740993 ' +
  '2147483647 2147483648 4294967295 4294967296 9223372036854775807 9223372036854775808 ' +
  '18446744073709551615 18446744073709551616 99999999999999999999 1i 1u -1u 1I 0x10 NaN inf Infinity true'
).split(' ');
const ODD_BYTES = [0, 1, 9, 10, 13, 32, 34, 35, 44, 45, 46, 47, 61, 92, 127, 128, 0xc3, 0xff];
/** A mutation makes inputs at most so much longer. */
const GROWTH_BYTES_MAX = 4096;
const INPUT_BYTES_MAX = 64 * 1024;

type Change = (random: Random, input: Buffer, other: Buffer) => Buffer;

function placed(input: Buffer, from: number, until: number, piece: Uint8Array): Buffer {
  return Buffer.concat([input.subarray(0, from), piece, input.subarray(until)]);
}

function pieceOf(random: Random, input: Buffer): Buffer {
  const from = random.below(input.length + 1);
  const length = random.below(Math.min(GROWTH_BYTES_MAX, input.length - from) + 1);
  return input.subarray(from, from + length);
}

function flipBit(random: Random, input: Buffer): Buffer {
  if (input.length === 0) return input;
  const changed = Buffer.from(input);
  changed[random.below(input.length)]! ^= 1 << random.below(8);
  return changed;
}

function setByte(random: Random, input: Buffer): Buffer {
  if (input.length === 0) return input;
  const changed = Buffer.from(input);
  changed[random.below(input.length)] = random.pick(ODD_BYTES);
  return changed;
}

function insert(random: Random, input: Buffer): Buffer {
  const at = random.below(input.length + 1);
  const piece = Buffer.alloc(1 + random.below(3), random.pick(ODD_BYTES));
  return placed(input, at, at, piece);
}

function remove(random: Random, input: Buffer): Buffer {
  const at = random.below(input.length + 1);
  return placed(input, at, at + 1 + random.below(random.pick([2, 10, 100])), Buffer.alloc(0));
}

function duplicate(random: Random, input: Buffer): Buffer {
  const at = random.below(input.length + 1);
  const piece = pieceOf(random, input);
  return placed(input, at, at, piece);
}

function truncate(random: Random, input: Buffer): Buffer {
  return input.subarray(0, random.below(input.length + 1));
}

function splice(random: Random, input: Buffer, other: Buffer): Buffer {
  const head = input.subarray(0, random.below(input.length + 1));
  return Buffer.concat([head, other.subarray(random.below(other.length + 1))]);
}

/** One of its numbers becomes one at the edge. */
function edgeNumber(random: Random, input: Buffer): Buffer {
  const found = [...input.toString('latin1').matchAll(/\d[\d.]*/g)];
  if (found.length === 0) return input;
  const { index, 0: text } = random.pick(found);
  return placed(input, index, index + text.length, Buffer.from(random.pick(EDGES)));
}

/** A line, or a list's item, is moved, doubled or taken from the other input. */
function moveLine(random: Random, input: Buffer, other: Buffer): Buffer {
  const separator = input.includes(10) ? '\n' : ',';
  const lines = input.toString('latin1').split(separator);
  const from = random.chance(0.5) ? lines : other.toString('latin1').split(separator);
  const line = random.pick(from);
  if (from === lines && random.chance(0.5)) lines.splice(lines.indexOf(line), 1);
  lines.splice(random.below(lines.length + 1), 0, line);
  return Buffer.from(lines.join(separator), 'latin1');
}

const CHANGES: readonly Change[] = [
  flipBit,
  setByte,
  insert,
  remove,
  duplicate,
  truncate,
  splice,
  edgeNumber,
  edgeNumber,
  moveLine,
  moveLine,
];

/** One to four changes that know nothing of the input's grammar but lines and numbers. */
export function mutateBytes(random: Random, input: Buffer, other: Buffer): Buffer {
  let changed = input;
  for (let left = 1 + random.below(random.pick([1, 2, 4])); left > 0; left--) {
    changed = random.pick(CHANGES)(random, changed, other);
  }
  return changed.subarray(0, INPUT_BYTES_MAX);
}

/** A text of a number, near the edges as often as not. */
export function edgeOf(random: Random): string {
  return random.pick(EDGES);
}
