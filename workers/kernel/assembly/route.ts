// Cutting a body into runs of lines for one host. Runs on the front, over the memory of the shard
// the body was copied to; it shares no state with the shard's own instance.
import {
  RUN_CLUSTER,
  RUN_CLUSTER_BYTES,
  RUN_HOST,
  RUN_HOST_BYTES,
  RUN_IS_OPEN,
  RUN_LINES,
  STATE_BASE,
} from '../layout';
import { firstSpace } from './scan';
import { sameBytes } from './bytes';

const NEWLINE: u32 = 10;
const SPACE: u32 = 32;
const COMMA: u32 = 44;
const EQUALS: u32 = 61;
const BACKSLASH: u32 = 92;
const QUOTE: u32 = 34;
const HASH: u32 = 35;
const RETURN: u32 = 13;
const TAB: u32 = 9;
const LETTER_C: i8 = 99;
const LETTER_H: i8 = 104;

// Tags of the line looked at last: where a run was broken off, those of the next one's first line.
let cluster: u32 = 0;
let clusterBytes: u32 = 0;
let host: u32 = 0;
let hostBytes: u32 = 0;
/** First comma of that line, and the bytes from there to the end of the later of the two tags. */
let span: u32 = 0;
let spanBytes: u32 = 0;
/** Lines since the run began may have a text in quotes that nothing closes. */
let isOpen: u32 = 0;

/**
 * From the line at `start` as far as lines name the same cluster and host, or neither: they stay
 * with the line before. Returns the end; the tags and the count of lines are in the state region.
 * `isNext` tells that the last call ended at `start`, with the same `end`, and that nothing has
 * been written since: then the tags of the first line are known. `isStrict` ends lines at each newline,
 * also those inside quoted fields: no text can pass for the end of such a field then, and wherever a
 * shard lets a line begin, its tags are those that were read here.
 */
export function nextRun(start: u32, end: u32, isNext: bool, isStrict: bool): u32 {
  if (!isNext) readTags(start, end);
  const runCluster = cluster;
  const runClusterBytes = clusterBytes;
  let runHost = host;
  let runHostBytes = hostBytes;
  let lines: u32 = 1;
  isOpen = 0;
  let line = behindNewline(start, end, isStrict);
  while (line < end) {
    const comma = firstComma(line, end);
    const same =
      comma != 0 &&
      spanBytes != 0 &&
      comma + spanBytes < end &&
      sameBytes(comma, span, spanBytes) &&
      namesNoOther(comma + spanBytes, end);
    if (!same) {
      readTags(line, end);
      if (host && !sameTag(host, hostBytes, runHost, runHostBytes)) break;
      if (host && !sameTag(cluster, clusterBytes, runCluster, runClusterBytes)) break;
    }
    lines++;
    line = behindNewline(line, end, isStrict);
  }
  store<u32>(STATE_BASE + RUN_CLUSTER, runCluster);
  store<u32>(STATE_BASE + RUN_CLUSTER_BYTES, runClusterBytes);
  store<u32>(STATE_BASE + RUN_HOST, runHost);
  store<u32>(STATE_BASE + RUN_HOST_BYTES, runHostBytes);
  store<u32>(STATE_BASE + RUN_LINES, lines);
  store<u32>(STATE_BASE + RUN_IS_OPEN, isOpen);
  return line;
}

// @ts-ignore: decorator
@inline
function isTagEnd(byte: u32): bool {
  return byte == COMMA || byte == SPACE;
}

function sameTag(a: u32, aBytes: u32, b: u32, bBytes: u32): bool {
  return aBytes == bBytes && (aBytes == 0 || sameBytes(a, b, aBytes));
}

/**
 * Whether the tags from `from` on name no cluster or host, as far as their first letters tell; then
 * a tag must end at `from`, and a space must end the last one.
 */
function namesNoOther(from: u32, end: u32): bool {
  if (!isTagEnd(load<u8>(from))) return false;
  for (let p = from; p < end; p += 16) {
    const bytes = v128.load(p);
    const next = v128.load(p, 1);
    const keys = v128.and(
      i8x16.eq(bytes, i8x16.splat(<i8>COMMA)),
      v128.or(i8x16.eq(next, i8x16.splat(LETTER_C)), i8x16.eq(next, i8x16.splat(LETTER_H))),
    );
    const stops = i8x16.bitmask(
      v128.or(
        i8x16.eq(bytes, i8x16.splat(<i8>SPACE)),
        v128.or(
          i8x16.eq(bytes, i8x16.splat(<i8>NEWLINE)),
          i8x16.eq(bytes, i8x16.splat(<i8>BACKSLASH)),
        ),
      ),
    );
    const found = i8x16.bitmask(keys);
    if (stops) {
      const stop = ctz(stops);
      if (found & ((1 << stop) - 1)) return false;
      return p + stop < end && <u32>load<u8>(p + stop) == SPACE;
    }
    if (found) return false;
  }
  return false;
}

/** Address of the comma behind a line's first name, 0 if it has none. Blanks in front do not count. */
function firstComma(line: u32, end: u32): u32 {
  let p = line;
  while (p < end && (<u32>load<u8>(p) == SPACE || <u32>load<u8>(p) == TAB)) p++;
  for (; p < end; p++) {
    const byte = <u32>load<u8>(p);
    if (byte == COMMA) return p;
    if (byte == NEWLINE || byte == SPACE) return 0;
    if (byte == BACKSLASH && p + 1 < end && <u32>load<u8>(p + 1) != NEWLINE) p++;
  }
  return 0;
}

function readTags(line: u32, end: u32): void {
  cluster = 0;
  clusterBytes = 0;
  host = 0;
  hostBytes = 0;
  spanBytes = 0;
  span = firstComma(line, end);
  let p = span;
  while (p && p < end && <u32>load<u8>(p) == COMMA) {
    const key = p + 1;
    let equals: u32 = 0;
    for (p = key; p < end; p++) {
      const byte = <u32>load<u8>(p);
      if (byte == EQUALS && !equals) equals = p;
      else if (isTagEnd(byte) || byte == NEWLINE) break;
      else if (byte == BACKSLASH && p + 1 < end && <u32>load<u8>(p + 1) != NEWLINE) p++;
    }
    if (!equals) continue;
    // At the end of the line its last byte may be a backslash: in another line that escapes what follows.
    const isWhole = p < end && isTagEnd(<u32>load<u8>(p));
    if (keyIs(key, equals - key, 0x72657473756c63, 7)) {
      cluster = equals + 1;
      clusterBytes = p - cluster;
      spanBytes = isWhole ? p - span : 0;
    } else if (
      keyIs(key, equals - key, 0x656d616e74736f68, 8) ||
      keyIs(key, equals - key, 0x74736f68, 4)
    ) {
      host = equals + 1;
      hostBytes = p - host;
      spanBytes = isWhole ? p - span : 0;
    }
  }
}

/** Whether a key of `bytes` bytes is the word whose little-endian bytes are `word`. */
function keyIs(key: u32, bytes: u32, word: u64, length: u32): bool {
  if (bytes != length) return false;
  const mask = length == 8 ? <u64>-1 : (<u64>1 << (length << 3)) - 1;
  return (load<u64>(key) & mask) == word;
}

/** Behind the newline that ends the line at `line`; quoted fields may have others inside, unless strict. */
function behindNewline(line: u32, end: u32, isStrict: bool): u32 {
  const quote = isStrict ? NEWLINE : QUOTE;
  let p = line;
  while (p < end) {
    const bytes = v128.load(p);
    const hits = i8x16.bitmask(
      v128.or(i8x16.eq(bytes, i8x16.splat(<i8>NEWLINE)), i8x16.eq(bytes, i8x16.splat(<i8>quote))),
    );
    if (hits) {
      p += ctz(hits);
      if (p >= end) return end;
      return <u32>load<u8>(p) == NEWLINE ? p + 1 : behindQuotes(line, end);
    }
    p += 16;
  }
  return end;
}

/** The slow path of `behindNewline`: the rules of workers/engine/line-scan.ts. */
function behindQuotes(line: u32, end: u32): u32 {
  let name = line;
  while (name < end && (<u32>load<u8>(name) == SPACE || <u32>load<u8>(name) == TAB)) name++;
  const isRemark = name < end && <u32>load<u8>(name) == HASH;
  let p: u32 = isRemark ? 0 : firstSpace(name, end);
  const hasFields = p != 0;
  if (!hasFields) p = line;
  while (p < end && <u32>load<u8>(p) != NEWLINE) {
    if (hasFields && <u32>load<u8>(p) == QUOTE && <u32>load<u8>(p - 1) == EQUALS) {
      const closed = quoteEnd(p, end);
      // A quote that was forgotten costs its own line alone.
      if (!closed) {
        isOpen = 1;
        while (p < end && <u32>load<u8>(p) != NEWLINE) p++;
        break;
      }
      p = closed;
    } else p++;
  }
  return min(p + 1, end);
}

/** Behind the quote that closes the one at `quote`, 0 if none does. */
function quoteEnd(quote: u32, end: u32): u32 {
  for (let p = quote + 1; p < end; p++) {
    const byte = <u32>load<u8>(p);
    if (byte == BACKSLASH) p++;
    else if (byte == QUOTE) {
      const next = p + 1 < end ? <u32>load<u8>(p + 1) : NEWLINE;
      const isReturn = next == RETURN && (p + 2 >= end || <u32>load<u8>(p + 2) == NEWLINE);
      return next == COMMA || next == SPACE || next == NEWLINE || isReturn ? p + 1 : 0;
    }
  }
  return 0;
}
