// Lines of series never seen, in levels that are known: most of those that a host sends first.
import {
  INGEST_LINE,
  NEW_CONTEXT,
  NEW_ID,
  NEW_ID_BYTES,
  NEW_LEVEL,
  NEW_METRIC_BYTES,
  NEW_NEXT,
  NEW_PREFIX_BYTES,
  NEW_TIME,
  NEW_VALUE,
  PREFIX_CONTEXT,
  PREFIX_FIELD_BYTES,
  PREFIX_HASH,
  PREFIX_HEADER_BYTES,
  PREFIX_KIND,
  PREFIX_KIND_SERIES,
  PREFIX_LENGTH,
  PREFIX_LENGTH_MAX,
  PREFIX_SERIES,
  SERIES_LEVEL,
  STATE_BASE,
} from '../layout';
import { sameBytes } from './bytes';
import { addPrefix, lookedUpHash, previousPrefix } from './prefixes';
import { sampleLine } from './sample';
import { firstSpace } from './scan';
import { appendSample } from './series';
import { findTags, rememberTags, tagsOf, tagsOfEntry } from './tags';

const ZERO: u32 = 48;
const EQUALS: u32 = 61;
/** `,type-id` as eight bytes, the first one lowest. */
const TYPE_ID: u64 = 0x64692d657079742c;
const TYPE_ID_BYTES: u32 = 8;
/** Longer ones are no numbers of parts. */
const ID_BYTES_MAX: u32 = 9;

/**
 * Whether the line, of a prefix never seen, has the tags of one that is remembered, or those of the line before but
 * for the id, and a number and a time that are taken: then its parts are in the state region (NEW_*).
 */
export function newSeriesLine(
  line: u32,
  end: u32,
  context: u32,
  precision: i32,
  nowSec: u32,
): bool {
  const tags = tagsOf(line, end);
  if (!tags) return false;
  const space = firstSpace(tags, end);
  if (!space) return false;
  const body = space + 1 + PREFIX_FIELD_BYTES;
  if (body >= end || body - line > <u32>PREFIX_LENGTH_MAX) return false;
  store<u32>(STATE_BASE + NEW_ID_BYTES, 0);
  let known = findTags(lookedUpHash, tags, body - tags, context);
  if (!known) known = findBeside(tags, space, context);
  if (!known) return false;
  const next = sampleLine(true, 0, 0, body, end, precision, nowSec);
  if (!next) return false;
  store<u32>(STATE_BASE + NEW_LEVEL, load<u32>(load<u32>(known + PREFIX_SERIES) + SERIES_LEVEL));
  store<u32>(STATE_BASE + NEW_METRIC_BYTES, tags - line);
  store<u32>(STATE_BASE + NEW_PREFIX_BYTES, body - line);
  store<u32>(STATE_BASE + NEW_CONTEXT, load<u32>(known + PREFIX_CONTEXT));
  store<u32>(STATE_BASE + NEW_NEXT, next);
  return true;
}

/**
 * An entry that has the tags of the line before, if the tags from `tags` to `space` are the same but for the digits of
 * the last one, `type-id`: parts of a host come one after the other. Then NEW_ID tells these. 0 if there is none.
 */
function findBeside(tags: u32, space: u32, context: u32): u32 {
  const before = previousPrefix;
  if (!before || <u32>load<u8>(before + PREFIX_KIND) != PREFIX_KIND_SERIES) return 0;
  const start = tagsOfEntry(before);
  if (!start) return 0;
  const end = before + PREFIX_HEADER_BYTES + <u32>load<u16>(before + PREFIX_LENGTH);
  const id = digitsBefore(space, tags);
  const same = id - tags;
  const bytes = space - id;
  if (bytes == 0 || bytes > ID_BYTES_MAX || same <= TYPE_ID_BYTES) return 0;
  const isId = <u32>load<u8>(id - 1) == EQUALS && load<u64>(id - 1 - TYPE_ID_BYTES) == TYPE_ID;
  if (!isId || !sameBytes(tags, start, same)) return 0;
  const endBefore = end - 1 - <u32>PREFIX_FIELD_BYTES;
  const idBefore = digitsBefore(endBefore, start);
  if (idBefore - start != same || idBefore == endBefore) return 0;
  if (!sameBytes(space, endBefore, 1 + PREFIX_FIELD_BYTES)) return 0;
  store<u32>(STATE_BASE + NEW_ID, id);
  store<u32>(STATE_BASE + NEW_ID_BYTES, bytes);
  return findTags(load<u32>(before + PREFIX_HASH), start, end - start, context);
}

/** Where the digits begin that end at `end`; `end` if there are none. */
function digitsBefore(end: u32, start: u32): u32 {
  let p = end;
  while (p > start && <u32>load<u8>(p - 1) - ZERO < 10) p--;
  return p;
}

/** See exports/series.ts. */
export function takeNewSeries(series: u32): void {
  appendSample(series, load<u32>(STATE_BASE + NEW_TIME), load<f64>(STATE_BASE + NEW_VALUE));
  const bytes = load<u32>(STATE_BASE + NEW_PREFIX_BYTES);
  const line = load<u32>(STATE_BASE + INGEST_LINE);
  const context = load<u32>(STATE_BASE + NEW_CONTEXT);
  const entry = addPrefix(line, bytes, context, PREFIX_KIND_SERIES, series);
  if (load<u32>(STATE_BASE + NEW_ID_BYTES)) rememberTags(entry);
}
