// Memory of the heap: pages of 16 KiB, each cut into pieces of one size. A page whose pieces are
// all free returns to the pool and may serve another size, so that series which seal in step do
// not leave a free list behind for every size their blocks went through.
import { ALLOC_TABLE, HEAP_END_MAX, HEAP_PAGE_BYTES, STATE_BASE } from '../layout';

const PAGE_BYTES: u32 = HEAP_PAGE_BYTES;
const PAGE_MASK: u32 = ~(PAGE_BYTES - 1);
const PAGE_HEADER_BYTES: u32 = 64;
/** WebAssembly pages (64 KiB) asked for at once: growing costs a system call and new views in TypeScript. */
const GROW_PAGES: i32 = 64;
/** Bytes behind the last page that are there as well: what lies in it is read 16 bytes at a time, beyond its end. */
const READ_BEHIND_BYTES: u32 = 64;
/** Largest piece; anything larger takes a run of whole pages. */
const PIECE_BYTES_MAX: u32 = 4096;
/** Classes of prefix entries lie behind those of all else: their pages never change their use. */
const PINNED_CLASS: u32 = 257;
/** Behind them those of runs of 2^order pages: the lists are of free runs. */
const RUN_CLASS: u32 = 512;

// Page header.
const PAGE_SIZE: u32 = 0; // bytes of a piece
const PAGE_USED: u32 = 4; // pieces in use
const PAGE_FREE: u32 = 8; // first freed piece
const PAGE_FRESH: u32 = 12; // offset of the first piece never used
const PAGE_NEXT: u32 = 16; // neighbours in the list of pages with room
const PAGE_PREVIOUS: u32 = 20;
const PAGE_CLASS: u32 = 24;

/** The heap begins behind what memory there is, which the fixed regions are in. */
const HEAP_START: u32 = <u32>memory.size() << 16;
let heapEnd: u32 = HEAP_START;
let pool: u32 = 0;
let pagesInUse: u32 = 0;
let bytesLive: f64 = 0;
/** Pages kept back so that no allocation inside one line can fail. */
const PAGES_RESERVED: u32 = 64;

const ADDRESSABLE_PAGES: u32 = (HEAP_END_MAX - HEAP_START) / PAGE_BYTES;
/** With that many pages in use memory is low. */
let lowFromPages: u32 = ADDRESSABLE_PAGES + 1;

/** Sets the most pages this shard may use; 0 = as many as there are addresses. */
export function setPageBudget(pages: u32): void {
  lowFromPages = ADDRESSABLE_PAGES + 1;
  if (pages == 0) return;
  const least = pages < PAGES_RESERVED ? 0 : pages - PAGES_RESERVED + 1;
  lowFromPages = min(lowFromPages, least);
}
export function heapPagesInUse(): u32 {
  return pagesInUse;
}
/** Bytes of live pieces, without what pages have free. */
export function heapBytesLive(): f64 {
  return bytesLive;
}
/** True when what may still be taken could run out within a few lines. */
// @ts-ignore: decorator
@inline
export function memoryLow(): bool {
  return pagesInUse >= lowFromPages;
}

function takePage(): u32 {
  pagesInUse++;
  if (pool) {
    const page = pool;
    pool = load<u32>(page + PAGE_NEXT);
    return page;
  }
  return takePages(1);
}

/** Contiguous fresh pages, never returned. */
function takePages(count: u32): u32 {
  const start = heapEnd;
  const end = start + count * PAGE_BYTES;
  const have = <u32>memory.size();
  const need = (end + READ_BEHIND_BYTES + 65535) >> 16;
  if (need > have) {
    const more = <i32>max<u32>(need - have, GROW_PAGES);
    if (memory.grow(more) < 0) memory.grow(<i32>(need - have));
  }
  heapEnd = end;
  return start;
}

/** A table of whole pages. */
export function allocateTable(bytes: u32): u32 {
  const pages = bytes / PAGE_BYTES;
  pagesInUse += pages;
  return takePages(pages);
}

/** Gives a table back, page by page. */
export function releaseTable(table: u32, bytes: u32): void {
  for (let page = table; page < table + bytes; page += PAGE_BYTES) returnPage(page);
}

function returnPage(page: u32): void {
  store<u32>(page + PAGE_NEXT, pool);
  pool = page;
  pagesInUse--;
}

// @ts-ignore: decorator
@inline
function listHead(sizeClass: u32): u32 {
  return STATE_BASE + ALLOC_TABLE + (sizeClass << 2);
}

function link(page: u32, sizeClass: u32): void {
  const head = listHead(sizeClass);
  const next = load<u32>(head);
  store<u32>(page + PAGE_NEXT, next);
  store<u32>(page + PAGE_PREVIOUS, 0);
  if (next) store<u32>(next + PAGE_PREVIOUS, page);
  store<u32>(head, page);
}

function unlink(page: u32, sizeClass: u32): void {
  const next = load<u32>(page + PAGE_NEXT);
  const previous = load<u32>(page + PAGE_PREVIOUS);
  if (previous) store<u32>(previous + PAGE_NEXT, next);
  else store<u32>(listHead(sizeClass), next);
  if (next) store<u32>(next + PAGE_PREVIOUS, previous);
}

function allocateClass(bytes: u32, sizeClass: u32): u32 {
  let page = load<u32>(listHead(sizeClass));
  if (!page) {
    page = takePage();
    store<u32>(page + PAGE_SIZE, bytes);
    store<u32>(page + PAGE_USED, 0);
    store<u32>(page + PAGE_FREE, 0);
    store<u32>(page + PAGE_FRESH, PAGE_HEADER_BYTES);
    store<u32>(page + PAGE_CLASS, sizeClass);
    link(page, sizeClass);
  }
  store<u32>(page + PAGE_USED, load<u32>(page + PAGE_USED) + 1);
  bytesLive += <f64>bytes;
  let piece = load<u32>(page + PAGE_FREE);
  const fresh = load<u32>(page + PAGE_FRESH);
  if (piece) {
    store<u32>(page + PAGE_FREE, load<u32>(piece));
  } else {
    piece = page + fresh;
    store<u32>(page + PAGE_FRESH, fresh + bytes);
  }
  if (!load<u32>(page + PAGE_FREE) && load<u32>(page + PAGE_FRESH) + bytes > PAGE_BYTES) {
    unlink(page, sizeClass);
  }
  return piece;
}

/** A piece of at least `bytes`, 16-byte aligned; not cleared. */
export function allocate(bytes: u32): u32 {
  const rounded = (bytes + 15) & ~15;
  return rounded > PIECE_BYTES_MAX ? allocateRun(rounded) : allocateClass(rounded, rounded >> 4);
}

/** A run of pages by itself. Runs are rare (a directory of a thousand blocks): they stay runs. */
function allocateRun(bytes: u32): u32 {
  let order: u32 = 0;
  while (PAGE_BYTES << order < bytes + PAGE_HEADER_BYTES) order++;
  let page = load<u32>(listHead(RUN_CLASS + order));
  if (page) store<u32>(listHead(RUN_CLASS + order), load<u32>(page + PAGE_NEXT));
  else page = takePages(1 << order);
  store<u32>(page + PAGE_CLASS, RUN_CLASS + order);
  store<u32>(page + PAGE_SIZE, bytes);
  pagesInUse += 1 << order;
  bytesLive += <f64>bytes;
  return page + PAGE_HEADER_BYTES;
}

function releaseRun(page: u32, sizeClass: u32): void {
  pagesInUse -= 1 << (sizeClass - RUN_CLASS);
  bytesLive -= <f64>load<u32>(page + PAGE_SIZE);
  store<u32>(page + PAGE_NEXT, load<u32>(listHead(sizeClass)));
  store<u32>(listHead(sizeClass), page);
}

/** The same for prefix entries, 8-byte aligned; their pages serve nothing else ever after. */
export function allocatePinned(bytes: u32): u32 {
  const rounded = (bytes + 7) & ~7;
  return allocateClass(rounded, PINNED_CLASS + (rounded >> 3));
}

/** Gives a piece back. */
export function release(piece: u32): void {
  const page = piece & PAGE_MASK;
  const sizeClass = load<u32>(page + PAGE_CLASS);
  if (sizeClass >= RUN_CLASS) {
    releaseRun(page, sizeClass);
    return;
  }
  const bytes = load<u32>(page + PAGE_SIZE);
  const wasFull = !load<u32>(page + PAGE_FREE) && load<u32>(page + PAGE_FRESH) + bytes > PAGE_BYTES;
  store<u32>(piece, load<u32>(page + PAGE_FREE));
  store<u32>(page + PAGE_FREE, piece);
  const used = load<u32>(page + PAGE_USED) - 1;
  store<u32>(page + PAGE_USED, used);
  bytesLive -= <f64>bytes;
  if (wasFull) link(page, sizeClass);
  if (used == 0 && sizeClass < PINNED_CLASS) {
    unlink(page, sizeClass);
    returnPage(page);
  }
}
