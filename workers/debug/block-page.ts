import { notACursor, type BlocksPage, type BlocksRequest } from '../../src/model/inspection.js';
import { blockCount } from '../engine/blocks.js';
import { SERIES_STEP } from '../kernel/layout.js';
import {
  blockAddress,
  blockEntry,
  blockStart,
  hasHead,
  headBlock,
  sealedBlock,
} from './block-fields.js';
import type { DebugParts } from './inspector.js';
import { metricOf } from './level-page.js';

/** Blocks of a page at most: 1 ms. */
const BLOCKS_MAX = 2000;

/**
 * A page of the blocks of a series, oldest first, the newest samples last; undefined = there is no such
 * series. It is made in one turn, so that it is of one moment.
 */
export function blocksPage(parts: DebugParts, request: BlocksRequest): BlocksPage | undefined {
  const { engine, kernel, unitOf } = parts;
  const { path, metric, after } = request;
  const series = engine.tree.find(path)?.series.find((one) => metricOf(parts, one) === metric);
  if (series === undefined) return undefined;
  if (!/^\d{0,10}$/.test(after)) throw notACursor(after);
  const words = engine.words();
  const count = blockCount(words, series);
  const startOf = (index: number): number =>
    blockStart(words, blockAddress(blockEntry(words, series, index)));
  const from = after === '' ? 0 : firstBehind(count, startOf, Number(after));
  const until = Math.min(count, from + Math.min(request.limit, BLOCKS_MAX));
  const blocks = Array.from({ length: until - from }, (_, i) =>
    sealedBlock(kernel, words, series, from + i),
  );
  const isLast = until === count && blocks.length < request.limit;
  if (isLast && hasHead(words, series)) blocks.push(headBlock(words, series));
  const stepSec = words[(series + SERIES_STEP) >>> 2]!;
  const hasMore = until < count || (!isLast && hasHead(words, series));
  // By its slot: blocks before it may be freed meanwhile.
  const next = hasMore ? String(startOf(until - 1)) : null;
  return { metric, stepSec, unit: unitOf(path[0] ?? '', metric), blocks, next };
}

/** The first of blocks in order that begins behind a slot. */
function firstBehind(count: number, startOf: (index: number) => number, slot: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (startOf(middle) > slot) high = middle;
    else low = middle + 1;
  }
  return low;
}
