import type { IgnoreReason, RejectReason } from '../../src/model/reasons.js';
import { internText } from './intern.js';
import {
  countLines,
  isLineEnd,
  logicalLineEnd,
  newlineAfter,
  quoteEnd,
  skipBlanks,
} from './line-scan.js';
import { parseNumber } from './parse-number.js';
import { parseTime } from './parse-time.js';
import {
  readTags,
  TAG_BYTES_MAX,
  TAG_CLUSTER,
  TAG_HOST,
  TAG_STYPE,
  TAG_STYPE_ID,
  TAG_TYPE,
  TAG_TYPE_ID,
  TAG_UNIT,
  tagFault,
  tagText,
  unescapeName,
} from './parse-tags.js';

/** What a line is read under. */
export interface LineContext {
  /** Cluster of lines that name none, '' = such lines are rejected. */
  readonly cluster: string;
  /** One of PRECISION_*. */
  readonly precision: number;
  /** Time of lines without a timestamp. */
  readonly nowSec: number;
  readonly minSec: number;
  /** `minSec` is not the retention's: what lies before it is being archived, since memory is short. */
  readonly isFloored?: boolean;
  readonly maxSec: number;
  readonly lineBytesMax: number;
  readonly isKnown: (metric: string) => boolean;
}

/** What names a series. */
export interface SeriesNames {
  readonly metric: string;
  readonly cluster: string;
  readonly host: string;
  /** '' = the host itself. */
  readonly type: string;
  readonly typeId: string;
  readonly stype: string;
  readonly stypeId: string;
}

export interface ParsedSample extends SeriesNames {
  readonly kind: 'sample';
  /** Physical lines taken, and where the next one begins. */
  readonly lines: number;
  readonly next: number;
  readonly value: number;
  /** Bytes of its text, from the line's start. */
  readonly valueFrom: number;
  readonly valueUntil: number;
  /** Of the tag `unit`, '' = none: its value is in this one, as far as it is one. */
  readonly unit: string;
  readonly timeSec: number;
  /** Bytes from the line's start to just behind ` value=` if the fields begin so, else -1. */
  valueOffset: number;
  /** The line names its cluster itself. */
  readonly ownCluster: boolean;
  /** Fields beside `value`, which are ignored. */
  readonly extraFields: number;
}

export type ParsedLine =
  | ParsedSample
  | { readonly kind: 'blank'; readonly lines: number; readonly next: number }
  | {
      readonly kind: 'ignored';
      readonly lines: number;
      readonly next: number;
      readonly reason: IgnoreReason;
    }
  | {
      readonly kind: 'rejected';
      readonly lines: number;
      readonly next: number;
      readonly reason: RejectReason;
      /** The sentence for the client. */
      readonly detail: string;
      /** Counts from 1, in bytes. */
      readonly column: number;
    };

const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const QUOTE = 34;
const HASH = 35;
const COMMA = 44;
const EQUALS = 61;
const BACKSLASH = 92;
const DELETE = 127;

/** Fields of the line being read; one line at a time. */
const fields = {
  count: 0,
  /** Bytes of `value`; -1 = there is none. */
  valueFrom: -1,
  valueUntil: -1,
  isQuoted: false,
  /** Which of event, log and control was seen last, '' = none. */
  message: '' as IgnoreReason | '',
  /** Fields that are none of these four. */
  others: 0,
};

/**
 * Reads the line at `start` with every rule of the line protocol: the slow road, taken once for
 * each distinct prefix and for what the kernel does not know. Below 1 µs a line.
 */
export function parseLine(
  bytes: Uint8Array,
  start: number,
  bytesEnd: number,
  context: LineContext,
): ParsedLine {
  const nameFrom = skipBlanks(bytes, start, bytesEnd);
  if (isLineEnd(bytes, nameFrom, bytesEnd) || bytes[nameFrom] === HASH) {
    return { kind: 'blank', lines: 1, next: newlineAfter(bytes, nameFrom, bytesEnd) };
  }
  // Whatever is wrong with it: the front cuts bodies by the same rule, and sends what follows elsewhere.
  const end = logicalLineEnd(bytes, nameFrom, bytesEnd);
  const nameUntil = nameEnd(bytes, nameFrom, end);
  const raw = internText(bytes, nameFrom, nameUntil);
  const metric = raw.includes('\\') ? unescapeName(raw) : raw;
  if (metric !== '' && !context.isKnown(metric)) {
    // Events and metrics nobody configured: what follows is not ours to judge.
    return ignored(bytes, start, end, 'unknown metric');
  }
  if (metric === '' || nameUntil - nameFrom > TAG_BYTES_MAX || hasControl(metric)) {
    const detail = `the metric's name is empty, longer than ${TAG_BYTES_MAX} bytes or has control characters`;
    return broken(bytes, start, nameFrom, end, 'bad metric name', detail);
  }
  const tagsEnd = readTags(bytes, nameUntil, end);
  if (tagsEnd < 0) {
    return broken(bytes, start, -tagsEnd, end, 'bad tag', 'a tag must be key=value');
  }
  const fieldsFrom = skipBlanks(bytes, tagsEnd, end);
  const fieldsEnd = readFields(bytes, fieldsFrom, end);
  if (fieldsEnd < 0) {
    const detail = 'a field must be key=value, text in quotes';
    return broken(bytes, start, -fieldsEnd, end, 'bad field', detail);
  }
  const parsed = readSample(bytes, start, tagsEnd, fieldsEnd, end, context, metric);
  // Only a line that begins with its metric and has one blank before `value=` can be known by its bytes.
  const isPlain =
    nameFrom === start && fieldsFrom === tagsEnd + 1 && fields.valueFrom === fieldsFrom + 6;
  if (parsed.kind === 'sample' && isPlain) parsed.valueOffset = fields.valueFrom - start;
  return parsed;
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < SPACE || code === DELETE) return true;
  }
  return false;
}

/** Behind the metric's name: a comma, a blank or the line's end. */
function nameEnd(bytes: Uint8Array, from: number, end: number): number {
  let p = from;
  while (p < end) {
    const byte = bytes[p]!;
    if (byte === COMMA || byte === SPACE || byte === NEWLINE) return p;
    if (byte === RETURN && isLineEnd(bytes, p, end)) return p;
    p += byte === BACKSLASH && p + 1 < end && bytes[p + 1] !== NEWLINE ? 2 : 1;
  }
  return end;
}

/** Reads `key=value,…` into `fields`; returns the address behind, or minus that of a wrong byte. */
function readFields(bytes: Uint8Array, from: number, end: number): number {
  fields.count = 0;
  fields.valueFrom = -1;
  fields.isQuoted = false;
  fields.message = '';
  fields.others = 0;
  let p = from;
  while (!isLineEnd(bytes, p, end)) {
    const key = p;
    while (p < end && bytes[p] !== EQUALS) {
      const byte = bytes[p]!;
      if (byte === COMMA || byte === SPACE || byte === NEWLINE) return -p;
      p += byte === BACKSLASH && bytes[p + 1] !== NEWLINE ? 2 : 1;
    }
    if (p >= end || p === key) return -Math.min(p, end);
    const keyUntil = p++;
    const value = p;
    const isQuoted = p < end && bytes[p] === QUOTE;
    if (isQuoted) {
      p = quoteEnd(bytes, p, end);
      if (p === 0) return -value;
    } else {
      while (!isLineEnd(bytes, p, end) && bytes[p] !== COMMA && bytes[p] !== SPACE) p++;
      if (p === value) return -p;
    }
    noteField(internText(bytes, key, keyUntil), value, p, isQuoted);
    if (p >= end || bytes[p] !== COMMA) break;
    p++;
    if (isLineEnd(bytes, p, end)) return -p;
  }
  return p;
}

function noteField(key: string, from: number, until: number, isQuoted: boolean): void {
  fields.count++;
  if (key === 'value') {
    fields.valueFrom = from;
    fields.valueUntil = until;
    fields.isQuoted = isQuoted;
  } else if (key === 'event' || key === 'log' || key === 'control') fields.message = key;
  else fields.others++;
}

/** The rest of a well-formed line: its timestamp, and what may be wrong with its parts. */
function readSample(
  bytes: Uint8Array,
  start: number,
  tagsEnd: number,
  fieldsEnd: number,
  end: number,
  context: LineContext,
  metric: string,
): ParsedLine {
  const stamp = skipBlanks(bytes, fieldsEnd, end);
  let stampEnd = stamp;
  while (!isLineEnd(bytes, stampEnd, end) && bytes[stampEnd] !== SPACE) stampEnd++;
  const rest = skipBlanks(bytes, stampEnd, end);
  const fault = lineFault(bytes, start, fieldsEnd, rest, end, context);
  if (fault) return rejected(bytes, start, end, fault);
  if (fields.valueFrom < 0) return ignored(bytes, start, end, fields.message as IgnoreReason);
  const tags = tagFault(bytes, tagsEnd, context.cluster);
  if (tags) return rejected(bytes, start, end, tags);
  const value = fields.isQuoted ? NaN : parseNumber(bytes, fields.valueFrom, fields.valueUntil);
  if (!Number.isFinite(value)) return rejected(bytes, start, end, valueFault(value));
  const hasTime = stampEnd > stamp;
  const timeSec = hasTime ? parseTime(bytes, stamp, stampEnd, context.precision) : context.nowSec;
  if (hasTime && !(timeSec >= context.minSec && timeSec <= context.maxSec)) {
    return rejected(bytes, start, end, timeFault(bytes, stamp, stampEnd, timeSec, context));
  }
  const ownCluster = tagText(TAG_CLUSTER) !== '';
  const type = tagText(TAG_TYPE);
  const isHost = type === 'node' || type === '';
  return {
    kind: 'sample',
    lines: countLines(bytes, start, end),
    next: end,
    metric,
    cluster: ownCluster ? tagText(TAG_CLUSTER) : context.cluster,
    host: tagText(TAG_HOST),
    type: isHost ? '' : type,
    typeId: isHost ? '' : tagText(TAG_TYPE_ID),
    stype: tagText(TAG_STYPE),
    stypeId: tagText(TAG_STYPE_ID),
    value,
    valueFrom: fields.valueFrom - start,
    valueUntil: fields.valueUntil - start,
    unit: tagText(TAG_UNIT).trim(),
    timeSec,
    valueOffset: -1,
    ownCluster,
    extraFields: fields.count - 1,
  };
}

interface Fault {
  readonly at: number;
  readonly reason: RejectReason;
  readonly detail: string;
}

/** What is wrong with the line as a whole. */
function lineFault(
  bytes: Uint8Array,
  start: number,
  fieldsEnd: number,
  rest: number,
  end: number,
  context: LineContext,
): Fault | undefined {
  if (end - start > context.lineBytesMax) {
    const detail = `${end - start} bytes: the limit line-bytes-max is ${context.lineBytesMax}`;
    return { at: start + context.lineBytesMax, reason: 'line too long', detail };
  }
  if (fields.count === 0) {
    return { at: fieldsEnd, reason: 'no fields', detail: 'the line ends before its fields' };
  }
  if (fields.valueFrom < 0 && (fields.message === '' || fields.others > 0)) {
    return { at: fieldsEnd, reason: 'no value', detail: 'the line has no field `value`' };
  }
  if (!isLineEnd(bytes, rest, end)) {
    return { at: rest, reason: 'bad timestamp', detail: 'there is text behind the timestamp' };
  }
  if (newlineAfter(bytes, rest, end) !== end) {
    return { at: rest, reason: 'bad field', detail: 'a newline stands in half a text in quotes' };
  }
  return undefined;
}

function valueFault(value: number): Fault {
  const at = fields.valueFrom;
  if (!Number.isNaN(value)) {
    return { at, reason: 'not finite', detail: '`value` is not finite or too large for a double' };
  }
  return { at, reason: 'bad value', detail: '`value` is not a decimal number' };
}

function timeFault(
  bytes: Uint8Array,
  from: number,
  until: number,
  timeSec: number,
  context: LineContext,
): Fault {
  if (Number.isNaN(timeSec)) {
    let at = bytes[from] === 45 ? from + 1 : from;
    while (at < until && bytes[at]! >= 48 && bytes[at]! <= 57) at++;
    const detail = 'the timestamp is not an integer of at most 19 digits';
    return { at, reason: 'bad timestamp', detail };
  }
  if (timeSec < context.minSec) {
    const oldest = context.isFloored
      ? 'the oldest that there is memory for (memory-cap)'
      : 'the oldest that retention keeps (retention-in-memory)';
    const detail = `timestamp ${timeSec} s is before ${context.minSec} s, ${oldest}`;
    return { at: from, reason: 'too old', detail };
  }
  const detail = `timestamp ${timeSec} s is after ${context.maxSec} s, the latest that is taken (future)`;
  return { at: from, reason: 'too far ahead', detail };
}

/** A line that could not be read to its end. */
function broken(
  bytes: Uint8Array,
  start: number,
  at: number,
  end: number,
  reason: RejectReason,
  detail: string,
): ParsedLine {
  return rejected(bytes, start, end, { at, reason, detail });
}

function rejected(bytes: Uint8Array, start: number, next: number, fault: Fault): ParsedLine {
  const lines = countLines(bytes, start, next);
  const column = fault.at - start + 1;
  return { kind: 'rejected', lines, next, reason: fault.reason, detail: fault.detail, column };
}

function ignored(bytes: Uint8Array, start: number, next: number, reason: IgnoreReason): ParsedLine {
  return { kind: 'ignored', lines: countLines(bytes, start, next), next, reason };
}
