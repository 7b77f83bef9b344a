// Summaries of a series or of values: what headers tell, and what has to be looked at sample by sample.
import {
  BLOCK_START,
  BLOCK_WORD,
  HOLD_SLOTS,
  SERIES_HEAD,
  SERIES_HEAD_SLOT,
  SUMMARY_COUNT,
  SUMMARY_FIRST,
  SUMMARY_FIRST_SLOT,
  SUMMARY_HELD,
  SUMMARY_HELD_SLOTS,
  SUMMARY_LAST,
  SUMMARY_LAST_SLOT,
  SUMMARY_MEAN,
  SUMMARY_SUM,
  WANTS_ENDS,
  WANTS_HELD,
  WANTS_SQUARES,
  WINDOW_SLOTS,
  WORD_BITMAP,
} from '../layout';
import { decodeBlockRange } from './decode';
import { blockAt, blockCount, blockEnd, firstOverlap, headEnd } from './directory';
import { addBlockMoments, addValueMoments, resetMoments, storeMoments } from './moments';
import { firstPresent, lastPresent, valueOfSlot } from './present';
import {
  addBlockStatistics,
  addPartStatistics,
  addStatistics,
  countedSamples,
  resetStatistics,
  storeStatistics,
} from './statistics';

// The first and the newest sample so far; no slot is before 0.
let firstSlot: i64 = -1;
let firstValue: f64 = 0;
let newestSlot: i64 = -1;
let newestValue: f64 = 0;
/** Block that the newest value is still to be read from, 0 = it is known; and its slot there. */
let newestBlock: u32 = 0;
let newestIndex: i32 = 0;
// What samples hold behind their own slot, where that is wanted.
let holds: bool = false;
let heldOver: f64 = 0;
let heldOverRest: f64 = 0;
let heldOverSlots: f64 = 0;

function reset(wanted: i32): void {
  resetStatistics();
  resetMoments();
  holds = (wanted & WANTS_HELD) != 0;
  firstSlot = -1;
  newestSlot = -1;
  newestBlock = 0;
  heldOver = 0;
  heldOverRest = 0;
  heldOverSlots = 0;
}

// @ts-ignore: decorator
@inline
function readNewest(work: u32): void {
  if (!newestBlock) return;
  newestValue = valueOfSlot(newestBlock, newestIndex, work);
  newestBlock = 0;
}

/** The newest sample holds over the slots before `slot` in which there is none. */
// @ts-ignore: decorator
@inline
function holdUntil(slot: i64, work: u32): void {
  if (!holds || newestSlot < 0 || slot - newestSlot < 2) return;
  readNewest(work);
  const slots = <f64>min<i64>(slot - newestSlot - 1, HOLD_SLOTS - 1);
  const added = newestValue * slots;
  const total = heldOver + added;
  const back = total - heldOver;
  heldOverRest += heldOver - (total - back) + (added - back);
  heldOver = total;
  heldOverSlots += slots;
}

/** Samples without a gap from `first` on to `last`, slots of a block; `start` is that of the block. */
function addRun(block: u32, start: i64, first: i32, last: i32, work: u32): void {
  holdUntil(start + first, work);
  if (firstSlot < 0) {
    firstSlot = start + first;
    firstValue = valueOfSlot(block, first, work);
  }
  newestSlot = start + last;
  newestBlock = block;
  newestIndex = last;
}

/** `count` Float64 from slot `slot` on, NaN = missing. */
function addScattered(values: u32, slot: i64, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const value = load<f64>(values + (i << 3));
    if (value != value) continue;
    // The newest value was read before: no work area is needed.
    holdUntil(slot + i, 0);
    if (firstSlot < 0) {
      firstSlot = slot + i;
      firstValue = value;
    }
    newestSlot = slot + i;
    newestValue = value;
  }
}

/** The same without a missing one. */
function addGapless(values: u32, slot: i64, count: u32): void {
  addScattered(values, slot, 1);
  newestSlot = slot + count - 1;
  newestValue = load<f64>(values + ((count - 1) << 3));
}

/** Of slots `first` … `until` of a block, what is not in its header. */
function addBeyondHeader(block: u32, first: i32, until: i32, wanted: i32, work: u32): void {
  const start = <i64>load<u32>(block + BLOCK_START);
  if (wanted & (WANTS_ENDS | WANTS_HELD)) {
    if (!(load<u32>(block + BLOCK_WORD) & WORD_BITMAP)) addRun(block, start, first, until - 1, work);
    else if (!(wanted & WANTS_HELD)) {
      const last = lastPresent(block, first, until);
      // Gaps in between matter to nobody here.
      if (last >= 0) addRun(block, start, firstPresent(block, first, until), last, work);
    } else {
      readNewest(work);
      decodeBlockRange(block, first, until, work);
      addScattered(work, start + first, until - first);
      if (wanted & WANTS_SQUARES) addValueMoments(work, until - first);
      return;
    }
  }
  if (wanted & WANTS_SQUARES) addBlockMoments(block, first, until, work);
}

/** Slots `from` … `until` of a series, block by block. */
// @ts-ignore: decorator
@inline
function addSlots(series: u32, from: u32, until: u32, wanted: i32, work: u32): void {
  const blocks = blockCount(series);
  for (let index = firstOverlap(series, from); index < blocks; index++) {
    const block = blockAt(series, index);
    const start = load<u32>(block + BLOCK_START);
    if (start >= until) break;
    const end = blockEnd(block);
    const first = max(start, from) - start;
    const last = min(end, until) - start;
    if (start >= from && end <= until) addBlockStatistics(block);
    else addPartStatistics(block, first, last, work);
    if (wanted) addBeyondHeader(block, first, last, wanted, work);
  }
  const head = load<u32>(series + SERIES_HEAD);
  if (!head) return;
  const headSlot = load<u32>(series + SERIES_HEAD_SLOT);
  const first = max<u32>(headSlot, from);
  const last = min<u32>(headEnd(series), until);
  if (first >= last) return;
  const values = head + ((first - headSlot) << 3);
  addStatistics(values, last - first);
  if (wanted & WANTS_SQUARES) addValueMoments(values, last - first);
  if (wanted & (WANTS_ENDS | WANTS_HELD)) {
    readNewest(work);
    addScattered(values, first, last - first);
  }
}

/** See exports/statistics.ts. */
export function seriesStatistics(series: u32, from: u32, count: u32, out: u32, work: u32): void {
  resetStatistics();
  addSlots(series, from, from + count, 0, work);
  storeStatistics(out);
}

/** See exports/statistics.ts. */
export function summarizeSeries(
  series: u32,
  from: u32,
  count: u32,
  wanted: i32,
  out: u32,
  work: u32,
): void {
  reset(wanted);
  addSlots(series, from, from + count, wanted, work);
  finish(<i64>from + count, wanted, out, work);
}

/** See exports/statistics.ts. */
export function summarizeValues(
  values: u32,
  from: u32,
  count: u32,
  wanted: i32,
  out: u32,
): void {
  reset(wanted);
  // In parts that stay in the cache.
  for (let done: u32 = 0; done < count; done += WINDOW_SLOTS) {
    const at = values + (done << 3);
    const part = min<u32>(WINDOW_SLOTS, count - done);
    const before = countedSamples();
    addStatistics(at, part);
    if (wanted & WANTS_SQUARES) addValueMoments(at, part);
    if (!(wanted & (WANTS_ENDS | WANTS_HELD))) continue;
    if (countedSamples() - before == <f64>part) addGapless(at, <i64>from + done, part);
    else addScattered(at, <i64>from + done, part);
  }
  finish(<i64>from + count, wanted, out, 0);
}

function finish(until: i64, wanted: i32, out: u32, work: u32): void {
  const missing = f64x2.splat(NaN);
  storeStatistics(out + SUMMARY_COUNT);
  if (wanted & WANTS_SQUARES) storeMoments(out);
  else v128.store(out + SUMMARY_MEAN, missing);
  const isEmpty = countedSamples() == 0;
  if (!(wanted & WANTS_ENDS) || isEmpty) {
    v128.store(out + SUMMARY_FIRST, missing);
    v128.store(out + SUMMARY_LAST, missing);
  } else {
    readNewest(work);
    store<f64>(out + SUMMARY_FIRST, firstValue);
    store<f64>(out + SUMMARY_FIRST_SLOT, <f64>firstSlot);
    store<f64>(out + SUMMARY_LAST, newestValue);
    store<f64>(out + SUMMARY_LAST_SLOT, <f64>newestSlot);
  }
  if (!(wanted & WANTS_HELD) || isEmpty) {
    v128.store(out + SUMMARY_HELD, missing);
    return;
  }
  holdUntil(until, work);
  const sum = load<f64>(out + SUMMARY_SUM);
  store<f64>(out + SUMMARY_HELD, sum + (heldOver + heldOverRest));
  store<f64>(out + SUMMARY_HELD_SLOTS, countedSamples() + heldOverSlots);
}
