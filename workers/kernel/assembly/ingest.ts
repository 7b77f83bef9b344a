// The ingest loop: lines of a body to samples of series. What it does not know by heart it leaves
// to the control plane: a prefix never seen, an odd number, a quoted string, a time out of range.
import {
  CONVERSION_TALLY,
  INGEST_DONE,
  INGEST_IGNORED,
  INGEST_REMOVED,
  INGEST_LINE,
  INGEST_LINES,
  INGEST_LOG_FULL,
  INGEST_LOW_MEMORY,
  INGEST_NEW_SERIES,
  INGEST_SLOW_LINE,
  INGEST_WRITTEN,
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
import { sameBytes } from './bytes';
import { logFull } from './log';
import { newSeriesLine } from './new-series';
import {
  conversionOf,
  findPrefix,
  initPrefixes,
  previousPrefix,
  setPreviousPrefix,
} from './prefixes';
import { forgetStamp, sampleLine } from './sample';
import { firstSpace, skipLine } from './scan';

const NEWLINE: u32 = 10;
const PREFIX_WORD_KIND: u32 = 0xff0000;
const PREFIX_WORD_USED: u32 = 0x1000000;

/** Prepares an empty memory. */
export function initShard(prefixesMax: u32): void {
  initPrefixes(prefixesMax);
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
  forgetStamp();
  while (line < end) {
    if (memoryLow()) {
      status = INGEST_LOW_MEMORY;
      break;
    }
    if (logFull()) {
      status = INGEST_LOG_FULL;
      break;
    }
    let entry = followingPrefix(line, end, context);
    if (!entry) entry = lookUpPrefix(line, end, context);
    if (!entry) {
      if (<u32>load<u8>(line) == NEWLINE) {
        line++;
        lines++;
        continue;
      }
      const isNew = newSeriesLine(line, end, context, precision, nowSec);
      status = isNew ? INGEST_NEW_SERIES : INGEST_SLOW_LINE;
      break;
    }
    const body = line + <u32>load<u16>(entry + PREFIX_LENGTH);
    let next: u32;
    if (load<u8>(entry + PREFIX_KIND) == PREFIX_KIND_SERIES) {
      next = sampleLine(false, load<u32>(entry + PREFIX_SERIES), 0, body, end, precision, nowSec);
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

/** The entry that followed last time, if it is that of the line; else 0. */
// @ts-ignore: decorator
@inline
function followingPrefix(line: u32, end: u32, context: u32): u32 {
  const before = previousPrefix;
  if (!before) return 0;
  const guess = load<u32>(before + PREFIX_SUCCESSOR);
  if (!guess) return 0;
  // Its length, its kind and whether it is used, in one look.
  const word = load<u32>(guess + PREFIX_LENGTH);
  if (!(word & PREFIX_WORD_KIND)) return 0;
  const bound = load<u32>(guess + PREFIX_CONTEXT);
  if (bound && bound != context) return 0;
  const length = word & 0xffff;
  if (line + length > end) return 0;
  if (!sameBytes(line, guess + PREFIX_HEADER_BYTES, length)) return 0;
  setPreviousPrefix(guess);
  if (word < PREFIX_WORD_USED) store<u8>(guess + PREFIX_USED, 1);
  return guess;
}

/** The entry of a line's prefix by the first space, a hash, a look-up; 0 if there is none. */
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

/** A line of a prefix with a conversion. Not inlined, so that the loop over others stays small. */
function convertedLine(entry: u32, from: u32, end: u32, precision: i32, nowSec: u32): u32 {
  const conversion = conversionOf(entry);
  const series = load<u32>(entry + PREFIX_SERIES);
  const next = sampleLine(false, series, conversion, from, end, precision, nowSec);
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
