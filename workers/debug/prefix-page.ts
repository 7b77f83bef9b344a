import {
  notACursor,
  type PrefixDetail,
  type PrefixesPage,
  type PrefixesRequest,
} from '../../src/model/inspection.js';
import type { Level } from '../engine/level-tree.js';
import {
  CONVERSION_BYTES,
  PREFIX_HEADER_BYTES,
  PREFIX_KIND,
  PREFIX_KIND_CONVERTED,
  PREFIX_KIND_IGNORED,
  PREFIX_LENGTH,
  PREFIX_NEXT,
  PREFIX_SERIES,
  SERIES_LEVEL,
} from '../kernel/layout.js';
import type { Turns } from '../turns.js';
import type { DebugParts } from './inspector.js';
import { metricOf } from './level-page.js';

/** Buckets looked at for a page: a table of millions in which nothing is found takes some pages. */
const BUCKETS_MAX = 100_000;
const BUCKETS_BETWEEN_LOOKS = 100;

/**
 * A page of the table of prefixes, in the order of the table. It may grow meanwhile: buckets are walked by
 * the lowest bits of their numbers last, so that what a bucket is split into comes where it would have come.
 * What is there all the time is seen once.
 */
export async function prefixesPage(
  parts: DebugParts,
  turns: Turns,
  { contains, after, limit }: PrefixesRequest,
): Promise<Omit<PrefixesPage, 'shard'>> {
  const { engine, kernel, limits } = parts;
  const wanted = contains === '' ? undefined : Buffer.from(contains);
  const prefixes: PrefixDetail[] = [];
  let bucket = parseCursor(after);
  let isOver = false;
  let words = engine.words();
  let bytes = Buffer.from(words.buffer as ArrayBuffer);
  for (let looked = 0; !isOver && looked < BUCKETS_MAX && prefixes.length < limit; looked++) {
    if (looked % BUCKETS_BETWEEN_LOOKS === 0 && turns.isOver) await turns.next();
    const mask = kernel.prefixBucketMask() >>> 0;
    if (words !== engine.words()) {
      words = engine.words();
      bytes = Buffer.from(words.buffer as ArrayBuffer);
    }
    let entry = words[(kernel.prefixBuckets() >>> 2) + (bucket & mask)]!;
    for (; entry !== 0; entry = words[(entry + PREFIX_NEXT) >>> 2]!) {
      const length = words[(entry + PREFIX_LENGTH) >>> 2]! & 0xffff;
      const text = bytes.subarray(
        entry + PREFIX_HEADER_BYTES,
        entry + PREFIX_HEADER_BYTES + length,
      );
      if (!wanted || text.includes(wanted)) prefixes.push(detailOf(parts, entry, text));
    }
    bucket = nextBucket(bucket, mask);
    isOver = bucket === 0;
  }
  return {
    count: kernel.prefixCount(),
    max: limits.prefixesMax,
    evictions: kernel.prefixEvictions(),
    prefixes,
    next: isOver ? null : String(bucket),
  };
}

function parseCursor(after: string): number {
  const bucket = Number(after);
  if (/^\d{0,10}$/.test(after) && bucket < 2 ** 32) return bucket;
  throw notACursor(after);
}

/** Counts up from the highest bit of the mask down, as Redis walks its tables; 0 = all were there. */
function nextBucket(bucket: number, mask: number): number {
  return reversed(reversed((bucket | ~mask) >>> 0) + 1);
}

/** The 32 bits of a number in reverse order. */
function reversed(bits: number): number {
  let left = bits >>> 0;
  let result = 0;
  for (let i = 0; i < 32; i++) {
    result = ((result << 1) | (left & 1)) >>> 0;
    left >>>= 1;
  }
  return result;
}

function detailOf(parts: DebugParts, entry: number, text: Buffer): PrefixDetail {
  const words = parts.engine.words();
  // Kind and the bit of use lie behind the length.
  const fields = words[(entry + PREFIX_LENGTH) >>> 2]!;
  const kind = (fields >>> ((PREFIX_KIND - PREFIX_LENGTH) * 8)) & 0xff;
  const isConverted = kind === PREFIX_KIND_CONVERTED;
  const bytes =
    PREFIX_HEADER_BYTES + ((text.length + 7) & ~7) + (isConverted ? CONVERSION_BYTES : 0);
  const prefix = text.toString();
  const shape = { prefix, wasUsed: fields >>> 24 !== 0, bytes };
  if (kind === PREFIX_KIND_IGNORED) {
    return { ...shape, kind: 'ignored', metric: firstName(prefix), level: null };
  }
  const series = words[(entry + PREFIX_SERIES) >>> 2]!;
  return {
    ...shape,
    kind: isConverted ? 'converted' : 'series',
    metric: metricOf(parts, series),
    level: pathOf(parts.engine.tree.at(words[(series + SERIES_LEVEL) >>> 2]!)),
  };
}

/** The metric as a line names it, with its escapes. */
function firstName(prefix: string): string {
  return /^(?:\\.|[^, \\])*/s.exec(prefix)![0];
}

function pathOf(level: Level | undefined): string[] {
  const path: string[] = [];
  for (let at = level; at?.parent; at = at.parent) path.unshift(at.name);
  return path;
}
