import type { Kernel } from '../kernel/kernel.js';
import { SERIES_STEP } from '../kernel/layout.js';
import type { Engine } from './engine.js';

/** Frees whole blocks older than `toSec` below each selector. An unknown one frees nothing. */
export function freeSelectors(
  engine: Engine,
  kernel: Kernel,
  selectors: readonly (readonly string[])[],
  toSec: number,
): number {
  const words = engine.words();
  let freed = 0;
  for (const selector of selectors) {
    const top = engine.tree.find(selector);
    if (!top) continue;
    engine.tree.visit(top, (level) => {
      for (const series of level.series) {
        const step = words[(series + SERIES_STEP) >>> 2]!;
        const slot = Math.min(Math.max(0, Math.ceil(toSec / step)), 0xfffffffe);
        freed += kernel.freeBefore(series, slot);
      }
    });
  }
  return freed;
}
