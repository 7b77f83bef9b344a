// The prefix table: which series a line belongs to, told from its raw bytes before the value.
// Bounded; a clock hand with a second chance takes the least useful entry out first.
import {
  CONVERSION_ADDEND,
  CONVERSION_BYTES,
  CONVERSION_DIVISOR,
  CONVERSION_MULTIPLIER,
  CONVERSION_SHIFT,
  CONVERSION_TALLY,
  HEAP_PAGE_BYTES,
  PREFIX_CONTEXT,
  PREFIX_HASH,
  PREFIX_FIELD_BYTES,
  PREFIX_HEADER_BYTES,
  PREFIX_KIND,
  PREFIX_KIND_CONVERTED,
  PREFIX_KIND_IGNORED,
  PREFIX_KIND_SERIES,
  PREFIX_LENGTH,
  PREFIX_LENGTH_MAX,
  PREFIX_NEXT,
  PREFIX_SERIES,
  PREFIX_SUCCESSOR,
  PREFIX_TAGS_SHIFT,
  PREFIX_USED,
  SERIES_FLAGS,
  SERIES_FLAG_DEAD,
  SERIES_FLAG_REBIND,
} from '../layout';
import { allocatePinned, allocateTable, release, releaseTable } from './alloc';
import { hashBytes, sameBytes } from './bytes';
import { firstComma } from './scan';
import { forgetTags } from './tags';

/** One page of the heap. */
const BUCKETS_MIN: u32 = HEAP_PAGE_BYTES / 4;
const BUCKETS_MAX: u32 = 1 << 22;

let buckets: u32 = 0;
let bucketMask: u32 = 0;
let countMax: u32 = 0;
let count: u32 = 0;
let hand: u32 = 0;
/** A count of a whole life: more than 32 bits. */
let evictions: f64 = 0;
/** The entry of the line before: its successor is the guess for the next line. */
export let previousPrefix: u32 = 0;

export function setPreviousPrefix(entry: u32): void {
  previousPrefix = entry;
}

/** Makes an empty table that will hold at most `prefixesMax` entries. */
export function initPrefixes(prefixesMax: u32): void {
  buckets = newTable(BUCKETS_MIN);
  bucketMask = BUCKETS_MIN - 1;
  countMax = prefixesMax;
}

function newTable(size: u32): u32 {
  const table = allocateTable(size << 2);
  // The pages may have served before.
  memory.fill(table, 0, size << 2);
  return table;
}

/** Twice as many buckets, two to four an entry: a look for one that is not there mostly ends at its bucket. */
function growTable(): void {
  const size = bucketMask + 1;
  const grown = newTable(size << 1);
  const mask = (size << 1) - 1;
  for (let bucket: u32 = 0; bucket < size; bucket++) {
    let entry = load<u32>(buckets + (bucket << 2));
    while (entry) {
      const next = load<u32>(entry + PREFIX_NEXT);
      const to = grown + ((load<u32>(entry + PREFIX_HASH) & mask) << 2);
      store<u32>(entry + PREFIX_NEXT, load<u32>(to));
      store<u32>(to, entry);
      entry = next;
    }
  }
  releaseTable(buckets, size << 2);
  buckets = grown;
  bucketMask = mask;
  hand = 0;
}

export function prefixCount(): u32 {
  return count;
}
export function prefixEvictions(): f64 {
  return evictions;
}
export function prefixBuckets(): u32 {
  return buckets;
}
export function prefixBucketMask(): u32 {
  return bucketMask;
}

/** How many bytes of an entry in the table were hashed: those up to its first space. */
// @ts-ignore: decorator
@inline
function hashedBytes(entry: u32): u32 {
  const isSeries = <u32>(load<u8>(entry + PREFIX_KIND) != PREFIX_KIND_IGNORED);
  return <u32>load<u16>(entry + PREFIX_LENGTH) - isSeries * PREFIX_FIELD_BYTES;
}

/** Hash of the prefix that `findPrefix` looked for last. */
export let lookedUpHash: u32 = 0;

/** Those of the same tags lie near one another in the table: a batch has many metrics of each part of a host. */
function hashPrefix(start: u32, bytes: u32): u32 {
  const tags = firstComma(start, start + bytes);
  const upper = hashBytes(tags, start + bytes - tags);
  const lower = hashBytes(start, tags - start) ^ (upper >> (32 - PREFIX_TAGS_SHIFT));
  return (upper << PREFIX_TAGS_SHIFT) | (lower & ((1 << PREFIX_TAGS_SHIFT) - 1));
}

/** The entry of the line at `start` whose first `hashed` bytes end in its first space, or 0. */
export function findPrefix(start: u32, hashed: u32, end: u32, context: u32): u32 {
  const hash = hashPrefix(start, hashed);
  lookedUpHash = hash;
  let entry = load<u32>(buckets + ((hash & bucketMask) << 2));
  while (entry) {
    if (load<u32>(entry + PREFIX_HASH) == hash && hashedBytes(entry) == hashed) {
      const length = <u32>load<u16>(entry + PREFIX_LENGTH);
      const bound = load<u32>(entry + PREFIX_CONTEXT);
      if (
        (bound == 0 || bound == context) &&
        start + length <= end &&
        sameBytes(start, entry + PREFIX_HEADER_BYTES, length)
      ) {
        return entry;
      }
    }
    entry = load<u32>(entry + PREFIX_NEXT);
  }
  return 0;
}

/**
 * Remembers the prefix at `start`: of a series with `value=`, else up to its first space. Returns the
 * entry, 0 if the prefix is too long to keep.
 */
export function bindPrefix(
  start: u32,
  length: u32,
  context: u32,
  kind: u32,
  series: u32,
): u32 {
  if (length > <u32>PREFIX_LENGTH_MAX) return 0;
  const hashed = length - (kind == PREFIX_KIND_IGNORED ? 0 : PREFIX_FIELD_BYTES);
  // Known already: its line went the long way for another reason, such as a number of 20 digits.
  const known = findPrefix(start, hashed, start + length, context);
  if (known && <u32>load<u16>(known + PREFIX_LENGTH) == length) {
    // A conversion has no room where there was none; equal bytes never come to want one.
    if (<u32>load<u8>(known + PREFIX_KIND) != kind) return 0;
    store<u32>(known + PREFIX_SERIES, series);
    follow(known);
    return known;
  }
  return addPrefix(start, length, context, kind, series);
}

/** The same of one that is not longer than PREFIX_LENGTH_MAX and that `findPrefix` has just not found. */
export function addPrefix(start: u32, length: u32, context: u32, kind: u32, series: u32): u32 {
  if (count >= countMax) evictOne();
  else if (count << 1 > bucketMask && bucketMask + 1 < BUCKETS_MAX) growTable();
  const own = kind == PREFIX_KIND_CONVERTED ? CONVERSION_BYTES : 0;
  const entry = allocatePinned(PREFIX_HEADER_BYTES + padded(length) + own);
  const hash = lookedUpHash;
  const bucket = buckets + ((hash & bucketMask) << 2);
  store<u32>(entry + PREFIX_HASH, hash);
  store<u32>(entry + PREFIX_NEXT, load<u32>(bucket));
  store<u32>(entry + PREFIX_SERIES, series);
  store<u32>(entry + PREFIX_SUCCESSOR, 0);
  store<u16>(entry + PREFIX_LENGTH, <u16>length);
  store<u8>(entry + PREFIX_KIND, <u8>kind);
  store<u8>(entry + PREFIX_USED, 0);
  store<u32>(entry + PREFIX_CONTEXT, context);
  memory.copy(entry + PREFIX_HEADER_BYTES, start, length);
  store<u32>(bucket, entry);
  count++;
  follow(entry);
  return entry;
}

/**
 * Remembers the prefix at `start` of a series whose values are converted. Returns the entry, 0 if the
 * prefix is too long to keep.
 */
export function bindConverted(
  start: u32,
  length: u32,
  context: u32,
  series: u32,
  shift: i32,
  multiplier: f64,
  addend: f64,
  divisor: f64,
  tally: u32,
): u32 {
  const entry = bindPrefix(start, length, context, PREFIX_KIND_CONVERTED, series);
  if (!entry) return 0;
  const conversion = conversionOf(entry);
  store<f64>(conversion + CONVERSION_MULTIPLIER, multiplier);
  store<f64>(conversion + CONVERSION_ADDEND, addend);
  store<f64>(conversion + CONVERSION_DIVISOR, divisor);
  store<i32>(conversion + CONVERSION_SHIFT, shift);
  store<u32>(conversion + CONVERSION_TALLY, tally);
  return entry;
}

/** Address of the conversion of an entry that has one. */
export function conversionOf(entry: u32): u32 {
  return entry + PREFIX_HEADER_BYTES + padded(<u32>load<u16>(entry + PREFIX_LENGTH));
}

// @ts-ignore: decorator
@inline
function padded(length: u32): u32 {
  return (length + 7) & ~7;
}

/** The entry follows the one of the line before. */
function follow(entry: u32): void {
  if (previousPrefix) store<u32>(previousPrefix + PREFIX_SUCCESSOR, entry);
  previousPrefix = entry;
}

function evictOne(): void {
  for (;;) {
    const bucket = buckets + (hand << 2);
    let at = bucket;
    let entry = load<u32>(at);
    while (entry) {
      if (load<u8>(entry + PREFIX_USED)) {
        store<u8>(entry + PREFIX_USED, 0);
        at = entry + PREFIX_NEXT;
        entry = load<u32>(at);
      } else {
        store<u32>(at, load<u32>(entry + PREFIX_NEXT));
        freeEntry(entry);
        evictions++;
        return;
      }
    }
    hand = (hand + 1) & bucketMask;
  }
}

function freeEntry(entry: u32): void {
  if (<u32>load<u8>(entry + PREFIX_KIND) == PREFIX_KIND_SERIES) forgetTags(entry);
  // A free entry keeps kind 0 and its size, so a successor that still names it finds no match.
  store<u8>(entry + PREFIX_KIND, 0);
  if (entry == previousPrefix) previousPrefix = 0;
  count--;
  release(entry);
}

/** Bounds the table anew: what is too much goes, the least used first. */
export function setPrefixesMax(prefixesMax: u32): void {
  countMax = prefixesMax;
  while (count > countMax) evictOne();
}

/** Drops every entry that leads to a series marked dead; returns how many. */
export function dropDeadPrefixes(): u32 {
  return dropPrefixes(SERIES_FLAG_DEAD, false);
}

/** Drops every entry of an ignored metric, and those of series marked dead or to be bound anew. */
export function dropStalePrefixes(): u32 {
  return dropPrefixes(SERIES_FLAG_DEAD | SERIES_FLAG_REBIND, true);
}

function dropPrefixes(flags: u32, withIgnored: bool): u32 {
  let dropped: u32 = 0;
  for (let bucket: u32 = 0; bucket <= bucketMask; bucket++) {
    let at = buckets + (bucket << 2);
    let entry = load<u32>(at);
    while (entry) {
      const next = load<u32>(entry + PREFIX_NEXT);
      const isStale =
        load<u8>(entry + PREFIX_KIND) == PREFIX_KIND_IGNORED
          ? withIgnored
          : (load<u32>(load<u32>(entry + PREFIX_SERIES) + SERIES_FLAGS) & flags) != 0;
      if (isStale) {
        store<u32>(at, next);
        freeEntry(entry);
        dropped++;
      } else at = entry + PREFIX_NEXT;
      entry = next;
    }
  }
  return dropped;
}
