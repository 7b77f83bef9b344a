import { wrong } from './request-fields.js';

export interface TimePoint {
  readonly sec: number;
  /** It does not depend on when it is read. */
  readonly isFixed: boolean;
}

const TIME_WANTED =
  'a time: Unix seconds, RFC 3339 such as "2026-11-26T12:00:00Z", "now", ' +
  'or before now such as "-6h" or "now-1h30m"';
const DURATION_WANTED = 'a number of seconds, or a duration such as "90s", "5m", "1h30m" or "1d"';

/** What is above it, in the year 5138, was meant as milliseconds. */
const SEC_MAX = 1e11;
/** Points that are further apart than a leap year are no series. */
const STEP_SEC_MAX = 366 * 86_400;
const TEXT_CHARS_MAX = 64;
const UNIT_SEC: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

const DIGITS = /^\d+(\.\d+)?$/;
const DURATION = /^(?:\d{1,9}[smhdw])+$/;
const DURATION_PART = /(\d+)([smhdw])/g;
const RELATIVE = /^(?:now)?([+-])(.+)$/;
const RFC_3339 =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)?$/;
const DATE = /^\d{4}-\d\d-\d\d$/;

/**
 * Reads a point in time: Unix seconds as number or digits, RFC 3339 with a zone (seconds may be left
 * out), `now`, or a distance from it (`-6h`, `now-1h30m`; units s, m, h, d = 24 h, w = 7 d).
 *
 * Fractions are rounded up, for both ends of a range: samples lie on whole seconds, so those in
 * [from, to) are the same. A time without zone is an error, and a date alone is, since two readers
 * would take it for two points in time. Milliseconds are not guessed.
 *
 * @throws StoreError `bad-request` that names the field, the value and what is wanted.
 */
export function parseTime(value: unknown, field: string, nowSec: number): TimePoint {
  if (typeof value === 'number') return fixedPoint(value, value, field);
  if (typeof value !== 'string' || value.length > TEXT_CHARS_MAX) {
    throw wrong(field, TIME_WANTED, value);
  }
  if (DIGITS.test(value)) return fixedPoint(Number(value), value, field);
  if (value === 'now') return { sec: Math.ceil(nowSec), isFixed: false };
  const relative = RELATIVE.exec(value);
  if (relative) {
    const durationSec = durationOf(relative[2]!);
    if (durationSec === undefined) throw wrong(field, TIME_WANTED, value);
    const sec = Math.ceil(relative[1] === '-' ? nowSec - durationSec : nowSec + durationSec);
    if (sec < 0 || sec > SEC_MAX) throw wrong(field, 'a time since 1970 and before 5138', value);
    return { sec, isFixed: false };
  }
  return fixedPoint(parseDate(value, field), value, field);
}

/**
 * Reads the distance between points: whole seconds as number or digits, or a duration such as `5m`.
 *
 * @throws StoreError `bad-request`, as {@link parseTime}.
 */
export function parseStep(value: unknown, field: string): number {
  const sec = secondsOf(value);
  if (sec === undefined || !Number.isSafeInteger(sec)) throw wrong(field, DURATION_WANTED, value);
  if (sec >= 1 && sec <= STEP_SEC_MAX) return sec;
  throw wrong(field, 'from one second to 366 days', value);
}

function secondsOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || value.length > TEXT_CHARS_MAX) return undefined;
  return DIGITS.test(value) ? Number(value) : durationOf(value);
}

function durationOf(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined;
  let sec = 0;
  for (const [, count, unit] of text.matchAll(DURATION_PART))
    sec += Number(count) * UNIT_SEC[unit!]!;
  return sec;
}

/** `value` is what the request has: a number is told as it was written. */
function fixedPoint(sec: number, value: unknown, field: string): TimePoint {
  if (sec > SEC_MAX) throw wrong(field, 'in Unix seconds, which have 10 digits', value);
  if (sec >= 0) return { sec: Math.ceil(sec), isFixed: true };
  const wanted = 'a time since 1970, or one before now with a unit such as "-6h"';
  throw wrong(field, wanted, value);
}

function parseDate(text: string, field: string): number {
  const parts = RFC_3339.exec(text);
  if (!parts) {
    const wanted = DATE.test(text)
      ? `a date with time and zone, such as "${text}T00:00:00Z"`
      : TIME_WANTED;
    throw wrong(field, wanted, text);
  }
  const zone = parts[8];
  if (zone === undefined) {
    throw wrong(field, `a time with its zone, such as "${text}Z" or "${text}+01:00"`, text);
  }
  const [year, month, day, hour, minute, second] = parts
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  const date = new Date(0);
  date.setUTCFullYear(year!, month! - 1, day);
  const isDay = date.getUTCMonth() === month! - 1 && date.getUTCDate() === day;
  // Second 60 is a leap second: the first of the next minute.
  if (!isDay || hour! > 23 || minute! > 59 || second! > 60 || !isZone(zone)) {
    throw wrong(field, 'a time that there is', text);
  }
  const daySec = hour! * 3600 + minute! * 60 + second! + Number(parts[7] ?? 0);
  return date.getTime() / 1000 + daySec - offsetSec(zone);
}

function isZone(zone: string): boolean {
  return zone.length === 1 || (zone.slice(1, 3) <= '23' && zone.slice(4) <= '59');
}

/** Seconds that a zone such as `+01:00` is ahead of UTC. */
function offsetSec(zone: string): number {
  if (zone.length === 1) return 0;
  const sec = Number(zone.slice(1, 3)) * 3600 + Number(zone.slice(4)) * 60;
  return zone.startsWith('-') ? -sec : sec;
}
