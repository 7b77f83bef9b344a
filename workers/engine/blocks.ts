import { SERIES_BLOCK_COUNT, SERIES_BLOCKS } from '../kernel/layout.js';
import type { Words } from './engine.js';

/** Sealed blocks of a series. */
export function blockCount(words: Words, series: number): number {
  return words[(series + SERIES_BLOCK_COUNT) >>> 2]! & 0xffff;
}

/** Where in `words` the list of a series' blocks begins: addresses with flags, a word each. */
export function blockListAt(words: Words, series: number): number {
  return words[(series + SERIES_BLOCKS) >>> 2]! >>> 2;
}
