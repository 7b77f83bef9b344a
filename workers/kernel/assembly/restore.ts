// Restoring: from what checkpoints and logs hold back to series in memory.
import {
  BLOCK_BYTES_MAX,
  BLOCK_START,
  BLOCK_WORD,
  HEAD_SLOTS,
  RECORD_SAMPLES,
  RESTORE_METRIC_BYTES,
  RESTORE_UNKNOWN,
  RESTORE_UNSOUND,
  SAMPLES_HEADER_BYTES,
  SAVED_BLOCKS,
  SAVED_BYTES,
  SAVED_COUNT,
  SAVED_EXPONENT,
  SAVED_FREED_AT,
  SAVED_FREED_SLOT,
  SAVED_GROWING,
  SAVED_HEAD,
  SAVED_HEAD_SLOT,
  SAVED_ID,
  SAVED_LAST_SLOT,
  SAVED_LAST_TIME,
  SAVED_METRIC,
  SAVED_NEXT_LOW,
  SAVED_NEXT_SPAN,
  SAVED_RUN_BYTES,
  SAVED_RUN_ID,
  SAVED_RUN_SIZE,
  SAVED_RUN_START,
  SAVED_SIZE,
  SERIES_COUNT,
  SERIES_EXPONENT,
  SERIES_FREED_AT,
  SERIES_FREED_SLOT,
  SERIES_HEAD,
  SERIES_HEAD_SLOT,
  SERIES_LAST_SLOT,
  SERIES_LAST_TIME,
  SERIES_NEXT_LOW,
  SERIES_NEXT_SPAN,
  TABLE_ENTRY_BYTES,
  WINDOW_SLOTS,
} from '../layout';
import { allocate, memoryLow } from './alloc';
import { blockBytes, wordBytes, wordSlots } from './block-fields';
import { decodeBlock } from './decode';
import { insertBlock, replaceBlock } from './directory';
import { append, createSeries } from './series';
import { savedBytes, startOf, unpackBlock, wordOf } from './short-block';
import { fillMissing, findWindow, windowStart } from './window';

/** No window starts there. */
const NO_WINDOW: u32 = 0xffffffff;

/** Of times of 31 bits; a greater one would be taken for a slot of the head that there is not. */
const LAST_SLOT_MAX: u32 = 0x7ffffffe;

/** See exports/durability.ts. */
export function checkLevel(from: u32, until: u32, count: u32): u32 {
  let at = from;
  let end: u32 = 1;
  for (let i: u32 = 0; i < count; i++) {
    if (until - at < <u32>SAVED_BYTES) return 0;
    const size = load<u32>(at + SAVED_SIZE);
    if (size < <u32>SAVED_BYTES || size > until - at) return 0;
    const id = load<u32>(at + SAVED_ID);
    if (id == 0xffffffff) return 0;
    end = max(end, id + 1);
    at += size;
  }
  return end;
}

let restoreTable: u32 = 0;
let restoreMetrics: u32 = 0;
let restoreMetricCount: u32 = 0;

/** See exports/durability.ts. */
export function setRestoreTables(table: u32, metrics: u32, metricCount: u32): void {
  restoreTable = table;
  restoreMetrics = metrics;
  restoreMetricCount = metricCount;
}

/** See exports/durability.ts. */
export function restoreLevel(
  from: u32,
  count: u32,
  level: u32,
  stagger: u32,
  frame: u32,
  firstId: u32,
  out: u32,
): u32 {
  let saved = from;
  let made: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const metric = <u32>load<u16>(saved + SAVED_METRIC);
    const known = restoreMetrics + metric * RESTORE_METRIC_BYTES;
    const index = metric < restoreMetricCount ? load<u32>(known) : RESTORE_UNKNOWN;
    let series: u32 = 0;
    if (index != RESTORE_UNKNOWN) {
      const id = load<u32>(saved + SAVED_ID);
      const ownId = firstId ? firstId + made : id;
      series = createSeries(load<u32>(known + 4), index, level, stagger, ownId);
      const entry = restoreTable + id * TABLE_ENTRY_BYTES;
      store<u32>(entry, series);
      store<u32>(entry + 4, frame);
      made++;
      if (!restoreSeries(series, saved)) series |= RESTORE_UNSOUND;
    }
    store<u32>(out + (i << 2), series);
    saved += load<u32>(saved + SAVED_SIZE);
  }
  return made;
}

/**
 * State, head and growing block of a fresh series, as `saveSeries` left them at `saved`. False if they
 * make no sense, although their checksum is right: what lies outside its head or window is not taken,
 * since it would be written over other memory.
 */
function restoreSeries(series: u32, saved: u32): bool {
  const lastSlot = load<u32>(saved + SAVED_LAST_SLOT);
  if (lastSlot > LAST_SLOT_MAX) return false;
  store<u8>(series + SERIES_EXPONENT, load<u8>(saved + SAVED_EXPONENT));
  store<u32>(series + SERIES_LAST_SLOT, lastSlot);
  store<u32>(series + SERIES_NEXT_LOW, load<u32>(saved + SAVED_NEXT_LOW));
  store<u32>(series + SERIES_NEXT_SPAN, load<u32>(saved + SAVED_NEXT_SPAN));
  store<u32>(series + SERIES_LAST_TIME, load<u32>(saved + SAVED_LAST_TIME));
  store<u32>(series + SERIES_COUNT, load<u32>(saved + SAVED_COUNT));
  store<u32>(series + SERIES_FREED_AT, load<u32>(saved + SAVED_FREED_AT));
  store<u32>(series + SERIES_FREED_SLOT, load<u32>(saved + SAVED_FREED_SLOT));
  const parts = <u32>load<u8>(saved + SAVED_BLOCKS);
  const end = saved + load<u32>(saved + SAVED_SIZE);
  let at = saved + SAVED_BYTES;
  if (parts & SAVED_HEAD) {
    const headSlot = load<u32>(saved + SAVED_HEAD_SLOT);
    if (!isHead(series, headSlot) || !isWithin(at, headSlot, HEAD_SLOTS, end)) return false;
    const head = allocate(HEAD_SLOTS << 3);
    fillMissing(head, HEAD_SLOTS);
    decodeBlock(at, head + ((load<u32>(at + BLOCK_START) - headSlot) << 3));
    store<u32>(series + SERIES_HEAD, head);
    store<u32>(series + SERIES_HEAD_SLOT, headSlot);
    at += blockBytes(at);
  }
  if (parts & SAVED_GROWING) {
    const start = load<u32>(at + BLOCK_START);
    const window = windowStart(series, start);
    if (!isWithin(at, window, WINDOW_SLOTS, end)) return false;
    putBlock(series, at, start, window, 0);
  }
  return true;
}

/** Whether a head may begin there: it has the newest slot, and is a part of one window. */
function isHead(series: u32, headSlot: u32): bool {
  const inWindow = headSlot - windowStart(series, headSlot);
  return (
    (inWindow & (HEAD_SLOTS - 1)) == 0 &&
    load<u32>(series + SERIES_LAST_SLOT) - headSlot < <u32>HEAD_SLOTS
  );
}

/** Whether a block with a whole header ends in front of `end`, and has no slots but `slots` from `from` on. */
function isWithin(block: u32, from: u32, slots: u32, end: u32): bool {
  const bytes = blockBytes(block);
  const start = load<u32>(block + BLOCK_START);
  return bytes <= end - block && areWithin(start, load<u32>(block + BLOCK_WORD), from, slots);
}

/** Whether a block that begins at slot `start` has no slots but `slots` from `from` on, and a size that blocks have. */
function areWithin(start: u32, word: u32, from: u32, slots: u32): bool {
  const first = start - from;
  return (
    first < slots && first + wordSlots(word) <= slots && wordBytes(word) <= <u32>BLOCK_BYTES_MAX
  );
}

/**
 * A saved block at its place in the directory, in place of one of the same window, which begins at slot `window`.
 * `start`: its first slot.
 */
function putBlock(series: u32, saved: u32, start: u32, window: u32, flags: u32): void {
  const index = findWindow(series, window);
  const block = allocate(wordBytes(wordOf(saved)));
  unpackBlock(saved, start, block);
  if (index >= 0) replaceBlock(series, index, block | flags);
  else insertBlock(series, ~index, block | flags);
}

/**
 * Reads runs of blocks, as `saveBlocks` wrote them in checkpoint `checkpoint`, from `from` to `end`.
 * `table` has the address of each series below number `count`; blocks of others are passed over, and
 * those that were freed since. Those restored are marked with `flags`; `runBytes`: of a run's header.
 * Returns where it stopped: at `end`, or in front of a run when memory is low; 0 if the runs make no
 * sense.
 */
export function restoreBlocks(
  from: u32,
  end: u32,
  table: u32,
  count: u32,
  checkpoint: u32,
  flags: u32,
  runBytes: u32,
): u32 {
  let at = from;
  while (at + runBytes <= end) {
    if (memoryLow()) return at;
    const id = load<u32>(at + SAVED_RUN_ID);
    const size = load<u32>(at + SAVED_RUN_SIZE);
    const first = at + runBytes;
    if (size > end - first) return 0;
    let next = runBytes > <u32>SAVED_RUN_START ? load<u32>(at + SAVED_RUN_START) : 0;
    at = first + size;
    const series = id < count ? load<u32>(table + id * TABLE_ENTRY_BYTES) : 0;
    if (!series) continue;
    const freedAt = load<u32>(series + SERIES_FREED_AT);
    const freedSlot = checkpoint <= freedAt ? load<u32>(series + SERIES_FREED_SLOT) : 0;
    // The window that its head belongs to came with its state, and newer.
    const growing = load<u32>(series + SERIES_HEAD)
      ? windowStart(series, load<u32>(series + SERIES_HEAD_SLOT))
      : NO_WINDOW;
    for (let saved = first; saved < at; ) {
      const bytes = savedBytes(saved);
      const start = startOf(saved, next);
      const word = wordOf(saved);
      const window = windowStart(series, start);
      if (bytes > at - saved || !areWithin(start, word, window, WINDOW_SLOTS)) return 0;
      next = start + wordSlots(word);
      if (next > freedSlot && window != growing) putBlock(series, saved, start, window, flags);
      saved += bytes;
    }
  }
  return at;
}

/**
 * Stores the samples of log records from `from` to `end`, of the frame `frame` (counted from the
 * first one behind the checkpoint). Series that the checkpoint saved later than that have them
 * already. Returns where it stopped: at `end`, in front of a record of another kind, or in front of
 * samples when memory is low; 0 if the records make no sense.
 */
export function replayRecords(from: u32, end: u32, table: u32, count: u32, frame: u32): u32 {
  let at = from;
  while (at + SAMPLES_HEADER_BYTES <= end && <u32>load<u8>(at) == RECORD_SAMPLES) {
    if (memoryLow()) return at;
    const samples = load<u32>(at) >> 8;
    const id = load<u32>(at + 4);
    const time = load<u32>(at + 8);
    const values = at + SAMPLES_HEADER_BYTES;
    if (samples > (end - values) >> 3) return 0;
    for (let i: u32 = 0; i < samples; i++) {
      if (id + i >= count) break;
      const entry = table + (id + i) * TABLE_ENTRY_BYTES;
      const series = load<u32>(entry);
      if (series && load<u32>(entry + 4) <= frame) {
        append(series, time, load<f64>(values + (i << 3)));
        if ((i & 1023) == 1023 && memoryLow()) {
          // The rest becomes a run of its own, over samples that are stored.
          const rest = values + ((i + 1) << 3) - SAMPLES_HEADER_BYTES;
          store<u32>(rest, RECORD_SAMPLES | ((samples - i - 1) << 8));
          store<u32>(rest + 4, id + i + 1);
          store<u32>(rest + 8, time);
          return rest;
        }
      }
    }
    at = values + (samples << 3);
  }
  return at;
}
