// Lines of series never seen, in levels that are known: most of those that a host sends first.
import {
  INGEST_LINE,
  NEW_CONTEXT,
  NEW_LEVEL,
  NEW_METRIC_BYTES,
  NEW_NEXT,
  NEW_PREFIX_BYTES,
  NEW_TIME,
  NEW_VALUE,
  PREFIX_CONTEXT,
  PREFIX_FIELD_BYTES,
  PREFIX_KIND_SERIES,
  PREFIX_LENGTH_MAX,
  PREFIX_SERIES,
  SERIES_LEVEL,
  STATE_BASE,
} from '../layout';
import { addPrefix, lookedUpHash } from './prefixes';
import { sampleLine } from './sample';
import { firstSpace } from './scan';
import { appendSample } from './series';
import { findTags, tagsOf } from './tags';

/**
 * Whether the line, of a prefix never seen, has the tags of one that is remembered, and a number and a time
 * that are taken: then its parts are in the state region (NEW_*).
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
  const known = findTags(lookedUpHash, tags, body - tags, context);
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

/** See exports/series.ts. */
export function takeNewSeries(series: u32): void {
  appendSample(series, load<u32>(STATE_BASE + NEW_TIME), load<f64>(STATE_BASE + NEW_VALUE));
  const bytes = load<u32>(STATE_BASE + NEW_PREFIX_BYTES);
  const line = load<u32>(STATE_BASE + INGEST_LINE);
  addPrefix(line, bytes, load<u32>(STATE_BASE + NEW_CONTEXT), PREFIX_KIND_SERIES, series);
}
