import { blockCount, blockListAt } from '../engine/blocks.js';
import type { Engine } from '../engine/engine.js';
import {
  BLOCK_ADDRESS_MASK,
  BLOCK_FLAG_EXPORTED,
  BLOCK_START,
  BLOCK_WORD,
  SERIES_COUNT,
  SERIES_FLAGS,
  SERIES_FLAGS_COUNT_SHIFT,
  SERIES_HEAD,
  SERIES_HEAD_SLOT,
  SERIES_LAST_SLOT,
  SERIES_STAGGER,
  SERIES_STEP,
  WINDOW_SLOTS,
} from '../kernel/layout.js';
import { HOUR_SEC } from './export-bounds.js';
import type { SlotReader } from './slot-reader.js';

const COUNT_MASK = 0xffffffff >>> SERIES_FLAGS_COUNT_SHIFT;

/** What was exported, and what is to be. */
export interface ExportTimes {
  /** Seconds before it were exported; 0 = nothing was. */
  readonly sinceSec: number;
  readonly untilSec: number;
}

/**
 * Tells the times of a series, before `untilSec`, of which files do not have what is in memory now, and
 * takes it that they will: a series changes its marks. `note` is told the seconds of the first and the
 * last of several slots.
 *
 * Samples behind `sinceSec` are new. Whether any before it changed is told by numbers: a series counts
 * the samples written to it. If since the last time as many were written as there are behind `sinceSec`
 * now, all of them are there. Else some came late, or twice: then blocks without a flag changed, since
 * whatever is written into a block puts another one in its place; and so may have what is not complete.
 */
export function changedTimes(
  engine: Engine,
  slots: SlotReader,
  series: number,
  { sinceSec, untilSec }: ExportTimes,
  note: (fromSec: number, toSec: number) => void,
): void {
  const words = engine.words();
  const step = words[(series + SERIES_STEP) >>> 2]!;
  const last = words[(series + SERIES_LAST_SLOT) >>> 2]!;
  const untilSlot = Math.ceil(untilSec / step);
  const noteSlots = (from: number, to: number): void => {
    const bounded = Math.min(to, untilSlot - 1);
    if (step < HOUR_SEC) {
      if (from <= bounded) note(from * step, bounded * step);
      return;
    }
    // Most of the hours between have no slot.
    for (let slot = from; slot <= bounded; slot++) note(slot * step, slot * step);
  };
  const sinceSlot = Math.ceil(sinceSec / step);
  const fresh = new SlotSpan();
  const later = new SlotSpan();
  slots.forEach(series, sinceSec > 0 ? sinceSlot : untilSlot, last + 1, (slot) => {
    (slot < untilSlot ? fresh : later).add(slot);
  });
  if (fresh.count > 0) noteSlots(fresh.first, fresh.last);
  const count = words[(series + SERIES_COUNT) >>> 2]!;
  const flags = words[(series + SERIES_FLAGS) >>> 2]!;
  const written = (count - (flags >>> SERIES_FLAGS_COUNT_SHIFT)) & COUNT_MASK;
  const isChanged = sinceSec === 0 || written !== fresh.count + later.count;
  const growing = markBlocks(words, series, isChanged ? noteSlots : undefined);
  if (isChanged && growing >= 0) noteSlots(growing, last);
  const low = flags & ((1 << SERIES_FLAGS_COUNT_SHIFT) - 1);
  // What lies behind is not exported: to the next time it is as if it had not been written.
  const exported = (count - later.count) & COUNT_MASK;
  words[(series + SERIES_FLAGS) >>> 2] = low | (exported << SERIES_FLAGS_COUNT_SHIFT);
}

/** How many slots, and the first and the last of them. */
class SlotSpan {
  count = 0;
  first = 0;
  last = 0;

  /** Slots come in order. */
  add(slot: number): void {
    if (this.count++ === 0) this.first = slot;
    this.last = slot;
  }
}

/**
 * Flags the complete blocks, of which those without the flag are told. Returns the first slot of what is
 * not complete, -1 if there is no such.
 */
function markBlocks(
  words: Uint32Array,
  series: number,
  note: ((from: number, to: number) => void) | undefined,
): number {
  const list = blockListAt(words, series);
  const count = blockCount(words, series);
  const headSlot = words[(series + SERIES_HEAD_SLOT) >>> 2]!;
  const hasHead = words[(series + SERIES_HEAD) >>> 2] !== 0;
  const stagger = words[(series + SERIES_STAGGER) >>> 2]! & 0xff;
  // The block of the head's window grows: it has no flag.
  const growing = hasHead ? headSlot - ((headSlot + stagger) % WINDOW_SLOTS) : Infinity;
  for (let i = 0; i < count; i++) {
    const entry = words[list + i]!;
    const block = (entry & BLOCK_ADDRESS_MASK) >>> 0;
    const start = words[(block + BLOCK_START) >>> 2]!;
    if (start >= growing) break;
    if (entry & BLOCK_FLAG_EXPORTED) continue;
    note?.(start, start + (words[(block + BLOCK_WORD) >>> 2]! & 127));
    words[list + i] = entry | BLOCK_FLAG_EXPORTED;
  }
  return hasHead ? Math.max(0, growing) : -1;
}
