// Series: where a sample goes. The newest HEAD_SLOTS slots are plain Float64; older ones lie in
// one sealed block a window.
import {
  BLOCK_FLAG_SAVED,
  BLOCK_FLAG_SAVING,
  BLOCK_START,
  CHANGES_COUNT,
  CHANGES_SEC,
  CHANGES_TABLE,
  HEAD_SLOTS,
  SERIES_BLOCKS,
  SERIES_BLOCK_CAPACITY,
  SERIES_BLOCK_COUNT,
  SERIES_BYTES,
  SERIES_COUNT,
  SERIES_EXPONENT,
  SERIES_FLAGS,
  SERIES_FLAG_DEAD,
  SERIES_FREED_AT,
  SERIES_FREED_SLOT,
  SERIES_HEAD,
  SERIES_HEAD_SLOT,
  SERIES_ID,
  SERIES_LAST_SLOT,
  SERIES_LAST_TIME,
  SERIES_LEVEL,
  SERIES_METRIC,
  SERIES_NEXT_LOW,
  SERIES_NEXT_SPAN,
  SERIES_STAGGER,
  SERIES_STEP,
  STATE_BASE,
  WINDOW_SLOTS,
} from '../layout';
import { allocate, release } from './alloc';
import { blockBytes } from './block-fields';
import { copyRounded } from './copy';
import { logSample } from './log';
import { decodeBlockRange } from './decode';
import { blockAt, blockCount, blockEnd, firstOverlap } from './directory';
import {
  fillMissing,
  loadWindow,
  sealHead,
  storeWindow,
  windowStart,
  WINDOW_VALUES,
} from './window';

/** Head slot of a series without a head: no slot lies within HEAD_SLOTS of it, so the fast path misses. */
const NO_HEAD_SLOT: u32 = 0x80000000;
const HEAD_BYTES: u32 = HEAD_SLOTS * 8;

/** Number of the last checkpoint begun. */
export let checkpointBegun: u32 = 0;

export function setCheckpoint(number: u32): void {
  checkpointBegun = number;
}

/** A new, empty series; returns its address. `id` is its number in log and checkpoints. */
export function createSeries(
  stepSec: u32,
  metric: u32,
  level: u32,
  stagger: u32,
  id: u32,
): u32 {
  const series = allocate(SERIES_BYTES);
  for (let i = 0; i < SERIES_BYTES; i += 16) v128.store(series + i, i32x4.splat(0));
  store<u32>(series + SERIES_STEP, stepSec);
  store<u16>(series + SERIES_METRIC, <u16>metric);
  store<u32>(series + SERIES_LEVEL, level);
  store<u32>(series + SERIES_ID, id);
  store<u32>(series + SERIES_HEAD_SLOT, NO_HEAD_SLOT);
  store<u8>(series + SERIES_STAGGER, <u8>(stagger & (WINDOW_SLOTS - 1)));
  return series;
}

/** Frees all a series has. The caller has unbound its prefixes before (see dropDeadPrefixes). */
export function releaseSeries(series: u32): void {
  freeBefore(series, 0xffffffff);
  release(series);
}

/** Marks a series: prefixes that lead to it are dropped at the next dropDeadPrefixes. */
export function markDead(series: u32): void {
  store<u32>(series + SERIES_FLAGS, load<u32>(series + SERIES_FLAGS) | SERIES_FLAG_DEAD);
}

/** Stores one sample. Fast path: the slot after the newest one, still in the head. */
// @ts-ignore: decorator
@inline
export function append(series: u32, timeSec: u32, value: f64): void {
  logSample(series, timeSec, value);
  const low = load<u32>(series + SERIES_NEXT_LOW);
  const slot = load<u32>(series + SERIES_LAST_SLOT) + 1;
  const offset = slot - load<u32>(series + SERIES_HEAD_SLOT);
  if (timeSec - low <= load<u32>(series + SERIES_NEXT_SPAN) && offset < <u32>HEAD_SLOTS) {
    store<f64>(load<u32>(series + SERIES_HEAD) + (offset << 3), value);
    store<u32>(series + SERIES_LAST_SLOT, slot);
    store<u32>(series + SERIES_NEXT_LOW, low + load<u32>(series + SERIES_STEP));
    store<u32>(series + SERIES_LAST_TIME, timeSec);
    store<u32>(series + SERIES_COUNT, load<u32>(series + SERIES_COUNT) + 1);
  } else {
    appendSlow(series, timeSec, value);
  }
}

/** Samples before this second are late: what was made of that time is to be made anew. */
let settledBefore: u32 = 0;

/** See exports/series.ts. */
export function setSettledBefore(timeSec: u32): void {
  settledBefore = timeSec;
}

/**
 * Counts a late sample. Lines of one stamp, which the ingest loop reads in one call, need to be
 * counted once: queries look at the counts between calls.
 */
// @ts-ignore: decorator
@inline
export function noteTime(timeSec: u32): void {
  if (timeSec >= settledBefore) return;
  const index = (timeSec / CHANGES_SEC) & (CHANGES_COUNT - 1);
  const at = STATE_BASE + CHANGES_TABLE + (index << 2);
  store<u32>(at, load<u32>(at) + 1);
}

/** `append` for the control plane. */
export function appendSample(series: u32, timeSec: u32, value: f64): i32 {
  noteTime(timeSec);
  append(series, timeSec, value);
  return 1;
}

/** Nearest grid point, ties to the lower: slot s is shown at s * step. */
// @ts-ignore: decorator
@inline
function nearestSlot(timeSec: u32, step: u32): u32 {
  return (timeSec + step - 1 - (step >> 1)) / step;
}

function appendSlow(series: u32, timeSec: u32, value: f64): void {
  store<u32>(series + SERIES_COUNT, load<u32>(series + SERIES_COUNT) + 1);
  const slot = placeSample(series, timeSec);
  if (slot <= load<u32>(series + SERIES_LAST_SLOT) && load<u32>(series + SERIES_LAST_SLOT)) {
    writeLate(series, slot, value);
    return;
  }
  store<u32>(series + SERIES_LAST_SLOT, slot);
  store<u32>(series + SERIES_LAST_TIME, timeSec);
  if (!load<u32>(series + SERIES_HEAD)) openHead(series, slot);
  else if (slot - load<u32>(series + SERIES_HEAD_SLOT) >= <u32>HEAD_SLOTS) {
    sealHead(series);
    openHead(series, slot);
  }
  const offset = slot - load<u32>(series + SERIES_HEAD_SLOT);
  store<f64>(load<u32>(series + SERIES_HEAD) + (offset << 3), value);
}

/**
 * The slot of a sample that is not plainly the next one, and the phase to go on with.
 *
 * A collector's clock has any phase and jitters. The first sample takes the nearest grid point;
 * from then on LOW … LOW + SPAN is the envelope of the phases seen, moved on by a step with each
 * slot. A sample that fits an envelope of at most 9/10 of a step is the next slot's: so jitter of
 * ±40 % neither leaves a hole nor hits a slot twice, and no sample is shown a whole step away.
 * After a gap of two slots or more the phase is locked anew.
 */
function placeSample(series: u32, timeSec: u32): u32 {
  const step = load<u32>(series + SERIES_STEP);
  const last = load<u32>(series + SERIES_LAST_SLOT);
  if (!last) return lockPhase(series, timeSec, step);
  const low = <i64>load<u32>(series + SERIES_NEXT_LOW);
  const span = <i64>load<u32>(series + SERIES_NEXT_SPAN);
  const time = <i64>timeSec;
  if (timeSec > load<u32>(series + SERIES_LAST_TIME)) {
    const newLow = min<i64>(low, time);
    const newSpan = max<i64>(low + span, time) - newLow;
    const shown = <i64>(last + 1) * <i64>step;
    const away = time > shown ? time - shown : shown - time;
    if (newSpan * 10 <= <i64>step * 9 && away * 20 <= <i64>step * 19) {
      store<u32>(series + SERIES_NEXT_LOW, <u32>newLow + step);
      store<u32>(series + SERIES_NEXT_SPAN, <u32>newSpan);
      return last + 1;
    }
  } else if (timeSec == load<u32>(series + SERIES_LAST_TIME)) {
    return last;
  }
  // Distance to the middle of the envelope of the slot after the newest one, in whole steps.
  const fromMiddle = time - (low + (span >> 1)) + <i64>(step >> 1);
  const steps = fromMiddle >= 0 ? fromMiddle / step : -((-fromMiddle + step - 1) / step);
  if (steps >= 2) {
    const relocked = nearestSlot(timeSec, step);
    if (relocked > last) return lockPhase(series, timeSec, step);
  }
  if (steps >= 0) store<u32>(series + SERIES_NEXT_LOW, <u32>(low + (steps + 1) * step));
  return <u32>(<i64>last + 1 + steps);
}

function lockPhase(series: u32, timeSec: u32, step: u32): u32 {
  store<u32>(series + SERIES_NEXT_LOW, timeSec + step);
  store<u32>(series + SERIES_NEXT_SPAN, 0);
  return nearestSlot(timeSec, step);
}

function openHead(series: u32, slot: u32): void {
  let head = load<u32>(series + SERIES_HEAD);
  if (!head) {
    head = allocate(HEAD_BYTES);
    store<u32>(series + SERIES_HEAD, head);
  }
  const stagger = <u32>load<u8>(series + SERIES_STAGGER);
  const headSlot = ((slot + stagger) & ~(HEAD_SLOTS - 1)) - stagger;
  store<u32>(series + SERIES_HEAD_SLOT, headSlot);
  fillMissing(head, HEAD_SLOTS);
  reclaimHeadSlots(series, headSlot, head);
}

/** Slots of a new head that an idle head left in a block come back: no slot lives in two places. */
function reclaimHeadSlots(series: u32, headSlot: u32, head: u32): void {
  const blocks = blockCount(series);
  if (!blocks) return;
  const newest = blockAt(series, blocks - 1);
  if (blockEnd(newest) <= headSlot) return;
  const start = windowStart(series, headSlot);
  const index = loadWindow(series, start);
  const values = WINDOW_VALUES + ((headSlot - start) << 3);
  copyRounded(head, values, HEAD_BYTES);
  fillMissing(values, HEAD_SLOTS);
  storeWindow(series, start, index);
}

/** Seals a head that nothing has written to since `slot`, and gives its memory back. */
export function sealIdleHead(series: u32, slot: u32): i32 {
  const head = load<u32>(series + SERIES_HEAD);
  if (!head || load<u32>(series + SERIES_LAST_SLOT) >= slot) return 0;
  sealHead(series);
  release(head);
  store<u32>(series + SERIES_HEAD, 0);
  store<u32>(series + SERIES_HEAD_SLOT, NO_HEAD_SLOT);
  return 1;
}

/** A sample for a slot at or before the newest one. */
function writeLate(series: u32, slot: u32, value: f64): void {
  const head = load<u32>(series + SERIES_HEAD);
  const headSlot = load<u32>(series + SERIES_HEAD_SLOT);
  if (head && slot - headSlot < <u32>HEAD_SLOTS) {
    store<f64>(head + ((slot - headSlot) << 3), value);
    return;
  }
  const start = windowStart(series, slot);
  const index = loadWindow(series, start);
  store<f64>(WINDOW_VALUES + ((slot - start) << 3), value);
  storeWindow(series, start, index);
}

/** `count` slots from `from` on as Float64 to `out`, NaN where missing. */
export function readSeries(series: u32, from: u32, count: u32, out: u32): void {
  fillMissing(out, count);
  const until = from + count;
  const blocks = blockCount(series);
  for (let index = firstOverlap(series, from); index < blocks; index++) {
    const block = blockAt(series, index);
    const start = load<u32>(block + BLOCK_START);
    if (start >= until) break;
    const end = blockEnd(block);
    const first = max<u32>(start, from);
    const last = min<u32>(end, until);
    decodeBlockRange(block, first - start, last - start, out + ((first - from) << 3));
  }
  const head = load<u32>(series + SERIES_HEAD);
  if (!head) return;
  const headSlot = load<u32>(series + SERIES_HEAD_SLOT);
  const first = max<u32>(headSlot, from);
  const last = min<u32>(headSlot + HEAD_SLOTS, until);
  if (first < last) {
    memory.copy(out + ((first - from) << 3), head + ((first - headSlot) << 3), (last - first) << 3);
  }
}

/**
 * Frees whole blocks that end at or before `slot`, and a head likewise; returns how many windows
 * they were of: a head and the block it would have joined count as one.
 */
export function freeBefore(series: u32, slot: u32): u32 {
  const blocks = blockCount(series);
  const list = load<u32>(series + SERIES_BLOCKS);
  let gone: i32 = 0;
  let lastStart: u32 = 0;
  let lastEnd: u32 = 0;
  while (gone < blocks) {
    const block = blockAt(series, gone);
    if (blockEnd(block) > slot) break;
    lastStart = load<u32>(block + BLOCK_START);
    lastEnd = blockEnd(block);
    release(block);
    gone++;
  }
  if (gone == blocks) {
    if (list) release(list);
    store<u32>(series + SERIES_BLOCKS, 0);
    store<u32>(series + SERIES_BLOCK_COUNT, 0);
  } else if (gone > 0) {
    memory.copy(list, list + (gone << 2), (blocks - gone) << 2);
    store<u16>(series + SERIES_BLOCK_COUNT, <u16>(blocks - gone));
  }
  if (gone > 0) noteFreed(series, lastEnd);
  const head = load<u32>(series + SERIES_HEAD);
  if (head && load<u32>(series + SERIES_LAST_SLOT) < slot) {
    const start = windowStart(series, load<u32>(series + SERIES_HEAD_SLOT));
    if (!gone || windowStart(series, lastStart) != start) gone++;
    release(head);
    store<u32>(series + SERIES_HEAD, 0);
    store<u32>(series + SERIES_HEAD_SLOT, NO_HEAD_SLOT);
  }
  return gone;
}

/** The slot behind the last one that `freeBefore` would free for `slot`; 0 if there is none. */
export function freeableUntil(series: u32, slot: u32): u32 {
  if (load<u32>(series + SERIES_HEAD) && load<u32>(series + SERIES_LAST_SLOT) < slot) {
    return load<u32>(series + SERIES_LAST_SLOT) + 1;
  }
  let until: u32 = 0;
  const blocks = blockCount(series);
  for (let index: i32 = 0; index < blocks; index++) {
    const end = blockEnd(blockAt(series, index));
    if (end > slot) break;
    until = end;
  }
  return until;
}

/**
 * Files may still have blocks that were freed, up to `slot`: a restart must not bring them back.
 * Blocks there that late samples made since the last time have to be written anew.
 */
function noteFreed(series: u32, slot: u32): void {
  const freedSlot = max<u32>(slot, load<u32>(series + SERIES_FREED_SLOT));
  store<u32>(series + SERIES_FREED_SLOT, freedSlot);
  store<u32>(series + SERIES_FREED_AT, checkpointBegun);
  const list = load<u32>(series + SERIES_BLOCKS);
  const blocks = blockCount(series);
  for (let i = 0; i < blocks && blockEnd(blockAt(series, i)) <= freedSlot; i++) {
    const at = list + (i << 2);
    store<u32>(at, load<u32>(at) & ~(BLOCK_FLAG_SAVED | BLOCK_FLAG_SAVING));
  }
}

/** Oldest slot a series has, 0xffffffff if it has none. */
export function oldestSlot(series: u32): u32 {
  if (load<u16>(series + SERIES_BLOCK_COUNT)) return load<u32>(blockAt(series, 0) + BLOCK_START);
  return load<u32>(series + SERIES_HEAD) ? load<u32>(series + SERIES_HEAD_SLOT) : 0xffffffff;
}

/** See exports/series.ts. */
export function decimalExponent(series: u32): i32 {
  return <i32>load<u8>(series + SERIES_EXPONENT);
}

/** Bytes of a series' blocks, head and directory. */
export function seriesBytes(series: u32): u32 {
  const blocks = blockCount(series);
  let bytes: u32 = SERIES_BYTES + (<u32>load<u16>(series + SERIES_BLOCK_CAPACITY) << 2);
  for (let i = 0; i < blocks; i++) bytes += blockBytes(blockAt(series, i));
  return load<u32>(series + SERIES_HEAD) ? bytes + HEAD_BYTES : bytes;
}
