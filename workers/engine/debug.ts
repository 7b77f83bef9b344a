import { StoreError } from '../../src/model/errors.js';
import type { Kernel } from '../kernel/kernel.js';
import {
  BLOCK_ADDRESS_MASK,
  BLOCK_FLAG_ARCHIVED,
  BLOCK_FLAG_SAVED,
  BLOCK_START,
  BLOCK_WORD,
  HEAD_SLOTS,
  SERIES_BLOCKS,
  SERIES_BLOCK_COUNT,
  SERIES_HEAD,
  SERIES_HEAD_SLOT,
  SERIES_LAST_SLOT,
  SERIES_STAGGER,
  SERIES_STEP,
  WORD_CODEC_SHIFT,
} from '../kernel/layout.js';
import type { Engine, Words } from './engine.js';
import type { Level } from './level-tree.js';

const CODECS = ['constant', 'for32', 'for64', 'delta', 'raw'];

interface DebugLevel {
  /** Blocks of each metric, oldest first. */
  data: Record<string, object[]>;
  children?: Record<string, DebugLevel>;
}

/** The level tree below a selector as JSON. Throws `bad-request` if there is no such level. */
export function debugJson(engine: Engine, kernel: Kernel, selector: readonly string[]): string {
  const level = engine.tree.find(selector);
  if (!level) {
    throw new StoreError('bad-request', `selector ${JSON.stringify(selector)}: not found`);
  }
  return JSON.stringify(debugLevel(engine, kernel, level));
}

function debugLevel(engine: Engine, kernel: Kernel, level: Level): DebugLevel {
  const words = engine.words();
  const shown: DebugLevel = { data: {} };
  for (const series of level.series) {
    const metric = engine.metrics.at(words[(series + SERIES_STAGGER) >>> 2]! >>> 16);
    shown.data[metric.name] = blocksOf(kernel, words, series);
  }
  if (level.children?.size) {
    shown.children = {};
    for (const [name, child] of level.children) {
      shown.children[name] = debugLevel(engine, kernel, child);
    }
  }
  return shown;
}

function blocksOf(kernel: Kernel, words: Words, series: number): object[] {
  const step = words[(series + SERIES_STEP) >>> 2]!;
  const list = words[(series + SERIES_BLOCKS) >>> 2]!;
  const count = words[(series + SERIES_BLOCK_COUNT) >>> 2]! & 0xffff;
  const blocks: object[] = [];
  for (let i = 0; i < count; i++) {
    const entry = words[(list >>> 2) + i]!;
    const block = (entry & BLOCK_ADDRESS_MASK) >>> 0;
    const start = words[(block + BLOCK_START) >>> 2]!;
    const word = words[(block + BLOCK_WORD) >>> 2]!;
    const slots = (word & 127) + 1;
    blocks.push({
      start: start * step,
      len: slots,
      end: (start + slots) * step,
      sealed: true,
      codec: CODECS[(word >>> WORD_CODEC_SHIFT) & 7],
      bytes: kernel.blockBytes(block),
      saved: (entry & BLOCK_FLAG_SAVED) !== 0,
      archived: (entry & BLOCK_FLAG_ARCHIVED) !== 0,
    });
  }
  if (words[(series + SERIES_HEAD) >>> 2] !== 0) {
    const start = words[(series + SERIES_HEAD_SLOT) >>> 2]!;
    const slots = words[(series + SERIES_LAST_SLOT) >>> 2]! - start + 1;
    blocks.push({
      start: start * step,
      len: slots,
      end: (start + slots) * step,
      sealed: false,
      bytes: HEAD_SLOTS * 8,
    });
  }
  return blocks;
}
