import { StoreError } from '../../src/model/errors.js';
import type { Kernel } from '../kernel/kernel.js';
import { SERIES_STAGGER } from '../kernel/layout.js';
import { blockCount } from '../engine/blocks.js';
import type { Engine, Words } from '../engine/engine.js';
import type { Level } from '../engine/level-tree.js';
import { hasHead, headBlock, sealedBlock } from './block-fields.js';

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

/** Of the reference's names for them. */
function blocksOf(kernel: Kernel, words: Words, series: number): object[] {
  const count = blockCount(words, series);
  const blocks: object[] = Array.from({ length: count }, (_, index) => {
    const { startSec, slots, endSec, codec, bytes, saved, archived } = sealedBlock(
      kernel,
      words,
      series,
      index,
    );
    return {
      start: startSec,
      len: slots,
      end: endSec,
      sealed: true,
      codec,
      bytes,
      saved,
      archived,
    };
  });
  if (hasHead(words, series)) {
    const { startSec, slots, endSec, bytes } = headBlock(words, series);
    blocks.push({ start: startSec, len: slots, end: endSec, sealed: false, bytes });
  }
  return blocks;
}
