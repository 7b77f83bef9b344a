import type { Kernel } from '../kernel/kernel.js';
import {
  QUERY_SCRATCH_BASE,
  SERIES_LAST_SLOT,
  SERIES_LEVEL,
  SERIES_STEP,
} from '../kernel/layout.js';
import type { Engine } from './engine.js';
import type { Metric } from './metrics.js';

/** Slots read at a time. */
const PIECE_SLOTS = 8192;

/**
 * Replaces a series by one of a number, whose samples lie on the grid of another step; returns its address.
 * Where several samples fall into one slot it has their mean; where the grid is finer, the slots
 * between have none.
 */
export function convertStep(
  engine: Engine,
  kernel: Kernel,
  memory: WebAssembly.Memory,
  series: number,
  metric: Metric,
  stepSec: number,
  id: number,
): number {
  const words = engine.words();
  const level = engine.tree.at(words[(series + SERIES_LEVEL) >>> 2]!);
  const oldStepSec = words[(series + SERIES_STEP) >>> 2]!;
  const last = words[(series + SERIES_LAST_SLOT) >>> 2]!;
  const stagger = engine.staggerOf(...engine.tree.hostOf(level));
  const made = engine.makeSeries(level, metric, stepSec, stagger, id);
  const values = new Float64Array(memory.buffer, QUERY_SCRATCH_BASE, PIECE_SLOTS);
  let slot = -1;
  let sum = 0;
  let count = 0;
  const put = (): void => {
    if (count > 0) kernel.appendSample(made, slot * stepSec, sum / count);
  };
  const oldest = kernel.oldestSlot(series) >>> 0;
  for (let from = oldest; from <= last && oldest !== 0xffffffff; from += PIECE_SLOTS) {
    const pieceCount = Math.min(PIECE_SLOTS, last + 1 - from);
    kernel.readSeries(series, from, pieceCount, QUERY_SCRATCH_BASE);
    for (let i = 0; i < pieceCount; i++) {
      const value = values[i]!;
      if (Number.isNaN(value)) continue;
      // Nearest grid point, ties to the lower, as for a sample that arrives.
      const target = Math.ceil(((from + i) * oldStepSec) / stepSec - 0.5);
      if (target !== slot) {
        put();
        slot = target;
        sum = 0;
        count = 0;
      }
      sum += value;
      count++;
    }
  }
  put();
  engine.replaceSeries(level, series, made);
  return made;
}
