import type { Kernel } from '../kernel/kernel.js';
import { SERIES_STEP } from '../kernel/layout.js';
import type { Engine } from './engine.js';

/** How a time becomes a slot: everything before it, or only what no sample at or after it can touch. */
export type Rounding = 'up' | 'down';

/** What is before this slot goes. */
export function slotBefore(toSec: number, stepSec: number, rounding: Rounding): number {
  const round = rounding === 'up' ? Math.ceil : Math.floor;
  return Math.min(Math.max(0, round(toSec / stepSec)), 0xfffffffe);
}

/** Frees whole blocks older than `toSec` below each selector. An unknown one frees nothing. */
export function freeSelectors(
  engine: Engine,
  kernel: Kernel,
  selectors: readonly (readonly string[])[],
  toSec: number,
  rounding: Rounding,
): number {
  const words = engine.words();
  let freed = 0;
  for (const selector of selectors) {
    const top = engine.tree.find(selector);
    if (!top) continue;
    engine.tree.visit(top, (level) => {
      for (const series of level.series) {
        const slot = slotBefore(toSec, words[(series + SERIES_STEP) >>> 2]!, rounding);
        freed += kernel.freeBefore(series, slot);
      }
    });
  }
  return freed;
}
