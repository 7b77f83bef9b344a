// Lines that are remembered for their tags: a new series of the same tags, such as the next metric of a
// part of a host, lies in the same level, which need not be told from the text again.
import {
  PREFIX_CONTEXT,
  PREFIX_HASH,
  PREFIX_HEADER_BYTES,
  PREFIX_LENGTH,
  PREFIX_TAGS_SHIFT,
  STATE_BASE,
  TAGS_SETS,
  TAGS_TABLE,
  TAGS_WAYS,
} from '../layout';
import { sameBytes } from './bytes';

const SPACE: u32 = 32;
const QUOTE: u32 = 34;
const HASH: u32 = 35;
const COMMA: u32 = 44;
const BACKSLASH: u32 = 92;
const DELETE: u32 = 127;

/**
 * Address of the comma that ends the metric's name, 0 if there is none or the name has anything in it
 * that the line protocol has a rule for.
 */
export function tagsOf(line: u32, end: u32): u32 {
  let p = line;
  let byte = <u32>load<u8>(p);
  if (byte == HASH || byte == COMMA) return 0;
  while (p < end) {
    byte = <u32>load<u8>(p);
    if (byte == COMMA) return p;
    if (byte <= SPACE || byte == QUOTE || byte == BACKSLASH || byte == DELETE) return 0;
    p++;
  }
  return 0;
}

// @ts-ignore: decorator
@inline
function setOf(hash: u32): u32 {
  const set = (hash >> PREFIX_TAGS_SHIFT) & (TAGS_SETS - 1);
  return STATE_BASE + TAGS_TABLE + set * TAGS_WAYS * 4;
}

/** Where in its set an entry is, 0 if it is not remembered. */
// @ts-ignore: decorator
@inline
function placeOf(set: u32, entry: u32): u32 {
  for (let way: u32 = 0; way < <u32>TAGS_WAYS; way++) {
    const place = set + (way << 2);
    if (load<u32>(place) == entry) return place;
  }
  return 0;
}

/** Address of the tags of an entry, with what is behind them; 0: see `tagsOf`. */
// @ts-ignore: decorator
@inline
export function tagsOfEntry(entry: u32): u32 {
  const start = entry + PREFIX_HEADER_BYTES;
  return tagsOf(start, start + <u32>load<u16>(entry + PREFIX_LENGTH));
}

/**
 * An entry that has the same tags, and the same behind them, as a prefix of a hash that has them in its last
 * `bytes` bytes, at `tags`; 0 if none is remembered.
 */
export function findTags(hash: u32, tags: u32, bytes: u32, context: u32): u32 {
  const set = setOf(hash);
  for (let way: u32 = 0; way < <u32>TAGS_WAYS; way++) {
    const entry = load<u32>(set + (way << 2));
    if (!entry) continue;
    const bound = load<u32>(entry + PREFIX_CONTEXT);
    if (bound != 0 && bound != context) continue;
    const known = tagsOfEntry(entry);
    const knownEnd = entry + PREFIX_HEADER_BYTES + <u32>load<u16>(entry + PREFIX_LENGTH);
    if (knownEnd - known == bytes && sameBytes(tags, known, bytes)) return entry;
  }
  return 0;
}

/** See exports/series.ts. */
export function rememberTags(entry: u32): void {
  if (!tagsOfEntry(entry)) return;
  const set = setOf(load<u32>(entry + PREFIX_HASH));
  if (placeOf(set, entry)) return;
  // The oldest one of a set goes.
  for (let way: u32 = TAGS_WAYS - 1; way > 0; way--) {
    store<u32>(set + (way << 2), load<u32>(set + ((way - 1) << 2)));
  }
  store<u32>(set, entry);
}

/** Before an entry is freed. */
export function forgetTags(entry: u32): void {
  const place = placeOf(setOf(load<u32>(entry + PREFIX_HASH)), entry);
  if (place) store<u32>(place, 0);
}
