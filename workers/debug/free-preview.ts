import type { FreePreview, FreePreviewRequest } from '../../src/model/inspection.js';
import { blockCount } from '../engine/blocks.js';
import type { Words } from '../engine/engine.js';
import { slotBefore } from '../engine/free.js';
import type { Level } from '../engine/level-tree.js';
import type { Kernel } from '../kernel/kernel.js';
import {
  SERIES_HEAD_SLOT,
  SERIES_LAST_SLOT,
  SERIES_STAGGER,
  SERIES_STEP,
  WINDOW_SLOTS,
} from '../kernel/layout.js';
import type { Turns } from '../turns.js';
import {
  blockAddress,
  blockEntry,
  blockStart,
  HEAD_BYTES,
  hasHead,
  slotsOf,
} from './block-fields.js';
import type { DebugParts } from './inspector.js';

/** What `Engine.free` would free with the same arguments now. What comes and goes between turns counts or not. */
export async function previewFree(
  { engine, kernel }: DebugParts,
  turns: Turns,
  { selectors, toSec }: Omit<FreePreviewRequest, 'kind'>,
): Promise<FreePreview> {
  const { tree } = engine;
  const total = { blocks: 0, series: 0, bytes: 0 };
  const hosts = new Set<string>();
  for (const selector of withoutCovered(selectors)) {
    const top = tree.find(selector);
    if (!top) continue;
    for (const level of levelsAt(top)) {
      const words = engine.words();
      const before = total.blocks;
      for (const series of level.series) {
        const slot = slotBefore(toSec, words[(series + SERIES_STEP) >>> 2]!, 'up');
        const freed = freeable(kernel, words, series, slot);
        total.blocks += freed.blocks;
        total.bytes += freed.bytes;
        if (freed.isAll && freed.blocks > 0) total.series++;
      }
      if (total.blocks > before) hosts.add(tree.hostOf(level).join('\n'));
      if (turns.isOver) await turns.next();
    }
  }
  return { ...total, hosts: hosts.size };
}

/** Selectors that no other one covers: what is freed by one is gone for the next. */
function withoutCovered(selectors: FreePreviewRequest['selectors']): readonly string[][] {
  const kept = new Map<string, string[]>();
  // A selector's beginnings are shorter than it: they come first.
  for (const selector of selectors.toSorted((a, b) => a.length - b.length)) {
    const keys = [...selector.keys(), selector.length].map((length) =>
      JSON.stringify(selector.slice(0, length)),
    );
    if (!keys.some((key) => kept.has(key))) kept.set(keys.at(-1)!, [...selector]);
  }
  return [...kept.values()];
}

/** A level and all below it. */
function* levelsAt(level: Level): Generator<Level> {
  yield level;
  for (const child of level.children?.values() ?? []) yield* levelsAt(child);
}

/** What `freeBefore` of the kernel would free of a series. */
function freeable(
  kernel: Kernel,
  words: Words,
  series: number,
  slot: number,
): { blocks: number; bytes: number; isAll: boolean } {
  const count = blockCount(words, series);
  let blocks = 0;
  let bytes = 0;
  let lastStart = 0;
  for (; blocks < count; blocks++) {
    const block = blockAddress(blockEntry(words, series, blocks));
    const start = blockStart(words, block);
    if (start + slotsOf(words, block) > slot) break;
    lastStart = start;
    bytes += kernel.blockBytes(block);
  }
  const isEmpty = blocks === count;
  if (!hasHead(words, series)) return { blocks, bytes, isAll: isEmpty };
  if (words[(series + SERIES_LAST_SLOT) >>> 2]! >= slot) return { blocks, bytes, isAll: false };
  // A head and the block of its window count as one.
  const stagger = words[(series + SERIES_STAGGER) >>> 2]! & 0xff;
  const windowOf = (at: number): number => Math.floor((at + stagger) / WINDOW_SLOTS);
  const headSlot = words[(series + SERIES_HEAD_SLOT) >>> 2]!;
  const isOwn = blocks === 0 || windowOf(lastStart) !== windowOf(headSlot);
  return { blocks: blocks + (isOwn ? 1 : 0), bytes: bytes + HEAD_BYTES, isAll: isEmpty };
}
