// Cutting a body into runs of lines for one host. Runs on the front, over the memory of the shard
// the body was copied to; it shares no state with the shard's own instance.
import {
  RUN_CLUSTER,
  RUN_CLUSTER_BYTES,
  RUN_HOST,
  RUN_HOST_BYTES,
  RUN_LINES,
  STATE_BASE,
} from '../layout';
import { sameBytes } from './prefixes';

const NEWLINE: u32 = 10;
const SPACE: u32 = 32;
const COMMA: u32 = 44;
const EQUALS: u32 = 61;
const BACKSLASH: u32 = 92;

// Tags of the line looked at last.
let cluster: u32 = 0;
let clusterBytes: u32 = 0;
let host: u32 = 0;
let hostBytes: u32 = 0;
/** First comma of that line, and the bytes from there to the end of the later of the two tags. */
let span: u32 = 0;
let spanBytes: u32 = 0;

/**
 * From the line at `start` as far as lines name the same cluster and host, or neither: they stay
 * with the line before. Returns the end; the tags and the count of lines are in the state region.
 */
export function nextRun(start: u32, end: u32): u32 {
  readTags(start, end);
  const runCluster = cluster;
  const runClusterBytes = clusterBytes;
  let runHost = host;
  let runHostBytes = hostBytes;
  let lines: u32 = 1;
  let line = behindNewline(start, end);
  while (line < end) {
    const comma = firstComma(line, end);
    const same =
      comma != 0 &&
      spanBytes != 0 &&
      comma + spanBytes < end &&
      sameBytes(comma, span, spanBytes) &&
      isTagEnd(load<u8>(comma + spanBytes));
    if (!same) {
      readTags(line, end);
      if (host && !sameTag(host, hostBytes, runHost, runHostBytes)) break;
      if (host && !sameTag(cluster, clusterBytes, runCluster, runClusterBytes)) break;
    }
    lines++;
    line = behindNewline(line, end);
  }
  store<u32>(STATE_BASE + RUN_CLUSTER, runCluster);
  store<u32>(STATE_BASE + RUN_CLUSTER_BYTES, runClusterBytes);
  store<u32>(STATE_BASE + RUN_HOST, runHost);
  store<u32>(STATE_BASE + RUN_HOST_BYTES, runHostBytes);
  store<u32>(STATE_BASE + RUN_LINES, lines);
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

function firstComma(line: u32, end: u32): u32 {
  for (let p = line; p < end; p++) {
    const byte = <u32>load<u8>(p);
    if (byte == COMMA) return p;
    if (byte == NEWLINE || byte == SPACE) return 0;
    if (byte == BACKSLASH) p++;
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
      else if (byte == BACKSLASH) p++;
    }
    if (!equals) continue;
    if (keyIs(key, equals - key, 0x72657473756c63, 7)) {
      cluster = equals + 1;
      clusterBytes = p - cluster;
      spanBytes = p - span;
    } else if (
      keyIs(key, equals - key, 0x656d616e74736f68, 8) ||
      keyIs(key, equals - key, 0x74736f68, 4)
    ) {
      host = equals + 1;
      hostBytes = p - host;
      spanBytes = p - span;
    }
  }
}

/** Whether a key of `bytes` bytes is the word whose little-endian bytes are `word`. */
function keyIs(key: u32, bytes: u32, word: u64, length: u32): bool {
  if (bytes != length) return false;
  const mask = length == 8 ? <u64>-1 : (<u64>1 << (length << 3)) - 1;
  return (load<u64>(key) & mask) == word;
}

function behindNewline(from: u32, end: u32): u32 {
  const newline = i8x16.splat(<i8>NEWLINE);
  let p = from;
  while (p < end) {
    const hits = i8x16.bitmask(i8x16.eq(v128.load(p), newline));
    if (hits) return min<u32>(p + ctz(hits) + 1, end);
    p += 16;
  }
  return end;
}
