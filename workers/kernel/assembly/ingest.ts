// The ingest loop: lines of a body to samples of series. What it does not know by heart it leaves
// to the control plane: a prefix never seen, an odd number, a quoted string, a time out of range.
import {
  CONVERSION_ADDEND,
  CONVERSION_DIVISOR,
  CONVERSION_MULTIPLIER,
  CONVERSION_SHIFT,
  CONVERSION_TALLY,
  INGEST_DONE,
  INGEST_IGNORED,
  INGEST_REMOVED,
  INGEST_LINE,
  INGEST_LINES,
  INGEST_LOG_FULL,
  INGEST_LOW_MEMORY,
  INGEST_SLOW_LINE,
  INGEST_WRITTEN,
  PRECISION_AUTO,
  PRECISION_H,
  PRECISION_M,
  PRECISION_MS,
  PRECISION_NS,
  PRECISION_US,
  PREFIX_CONTEXT,
  PREFIX_HEADER_BYTES,
  PREFIX_KIND,
  PREFIX_KIND_IGNORED,
  PREFIX_KIND_SERIES,
  PREFIX_LENGTH,
  PREFIX_SERIES,
  PREFIX_SUCCESSOR,
  PREFIX_USED,
  STATE_BASE,
  TALLY_LAST_SEC,
  TALLY_LINES,
  TALLY_MISMATCHED,
} from '../layout';
import { memoryLow } from './alloc';
import { logFull } from './log';
import {
  conversionOf,
  findPrefix,
  initPrefixes,
  previousPrefix,
  sameBytes,
  setPreviousPrefix,
} from './prefixes';
import { decimalToDouble } from './number';
import { append, noteTime } from './series';

const NEWLINE: u32 = 10;
const RETURN: u32 = 13;
const SPACE: u32 = 32;
const QUOTE: u32 = 34;
const BACKSLASH: u32 = 92;
const POINT: u32 = 46;
const MINUS: u32 = 45;
const PLUS: u32 = 43;
const LETTER_E: u32 = 101;
/** No digit, and no letter that begins an exponent. */
const NOT_AN_EXPONENT: u32 = 0x100;

/** That many digits fit 64 bits. */
const DIGITS_MAX: u32 = 19;

let timeMin: u32 = 0;
let timeMax: u32 = 0xffffffff;
/** Where the last 10-digit timestamp was read, and what it was: the next line's is mostly the same. */
let stampAt: u32 = 0;
let stampTime: u32 = 0;

/** Prepares an empty memory. */
export function initShard(prefixesMax: u32): void {
  initPrefixes(prefixesMax);
}

/** Samples outside `min` … `max` (Unix seconds) go to the control plane, which says why. */
export function setTimeRange(min: u32, max: u32): void {
  timeMin = min;
  timeMax = max;
}

/**
 * Reads lines from `start` to `end` (31 readable bytes must follow). `context` stands for the
 * default cluster, 0 = none; `nowSec` is the time of lines without one. Returns INGEST_*; counts
 * and the line it stopped at are in the state region.
 */
export function ingest(start: u32, end: u32, context: u32, precision: i32, nowSec: u32): i32 {
  let line = start;
  let written: u32 = 0;
  let ignored: u32 = 0;
  let removed: u32 = 0;
  let lines: u32 = 0;
  let status = INGEST_DONE;
  stampAt = 0;
  while (line < end) {
    if (memoryLow()) {
      status = INGEST_LOW_MEMORY;
      break;
    }
    if (logFull()) {
      status = INGEST_LOG_FULL;
      break;
    }
    const entry = matchPrefix(line, end, context);
    if (!entry) {
      if (<u32>load<u8>(line) == NEWLINE) {
        line++;
        lines++;
        continue;
      }
      status = INGEST_SLOW_LINE;
      break;
    }
    const body = line + <u32>load<u16>(entry + PREFIX_LENGTH);
    let next: u32;
    if (load<u8>(entry + PREFIX_KIND) == PREFIX_KIND_SERIES) {
      next = sampleLine(load<u32>(entry + PREFIX_SERIES), 0, body, end, precision, nowSec);
      written += <u32>(next != 0);
    } else if (load<u8>(entry + PREFIX_KIND) == PREFIX_KIND_IGNORED) {
      next = skipLine(body, end);
      ignored += <u32>(next != 0);
      if (next) removed += load<u32>(entry + PREFIX_SERIES);
    } else {
      next = convertedLine(entry, body, end, precision, nowSec);
      written += <u32>(next != 0);
    }
    if (!next) {
      status = INGEST_SLOW_LINE;
      break;
    }
    lines++;
    line = next;
  }
  store<u32>(STATE_BASE + INGEST_LINE, line);
  store<u32>(STATE_BASE + INGEST_WRITTEN, written);
  store<u32>(STATE_BASE + INGEST_IGNORED, ignored);
  store<u32>(STATE_BASE + INGEST_LINES, lines);
  store<u32>(STATE_BASE + INGEST_REMOVED, removed);
  return status;
}

/** Fast path: the entry that followed last time. Slow path: the first space, a hash, a look-up. */
// @ts-ignore: decorator
@inline
function matchPrefix(line: u32, end: u32, context: u32): u32 {
  const before = previousPrefix;
  if (before) {
    const guess = load<u32>(before + PREFIX_SUCCESSOR);
    if (guess) {
      const length = <u32>load<u16>(guess + PREFIX_LENGTH);
      const bound = load<u32>(guess + PREFIX_CONTEXT);
      if (
        load<u8>(guess + PREFIX_KIND) != 0 &&
        (bound == 0 || bound == context) &&
        line + length <= end &&
        sameBytes(line, guess + PREFIX_HEADER_BYTES, length)
      ) {
        setPreviousPrefix(guess);
        if (!load<u8>(guess + PREFIX_USED)) store<u8>(guess + PREFIX_USED, 1);
        return guess;
      }
    }
  }
  return lookUpPrefix(line, end, context);
}

function lookUpPrefix(line: u32, end: u32, context: u32): u32 {
  const space = firstSpace(line, end);
  if (!space) return 0;
  const entry = findPrefix(line, space + 1 - line, end, context);
  if (!entry) return 0;
  store<u8>(entry + PREFIX_USED, 1);
  if (previousPrefix) store<u32>(previousPrefix + PREFIX_SUCCESSOR, entry);
  setPreviousPrefix(entry);
  return entry;
}

/** Address of the first unescaped space of a line, 0 if it has none. */
export function firstSpace(line: u32, end: u32): u32 {
  let p = line;
  const space = i8x16.splat(<i8>SPACE);
  const newline = i8x16.splat(<i8>NEWLINE);
  const backslash = i8x16.splat(<i8>BACKSLASH);
  while (p < end) {
    const bytes = v128.load(p);
    const hits = i8x16.bitmask(
      v128.or(
        i8x16.eq(bytes, space),
        v128.or(i8x16.eq(bytes, newline), i8x16.eq(bytes, backslash)),
      ),
    );
    if (!hits) {
      p += 16;
      continue;
    }
    p += ctz(hits);
    if (p >= end) return 0;
    const byte = <u32>load<u8>(p);
    if (byte == SPACE) return p;
    if (byte == NEWLINE) return 0;
    // A backslash escapes what follows, but never the end of a line.
    p += p + 1 < end && <u32>load<u8>(p + 1) == NEWLINE ? 1 : 2;
  }
  return 0;
}

/** Behind the newline that ends the line, 0 if a quote makes that uncertain. */
function skipLine(from: u32, end: u32): u32 {
  let p = from;
  const newline = i8x16.splat(<i8>NEWLINE);
  const quote = i8x16.splat(<i8>QUOTE);
  while (p < end) {
    const bytes = v128.load(p);
    const hits = i8x16.bitmask(v128.or(i8x16.eq(bytes, newline), i8x16.eq(bytes, quote)));
    if (hits) {
      p += ctz(hits);
      if (p >= end) return end;
      return <u32>load<u8>(p) == NEWLINE ? p + 1 : 0;
    }
    p += 16;
  }
  return end;
}

/** A line of a prefix with a conversion. Not inlined, so that the loop over others stays small. */
function convertedLine(entry: u32, from: u32, end: u32, precision: i32, nowSec: u32): u32 {
  const conversion = conversionOf(entry);
  const series = load<u32>(entry + PREFIX_SERIES);
  const next = sampleLine(series, conversion, from, end, precision, nowSec);
  if (next) {
    const tally = load<u32>(conversion + CONVERSION_TALLY);
    countLine(tally, nowSec);
    // A row's lines are among all that are mismatched.
    if (tally > <u32>TALLY_MISMATCHED) countLine(TALLY_MISMATCHED, nowSec);
  }
  return next;
}

function countLine(tally: u32, nowSec: u32): void {
  store<f64>(tally + TALLY_LINES, load<f64>(tally + TALLY_LINES) + 1);
  store<u32>(tally + TALLY_LAST_SEC, nowSec);
}

function convert(value: f64, conversion: u32): f64 {
  const addend = load<f64>(conversion + CONVERSION_ADDEND);
  let scaled = value * load<f64>(conversion + CONVERSION_MULTIPLIER);
  // Minus zero plus zero would not be minus zero.
  if (addend != 0) scaled += addend;
  return scaled / load<f64>(conversion + CONVERSION_DIVISOR);
}

/**
 * `number[i|u] [timestamp]` and the line's end; returns the next line, 0 = not for the fast path.
 * `conversion` 0 = there is none, which is known where this is inlined.
 */
// @ts-ignore: decorator
@inline
function sampleLine(
  series: u32,
  conversion: u32,
  from: u32,
  end: u32,
  precision: i32,
  nowSec: u32,
): u32 {
  let p = from;
  const negative = <u32>load<u8>(p) == MINUS;
  if (negative) p++;
  let mantissa: u64 = 0;
  const digits = p;
  let digit = <u32>load<u8>(p) - 48;
  while (digit < 10) {
    mantissa = mantissa * 10 + digit;
    digit = <u32>load<u8>(++p) - 48;
  }
  let digitCount = p - digits;
  let exponent: i32 = 0;
  if (digit + 48 == POINT) {
    const fraction = ++p;
    digit = <u32>load<u8>(p) - 48;
    while (digit < 10) {
      mantissa = mantissa * 10 + digit;
      digit = <u32>load<u8>(++p) - 48;
    }
    exponent = fraction - p;
    if (!exponent) return 0;
    digitCount += p - fraction;
  } else {
    const suffix = digit + 48;
    if (suffix == 105 || (suffix == 117 && !negative)) {
      // Integers of more digits may not fit 64 bits, which the control plane checks.
      if (digitCount >= DIGITS_MAX) return 0;
      p++;
      digit = NOT_AN_EXPONENT;
    }
  }
  if (digitCount - 1 >= DIGITS_MAX) {
    // Zeros at the front do not count; without a digit there is no number.
    if (!digitCount || digitCount - leadingZeros(digits) > DIGITS_MAX) return 0;
  }
  if (((digit + 48) | 32) == LETTER_E) {
    const written = readExponent(p + 1, end);
    if (!written) return 0;
    p = written;
    exponent += exponentRead;
  }
  if (conversion) exponent += load<i32>(conversion + CONVERSION_SHIFT);
  let value = decimalToDouble(mantissa, exponent);
  if (value != value) return 0;
  if (negative) value = -value;
  if (conversion) {
    value = convert(value, conversion);
    if (value - value != 0) return 0;
  }
  if (p > end) return 0;
  return stampedSample(series, value, p, end, precision, nowSec);
}

/** How many of the digits from `p` on are zeros in front; a point among them is passed over. */
function leadingZeros(from: u32): u32 {
  let zeros: u32 = 0;
  let p = from;
  let byte = <u32>load<u8>(p);
  while (byte == 48 || byte == POINT) {
    zeros += <u32>(byte == 48);
    byte = <u32>load<u8>(++p);
  }
  return zeros;
}

let exponentRead: i32 = 0;

/** Reads `[+-]digits` to `exponentRead`; returns the address behind, 0 if it is not for the fast path. */
function readExponent(from: u32, end: u32): u32 {
  let p = from;
  const sign = <u32>load<u8>(p);
  if (sign == MINUS || sign == PLUS) p++;
  const digits = p;
  let exponent: i32 = 0;
  let digit = <u32>load<u8>(p) - 48;
  while (digit < 10 && p - digits < 4) {
    exponent = exponent * 10 + digit;
    digit = <u32>load<u8>(++p) - 48;
  }
  if (p == digits || digit < 10 || p > end) return 0;
  exponentRead = sign == MINUS ? -exponent : exponent;
  return p;
}

/** The timestamp part of a line. */
// @ts-ignore: decorator
@inline
function stampedSample(
  series: u32,
  value: f64,
  from: u32,
  end: u32,
  precision: i32,
  nowSec: u32,
): u32 {
  let p = from;
  let time: u32;
  if (p + 11 < end && <u32>load<u8>(p) == SPACE) {
    p++;
    if (
      stampAt != 0 &&
      load<u64>(p) == load<u64>(stampAt) &&
      load<u16>(p + 8) == load<u16>(stampAt + 8) &&
      <u32>load<u8>(p + 10) == NEWLINE
    ) {
      append(series, stampTime, value);
      return p + 11;
    }
  } else if (p < end && <u32>load<u8>(p) == SPACE) p++;
  else {
    // No timestamp.
    if (p < end && <u32>load<u8>(p) == RETURN) p++;
    if (p < end && <u32>load<u8>(p) != NEWLINE) return 0;
    noteTime(nowSec);
    append(series, nowSec, value);
    return p + 1;
  }
  const stamp = p;
  let ticks: u64 = 0;
  let digit = <u32>load<u8>(p) - 48;
  while (digit < 10) {
    ticks = ticks * 10 + digit;
    digit = <u32>load<u8>(++p) - 48;
  }
  const digitCount = p - stamp;
  if (digitCount - 1 >= 19 || p > end) return 0;
  if (p < end && <u32>load<u8>(p) == RETURN) p++;
  if (p < end && <u32>load<u8>(p) != NEWLINE) return 0;
  time = toSeconds(ticks, precision);
  if (time < timeMin || time > timeMax) return 0;
  noteTime(time);
  if (digitCount == 10) {
    stampAt = stamp;
    stampTime = time;
  }
  append(series, time, value);
  return p + 1;
}

/** Ticks of a precision as whole seconds; without one, by magnitude. Too late for 32 bits: 0. */
function toSeconds(ticks: u64, precision: i32): u32 {
  let seconds = ticks;
  if (precision == PRECISION_AUTO) {
    if (ticks >= 100000000000000000) seconds = ticks / 1000000000;
    else if (ticks >= 100000000000000) seconds = ticks / 1000000;
    else if (ticks >= 100000000000) seconds = ticks / 1000;
  } else if (precision == PRECISION_MS) seconds = ticks / 1000;
  else if (precision == PRECISION_US) seconds = ticks / 1000000;
  else if (precision == PRECISION_NS) seconds = ticks / 1000000000;
  // Ticks beyond 32 bits are too late in any case, and would wrap.
  else if (ticks > 0xffffffff) return 0;
  else if (precision == PRECISION_M) seconds = ticks * 60;
  else if (precision == PRECISION_H) seconds = ticks * 3600;
  return seconds > 0xffffffff ? 0 : <u32>seconds;
}
