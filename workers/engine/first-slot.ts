import type { Kernel } from '../kernel/kernel.js';
import { HEAD_SLOTS, SERIES_HEAD, SERIES_HEAD_SLOT } from '../kernel/layout.js';
import { blockCount } from './blocks.js';
import type { Words } from './engine.js';

/** Of a series that holds nothing. */
export const NO_SLOT = 0xffffffff;
/** Bits of a Float64's upper word that are all set in NaN, and in no sample: those are finite. */
const NOT_FINITE = 0x7ff00000;

/**
 * The slot of a series' oldest sample, {@link NO_SLOT} if there is none. A block begins with a sample,
 * but a head with the slots before it.
 */
export function firstSlotOf(kernel: Kernel, words: Words, series: number): number {
  const oldest = kernel.oldestSlot(series) >>> 0;
  if (blockCount(words, series) > 0 || oldest === NO_SLOT) return oldest;
  const upper = (words[(series + SERIES_HEAD) >>> 2]! >>> 2) + 1;
  const first = words[(series + SERIES_HEAD_SLOT) >>> 2]!;
  for (let i = 0; i < HEAD_SLOTS; i++) {
    if ((words[upper + 2 * i]! & NOT_FINITE) !== NOT_FINITE) return first + i;
  }
  return NO_SLOT;
}
