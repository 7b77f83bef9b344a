import type { Allowance } from './allowance.js';
import { eachOf, nameField, wrong } from './request-fields.js';

const WANTED = 'an id, a range such as "0-63", or a list of them';
const LIST_CHARS_MAX = 65_536;
/** Ids that are numbers are small; what has more digits is no range. */
const RANGE = /^(\d{1,9})-(\d{1,9})$/;

/**
 * Ids of hardware threads, accelerators, filesystems: a number, a text, or a list of them. Ranges
 * (`0-3`, `0-3,8-11`) are expanded, all else such as `00000000:49:00.0` stays as it is. The order is
 * kept, and each id is there once. Numbers of a range are as wide as its first, as in host lists.
 *
 * @throws StoreError `bad-request` that names the field; ids are counted in `allowance` before they
 * are made.
 */
export function parseIdList(value: unknown, field: string, allowance: Allowance): string[] {
  const ids = new Set<string>();
  eachOf(value, field, WANTED, (entry, field) => addEntry(ids, entry, field, allowance));
  return [...ids];
}

function addEntry(ids: Set<string>, entry: unknown, field: string, allowance: Allowance): void {
  if (typeof entry === 'number') {
    if (!Number.isSafeInteger(entry) || entry < 0) throw wrong(field, WANTED, entry);
    allowance.take(1, field);
    ids.add(String(entry));
    return;
  }
  if (typeof entry !== 'string' || entry === '') throw wrong(field, WANTED, entry);
  if (entry.length > LIST_CHARS_MAX) {
    throw wrong(field, `at most ${LIST_CHARS_MAX} characters long`, entry);
  }
  for (const text of entry.split(',')) addText(ids, text.trim(), entry, field, allowance);
}

function addText(
  ids: Set<string>,
  text: string,
  entry: string,
  field: string,
  allowance: Allowance,
): void {
  const range = RANGE.exec(text);
  if (range === null) {
    if (text === '') throw wrong(field, 'ids with one comma between', entry);
    allowance.take(1, field);
    ids.add(nameField(text, field, WANTED));
    return;
  }
  const [low, high] = [Number(range[1]), Number(range[2])];
  if (low > high) throw wrong(field, 'a range that begins with its smaller number', entry);
  allowance.take(high - low + 1, field);
  const width = range[1]!.length;
  for (let id = low; id <= high; id++) ids.add(String(id).padStart(width, '0'));
}
