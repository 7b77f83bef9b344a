/** A range of time, in Unix seconds; the end is exclusive. */
export interface Range {
  readonly fromSec: number;
  readonly toSec: number;
}

/** Nothing closer is looked at: no metric has a step below a second. */
export const RANGE_SEC_MIN = 10;
const DISTANCE = /^(?:now)?\s*-\s*((?:\d+(?:\.\d+)?[smhdw])+)$/;
const UNIX = /^\d{1,11}$/;
const LOCAL = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d))?)?$/;
const ZONED = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/;
const UNIT_SEC: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/**
 * A time as people write it: `now`, a distance from now (`-6h`, `now-1h30m`), Unix seconds, a date and time with
 * zone, or without, which then is that of whoever looks. undefined: it is none of these.
 */
export function parseTime(text: string, nowSec: number): number | undefined {
  const trimmed = text.trim();
  if (trimmed === 'now') return nowSec;
  if (UNIX.test(trimmed)) return Number(trimmed);
  const distance = DISTANCE.exec(trimmed);
  if (distance) return nowSec - secondsOf(distance[1]!);
  const local = LOCAL.exec(trimmed);
  if (local) return localSeconds(local.slice(1).map((part) => Number(part ?? 0)));
  return ZONED.test(trimmed) ? finite(Date.parse(trimmed.replace(' ', 'T')) / 1000) : undefined;
}

/** Whether a time moves as time goes on. */
export function isRelative(text: string): boolean {
  return text.trim() === 'now' || DISTANCE.test(text.trim());
}

/** Closer (factor below 1) or wider around its middle; a range that lay in the past does not reach the future. */
export function zoom({ fromSec, toSec }: Range, factor: number, nowSec: number): Range {
  const length = Math.max(Math.round((toSec - fromSec) * factor), RANGE_SEC_MIN);
  const from = Math.round((fromSec + toSec - length) / 2);
  return before({ fromSec: from, toSec: from + length }, Math.max(nowSec, toSec));
}

/** Later or earlier by a share of its length. */
export function move({ fromSec, toSec }: Range, share: number, nowSec: number): Range {
  const by = Math.round((toSec - fromSec) * share);
  return before({ fromSec: fromSec + by, toSec: toSec + by }, Math.max(nowSec, toSec));
}

/** What was selected by hand, as whole seconds and not too short. */
export function selected(fromSec: number, toSec: number): Range {
  const from = Math.floor(fromSec);
  return { fromSec: from, toSec: Math.max(Math.ceil(toSec), from + RANGE_SEC_MIN) };
}

function before({ fromSec, toSec }: Range, endSec: number): Range {
  const over = Math.max(0, Math.round(toSec - endSec));
  return { fromSec: Math.max(0, fromSec - over), toSec: toSec - over };
}

function secondsOf(text: string): number {
  let sum = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)([smhdw])/g)) {
    sum += Number(amount) * UNIT_SEC[unit!]!;
  }
  return sum;
}

/** undefined for what is no day, such as the 31st of June. */
function localSeconds([year, month, day, hour, minute, second]: number[]): number | undefined {
  const at = new Date(year!, month! - 1, day, hour, minute, second);
  const isSame = at.getMonth() === month! - 1 && at.getDate() === day && at.getHours() === hour;
  return isSame ? at.getTime() / 1000 : undefined;
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}
