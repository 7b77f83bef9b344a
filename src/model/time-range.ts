import { StoreError } from './errors.js';
import { missing, pathOf, shown, type JsonObject } from './request-fields.js';
import { parseTime } from './time-expression.js';

/** From `fromSec` up to, but without, `toSec`. */
export interface TimeRange {
  readonly fromSec: number;
  readonly toSec: number;
  /** Both ends were given as points in time: the same text always means the same range. */
  readonly isFixed: boolean;
}

/**
 * Reads `from`, which has to be there, and `to`, now if it is not; what an object at the path `where`
 * does not have is taken from `defaults`, which is the request.
 *
 * A range that ends now may begin in a moment: hosts' clocks differ, and a job has just started. It
 * becomes one second, in which there is nothing yet.
 */
export function parseTimeRange(
  source: JsonObject,
  where: string,
  nowSec: number,
  defaults: JsonObject = source,
): TimeRange {
  const [fromValue, fromField] = valueOf('from', source, where, defaults);
  const [toValue, toField] = valueOf('to', source, where, defaults);
  if (fromValue === undefined) {
    throw missing(fromField, 'Unix seconds, RFC 3339, or before now such as "-6h"');
  }
  const from = parseTime(fromValue, fromField, nowSec);
  if (toValue === undefined) {
    const endSec = Math.max(Math.ceil(nowSec), from.sec + 1);
    return { fromSec: from.sec, toSec: endSec, isFixed: false };
  }
  const to = parseTime(toValue, toField, nowSec);
  if (from.sec < to.sec) {
    return { fromSec: from.sec, toSec: to.sec, isFixed: from.isFixed && to.isFixed };
  }
  const given = `${shown(fromValue)} is ${from.sec}, ${shown(toValue)} is ${to.sec}`;
  throw new StoreError('bad-request', `${fromField} must be before ${toField}: ${given}`);
}

function valueOf(
  key: string,
  source: JsonObject,
  where: string,
  defaults: JsonObject,
): [value: unknown, field: string] {
  const isDefault = source[key] === undefined && defaults[key] !== undefined;
  return isDefault ? [defaults[key], key] : [source[key], pathOf(where, key)];
}
