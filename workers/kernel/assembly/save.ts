// Checkpoints: what of a series has to be written. Formats: ../../checkpoint/FORMAT.md.
import {
  BLOCK_ADDRESS_MASK,
  BLOCK_BYTES_MAX,
  BLOCK_FLAG_SAVED,
  BLOCK_FLAG_SAVING,
  BLOCK_START,
  BLOCK_WORD,
  HEAD_SLOTS,
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
  SERIES_BLOCKS,
  SERIES_COUNT,
  SERIES_EXPONENT,
  SERIES_FREED_AT,
  SERIES_FREED_SLOT,
  SERIES_HEAD,
  SERIES_HEAD_SLOT,
  SERIES_ID,
  SERIES_LAST_SLOT,
  SERIES_LAST_TIME,
  SERIES_METRIC,
  SERIES_NEXT_LOW,
  SERIES_NEXT_SPAN,
} from '../layout';
import { blockBytes, wordSlots } from './block-fields';
import { copyRounded } from './copy';
import { blockAt, blockCount, firstBlockFrom } from './directory';
import { encodeBlock } from './encode';
import { checkpointBegun } from './series';
import { saveBlock } from './short-block';
import { windowStart } from './window';

/** How many blocks of a series are complete: all but the one that its head will join. */
function completeBlocks(series: u32): i32 {
  if (!load<u32>(series + SERIES_HEAD)) return blockCount(series);
  return firstBlockFrom(series, windowStart(series, load<u32>(series + SERIES_HEAD_SLOT)));
}

/**
 * Writes the state of a series, its head and its growing block to `out`, which has room for
 * SAVED_BYTES and two blocks; returns the address behind.
 */
export function saveSeries(series: u32, out: u32): u32 {
  store<u32>(out + SAVED_ID, load<u32>(series + SERIES_ID));
  store<u16>(out + SAVED_METRIC, load<u16>(series + SERIES_METRIC));
  store<u8>(out + SAVED_EXPONENT, load<u8>(series + SERIES_EXPONENT));
  store<u32>(out + SAVED_LAST_SLOT, load<u32>(series + SERIES_LAST_SLOT));
  store<u32>(out + SAVED_NEXT_LOW, load<u32>(series + SERIES_NEXT_LOW));
  store<u32>(out + SAVED_NEXT_SPAN, load<u32>(series + SERIES_NEXT_SPAN));
  store<u32>(out + SAVED_LAST_TIME, load<u32>(series + SERIES_LAST_TIME));
  store<u32>(out + SAVED_COUNT, load<u32>(series + SERIES_COUNT));
  // What was freed since this checkpoint began is not in it, but what came late since then is.
  const freedAt = min<u32>(load<u32>(series + SERIES_FREED_AT), checkpointBegun - 1);
  store<u32>(series + SERIES_FREED_AT, freedAt);
  store<u32>(out + SAVED_FREED_AT, freedAt);
  store<u32>(out + SAVED_FREED_SLOT, load<u32>(series + SERIES_FREED_SLOT));
  const headSlot = load<u32>(series + SERIES_HEAD_SLOT);
  store<u32>(out + SAVED_HEAD_SLOT, headSlot);
  store<u32>(out + 44, 0);
  let at = out + SAVED_BYTES;
  let parts: u32 = 0;
  const head = load<u32>(series + SERIES_HEAD);
  if (head) {
    const bytes = saveHead(head, headSlot, <i32>load<u8>(series + SERIES_EXPONENT), at);
    if (bytes) parts |= SAVED_HEAD;
    at += bytes;
    const growing = completeBlocks(series);
    if (growing < blockCount(series)) {
      const block = blockAt(series, growing);
      const size = blockBytes(block);
      copyRounded(at, block, size);
      at += size;
      parts |= SAVED_GROWING;
    }
  }
  store<u8>(out + SAVED_BLOCKS, <u8>parts);
  store<u32>(out + SAVED_SIZE, at - out);
  return at;
}

/** The samples of a head as a block; returns its bytes, 0 if there is none. */
function saveHead(head: u32, headSlot: u32, exponent: i32, out: u32): u32 {
  let from: u32 = 0;
  let until: u32 = HEAD_SLOTS;
  while (from < until && isNaN(load<f64>(head + (from << 3)))) from++;
  while (until > from && isNaN(load<f64>(head + ((until - 1) << 3)))) until--;
  if (from == until) return 0;
  return encodeBlock(head + (from << 3), until - from, headSlot + from, exponent, out);
}

/**
 * Writes complete blocks that no checkpoint has yet (`all`: whether or not one has) to `out`, as many as fit in
 * front of `end`, and marks them; returns the address behind, `out` itself if there are none. Called until it gives
 * none.
 */
export function saveBlocks(series: u32, all: bool, out: u32, end: u32): u32 {
  const done: u32 = all ? BLOCK_FLAG_SAVING : BLOCK_FLAG_SAVED | BLOCK_FLAG_SAVING;
  const count = completeBlocks(series);
  const list = load<u32>(series + SERIES_BLOCKS);
  let at = out + SAVED_RUN_BYTES;
  let next: u32 = 0;
  for (let i = 0; i < count; i++) {
    const entry = load<u32>(list + (i << 2));
    if (entry & done) continue;
    if (at + BLOCK_BYTES_MAX > end) break;
    const block = entry & BLOCK_ADDRESS_MASK;
    const start = load<u32>(block + BLOCK_START);
    if (at == out + SAVED_RUN_BYTES) {
      store<u32>(out + SAVED_RUN_START, start);
      next = start;
    }
    at = saveBlock(block, next, at);
    next = start + wordSlots(load<u32>(block + BLOCK_WORD));
    store<u32>(list + (i << 2), entry | BLOCK_FLAG_SAVING);
  }
  if (at == out + SAVED_RUN_BYTES) return out;
  store<u32>(out + SAVED_RUN_ID, load<u32>(series + SERIES_ID));
  store<u32>(out + SAVED_RUN_SIZE, at - out - SAVED_RUN_BYTES);
  return at;
}

/** The checkpoint that has the marked blocks is published (`isSaved`), or failed. */
export function settleBlocks(series: u32, isSaved: bool): void {
  const count = blockCount(series);
  const list = load<u32>(series + SERIES_BLOCKS);
  for (let i = 0; i < count; i++) {
    const at = list + (i << 2);
    const entry = load<u32>(at);
    if (!(entry & BLOCK_FLAG_SAVING)) continue;
    store<u32>(at, (entry & ~BLOCK_FLAG_SAVING) | (isSaved ? BLOCK_FLAG_SAVED : 0));
  }
}
