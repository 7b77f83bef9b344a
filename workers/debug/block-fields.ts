import type { BlockDetail } from '../../src/model/inspection.js';
import { blockListAt } from '../engine/blocks.js';
import type { Words } from '../engine/engine.js';
import type { Kernel } from '../kernel/kernel.js';
import {
  BLOCK_ADDRESS_MASK,
  BLOCK_FLAG_ARCHIVED,
  BLOCK_FLAG_SAVED,
  BLOCK_MAX,
  BLOCK_MIN,
  BLOCK_START,
  BLOCK_WORD,
  HEAD_SLOTS,
  SERIES_HEAD,
  SERIES_HEAD_SLOT,
  SERIES_LAST_SLOT,
  SERIES_STEP,
  WORD_CODEC_SHIFT,
  WORD_COUNT_SHIFT,
} from '../kernel/layout.js';

export const HEAD_BYTES = HEAD_SLOTS * 8;
const CODECS = ['constant', 'for32', 'for64', 'delta', 'raw'] as const;
const SLOTS_MASK = 127;

/** Address of a sealed block with its flags, by its place. */
export function blockEntry(words: Words, series: number, index: number): number {
  return words[blockListAt(words, series) + index]!;
}

export function blockAddress(entry: number): number {
  return (entry & BLOCK_ADDRESS_MASK) >>> 0;
}

/** Its first slot. */
export function blockStart(words: Words, block: number): number {
  return words[(block + BLOCK_START) >>> 2]!;
}

/** Slots that a block covers, and samples in it. */
export function slotsOf(words: Words, block: number): number {
  return (words[(block + BLOCK_WORD) >>> 2]! & SLOTS_MASK) + 1;
}

export function samplesOf(words: Words, block: number): number {
  return ((words[(block + BLOCK_WORD) >>> 2]! >>> WORD_COUNT_SHIFT) & SLOTS_MASK) + 1;
}

export function hasHead(words: Words, series: number): boolean {
  return words[(series + SERIES_HEAD) >>> 2] !== 0;
}

/** Samples of the head that there are. */
export function headSamples(words: Words, series: number): Float64Array {
  const slots =
    words[(series + SERIES_LAST_SLOT) >>> 2]! - words[(series + SERIES_HEAD_SLOT) >>> 2]!;
  const head = words[(series + SERIES_HEAD) >>> 2]!;
  const all = new Float64Array(words.buffer, head, Math.min(slots + 1, HEAD_SLOTS));
  return all.filter((value) => !Number.isNaN(value));
}

export function sealedBlock(
  kernel: Kernel,
  words: Words,
  series: number,
  index: number,
): BlockDetail {
  const stepSec = words[(series + SERIES_STEP) >>> 2]!;
  const entry = blockEntry(words, series, index);
  const block = blockAddress(entry);
  const start = blockStart(words, block);
  const slots = slotsOf(words, block);
  const [min, max] = new Float64Array(
    words.buffer,
    block + BLOCK_MIN,
    (BLOCK_MAX - BLOCK_MIN) / 8 + 1,
  );
  return {
    startSec: start * stepSec,
    endSec: (start + slots) * stepSec,
    slots,
    samples: samplesOf(words, block),
    bytes: kernel.blockBytes(block),
    codec: CODECS[(words[(block + BLOCK_WORD) >>> 2]! >>> WORD_CODEC_SHIFT) & 7]!,
    sealed: true,
    saved: (entry & BLOCK_FLAG_SAVED) !== 0,
    archived: (entry & BLOCK_FLAG_ARCHIVED) !== 0,
    min: min!,
    max: max!,
  };
}

export function headBlock(words: Words, series: number): BlockDetail {
  const stepSec = words[(series + SERIES_STEP) >>> 2]!;
  const start = words[(series + SERIES_HEAD_SLOT) >>> 2]!;
  const slots = words[(series + SERIES_LAST_SLOT) >>> 2]! - start + 1;
  const samples = headSamples(words, series);
  return {
    startSec: start * stepSec,
    endSec: (start + slots) * stepSec,
    slots,
    samples: samples.length,
    bytes: HEAD_BYTES,
    codec: 'head',
    sealed: false,
    saved: false,
    archived: false,
    min: samples.length === 0 ? null : Math.min(...samples),
    max: samples.length === 0 ? null : Math.max(...samples),
  };
}
