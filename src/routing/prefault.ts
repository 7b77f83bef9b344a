import { HEAP_BASE, HEAP_END_MAX, HEAP_PAGE_BYTES } from '../../workers/kernel/layout.js';

/** Pages of WebAssembly. */
const PAGE_BYTES = 65_536;
/** Of the system; where they are larger, some are touched more than once. */
const SYSTEM_PAGE_BYTES = 4096;
const WORD_BYTES = 4;
/** The front has other things to do as well. */
const TURN_MS = 2;

/**
 * Has the system give memory for `heapBytes` of a shard's heap, in turns, while the shard restores what
 * comes to lie there: to be given a page takes longer than to fill it. It goes from the end down, as the shard
 * goes up from the start, and ends where they meet, or when `isOver`. Whatever the shard has written stays.
 */
export function prefault(
  memory: WebAssembly.Memory,
  heapBytes: number,
  isOver: () => boolean,
): void {
  const end = Math.min(HEAP_BASE + heapBytes, HEAP_END_MAX) & -HEAP_PAGE_BYTES;
  let page = end >>> 0;
  if (!growTo(memory, page)) return;
  const words = new Int32Array(memory.buffer);
  const turn = (): void => {
    const began = performance.now();
    while (performance.now() - began < TURN_MS) {
      page -= HEAP_PAGE_BYTES;
      if (page < HEAP_BASE || isOver() || isTaken(words, page)) return;
    }
    setImmediate(turn);
  };
  turn();
}

/** False: it can not be had, which the shard will tell if it needs it. */
function growTo(memory: WebAssembly.Memory, end: number): boolean {
  const missing = end - memory.buffer.byteLength;
  try {
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
    return true;
  } catch {
    return false;
  }
}

/**
 * Touches a page of the heap. True: the shard has it, and begins it with something that is not 0. Other atomic
 * operations of V8 that keep what is there read it first. Then a page is mapped twice: to zeros that all processes
 * share, and to memory, for which each other core has to be interrupted. That takes ten times as long.
 */
function isTaken(words: Int32Array, page: number): boolean {
  for (let at = SYSTEM_PAGE_BYTES; at < HEAP_PAGE_BYTES; at += SYSTEM_PAGE_BYTES) {
    Atomics.compareExchange(words, (page + at) / WORD_BYTES, 0, 0);
  }
  return Atomics.compareExchange(words, page / WORD_BYTES, 0, 0) !== 0;
}
