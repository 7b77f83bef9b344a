import { StoreError } from './errors.js';
import { checkJsonSize } from './json-size.js';
import { nearestOf } from './nearest.js';

export type JsonObject = Readonly<Record<string, unknown>>;

/** The keys that an object may have. */
export interface Keys {
  readonly known: ReadonlySet<string>;
  /** By keys that people try instead: what to do. */
  readonly hints: ReadonlyMap<string, string>;
}

/** Longest name of a cluster, host, metric or id; the pattern for some may be as long. */
const NAME_CHARS_MAX = 256;
const SHOWN_CHARS_MAX = 80;

export function keysOf(known: readonly string[], hints: Readonly<Record<string, string>>): Keys {
  return { known: new Set(known), hints: new Map(Object.entries(hints)) };
}

/** The object that a body is. */
export function parseBody(text: string): JsonObject {
  if (text.trim() === '') throw new StoreError('bad-request', 'the request body is empty');
  checkJsonSize(text);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    const reason = (error as Error).message;
    throw new StoreError('bad-request', `the request body is not JSON: ${reason}`, {
      cause: error,
    });
  }
  return objectField(body, 'the request');
}

/** Throws if an object at the path `where` ('' = the request itself) has a key that is not known. */
export function checkKeys(source: JsonObject, where: string, keys: Keys): void {
  for (const key in source) if (!keys.known.has(key)) throw unknownKey(key, where, keys);
}

function unknownKey(key: string, where: string, { known, hints }: Keys): StoreError {
  const nearest = nearestOf(key, [...known]);
  const help =
    hints.get(key) ??
    (nearest ? `did you mean "${nearest}"?` : `known are ${[...known].join(', ')}`);
  const place = where === '' ? '' : `${where}: `;
  return new StoreError('bad-request', `${place}unknown key ${shown(key)}; ${help}`);
}

/** The path of a key of the object at `where`. */
export function pathOf(where: string, key: string): string {
  return where === '' ? key : `${where}.${key}`;
}

/** The error for a value that is not what it should be. */
export function wrong(field: string, wanted: string, value: unknown): StoreError {
  return new StoreError('bad-request', `${field} must be ${wanted}, not ${shown(value)}`);
}

/** The error for a field that has to be there. */
export function missing(field: string, wanted: string): StoreError {
  return new StoreError('bad-request', `${field} is missing; give ${wanted}`);
}

/** The error for more than one request may have; worded as the errors of other limits are. */
export function tooMany(field: string, what: string, limit: string, most: number): StoreError {
  const reason = `${field}: ${what}: the limit ${limit} is ${most}; send several requests`;
  return new StoreError('bad-request', reason);
}

/** A value as JSON, cut: however large or deep it is, no more of it is looked at than is shown. */
export function shown(value: unknown): string {
  const text = printed(value, SHOWN_CHARS_MAX + 1);
  return text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text;
}

/** At least `room` characters of a value, if it has so many. */
function printed(value: unknown, room: number): string {
  if (room <= 0) return '';
  if (typeof value === 'string') return JSON.stringify(value.slice(0, room));
  if (!Array.isArray(value) && !isObject(value)) return String(value);
  const isList = Array.isArray(value);
  let text = isList ? '[' : '{';
  let separator = '';
  for (const key in value) {
    if (text.length >= room) return text;
    text += separator;
    separator = ',';
    if (!isList) text += `${JSON.stringify(key.slice(0, room))}:`;
    text += printed((value as JsonObject)[key], room - text.length);
  }
  return text + (isList ? ']' : '}');
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function objectField(value: unknown, field: string): JsonObject {
  if (!isObject(value)) throw wrong(field, 'an object', value);
  return value;
}

export function booleanField(value: unknown, field: string): boolean {
  if (typeof value !== 'boolean') throw wrong(field, 'true or false', value);
  return value;
}

/** A text that is not empty and no longer than a name. */
export function nameField(value: unknown, field: string, wanted: string): string {
  if (typeof value !== 'string' || value.trim() === '') throw wrong(field, wanted, value);
  if (value.length <= NAME_CHARS_MAX) return value;
  throw wrong(field, `at most ${NAME_CHARS_MAX} characters long`, value);
}

export function choiceField<Choice extends string>(
  value: unknown,
  field: string,
  choices: readonly Choice[],
): Choice {
  const choice = choices.find((known) => known === value);
  if (choice !== undefined) return choice;
  const nearest = typeof value === 'string' ? nearestOf(value, choices) : undefined;
  const help = nearest === undefined ? '' : ` (did you mean "${nearest}"?)`;
  const quoted = choices.map((known) => `"${known}"`);
  throw wrong(field, `one of ${quoted.join(', ')}${help}`, value);
}

/**
 * Calls `read` with each entry of a list and its path, or with the value itself if it is no list.
 * A list that is empty is an error: what leaves it out means all, and one made by a program that
 * found nothing must not.
 */
export function eachOf(
  value: unknown,
  field: string,
  wanted: string,
  read: (entry: unknown, field: string) => void,
): void {
  if (!Array.isArray(value)) return read(value, field);
  if (value.length === 0) throw wrong(field, wanted, value);
  for (let i = 0; i < value.length; i++) read(value[i], `${field}[${i}]`);
}
