// The blocks of a series, sorted by their first slot.
import {
  BLOCK_ADDRESS_MASK,
  BLOCK_START,
  BLOCK_WORD,
  HEAD_SLOTS,
  SERIES_BLOCKS,
  SERIES_BLOCK_CAPACITY,
  SERIES_BLOCK_COUNT,
  SERIES_HEAD_SLOT,
  SERIES_LAST_SLOT,
} from '../layout';
import { allocate, release } from './alloc';
import { wordSlots } from './block-fields';

// @ts-ignore: decorator
@inline
export function blockCount(series: u32): i32 {
  return <i32>load<u16>(series + SERIES_BLOCK_COUNT);
}

// @ts-ignore: decorator
@inline
export function blockAt(series: u32, index: i32): u32 {
  return load<u32>(load<u32>(series + SERIES_BLOCKS) + (index << 2)) & BLOCK_ADDRESS_MASK;
}

/** The slot behind a block's last one. */
// @ts-ignore: decorator
@inline
export function blockEnd(block: u32): u32 {
  return load<u32>(block + BLOCK_START) + wordSlots(load<u32>(block + BLOCK_WORD));
}

/** The slot behind the newest one of a series that has a head: behind it the head is empty. */
// @ts-ignore: decorator
@inline
export function headEnd(series: u32): u32 {
  return min<u32>(
    load<u32>(series + SERIES_HEAD_SLOT) + HEAD_SLOTS,
    load<u32>(series + SERIES_LAST_SLOT) + 1,
  );
}

/** Directory index of the first block that starts at or after `slot`. */
export function firstBlockFrom(series: u32, slot: u32): i32 {
  const list = load<u32>(series + SERIES_BLOCKS);
  let low: i32 = 0;
  let high: i32 = blockCount(series);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<u32>((load<u32>(list + (middle << 2)) & BLOCK_ADDRESS_MASK) + BLOCK_START) < slot) {
      low = middle + 1;
    } else high = middle;
  }
  return low;
}

/** Directory index of the first block that reaches into or behind `from`. */
// @ts-ignore: decorator
@inline
export function firstOverlap(series: u32, from: u32): i32 {
  const index = firstBlockFrom(series, from);
  return index > 0 && blockEnd(blockAt(series, index - 1)) > from ? index - 1 : index;
}

/** Puts a block in the place of the one at `index`, which is released. */
export function replaceBlock(series: u32, index: i32, block: u32): void {
  release(blockAt(series, index));
  store<u32>(load<u32>(series + SERIES_BLOCKS) + (index << 2), block);
}

/** Its count is 16 bits: past it, which only a store that forgets nothing reaches, the oldest goes. */
const BLOCKS_MAX: i32 = 65535;

export function insertBlock(series: u32, position: i32, block: u32): void {
  let index = position;
  if (blockCount(series) == BLOCKS_MAX) {
    removeBlock(series, 0);
    index = max(index - 1, 0);
  }
  const count = <u32>load<u16>(series + SERIES_BLOCK_COUNT);
  const capacity = <u32>load<u16>(series + SERIES_BLOCK_CAPACITY);
  let list = load<u32>(series + SERIES_BLOCKS);
  if (count == capacity) {
    const grown = capacity == 0 ? 4 : capacity + max<u32>(4, capacity >> 1 & ~3);
    const moved = allocate(grown << 2);
    if (list) {
      memory.copy(moved, list, count << 2);
      release(list);
    }
    list = moved;
    store<u32>(series + SERIES_BLOCKS, list);
    store<u16>(series + SERIES_BLOCK_CAPACITY, <u16>grown);
  }
  const at = list + (index << 2);
  memory.copy(at + 4, at, (count - index) << 2);
  store<u32>(at, block);
  store<u16>(series + SERIES_BLOCK_COUNT, <u16>(count + 1));
}

export function removeBlock(series: u32, index: i32): void {
  const count = <u32>load<u16>(series + SERIES_BLOCK_COUNT);
  release(blockAt(series, index));
  const at = load<u32>(series + SERIES_BLOCKS) + (index << 2);
  memory.copy(at, at + 4, (count - index - 1) << 2);
  store<u16>(series + SERIES_BLOCK_COUNT, <u16>(count - 1));
}
