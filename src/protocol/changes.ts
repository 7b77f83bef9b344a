import {
  ARCHIVED_BEFORE_SEC,
  CHANGES_COUNT,
  CHANGES_SEC,
  CHANGES_TABLE,
  FREED_BEFORE_SEC,
  FREED_COUNT,
  STATE_BASE,
} from '../../workers/kernel/layout.js';

/** Collectors send their samples sooner than this: what is older changes by late ones only. */
export const SETTLED_AFTER_SEC = 120;

/**
 * How often something late was written to the time between two seconds; it wraps. `words` is a view of a
 * shard's memory by address / 4.
 */
export function changesBetween(words: Uint32Array, firstSec: number, lastSec: number): number {
  const table = (STATE_BASE + CHANGES_TABLE) >>> 2;
  const first = Math.floor(firstSec / CHANGES_SEC);
  const last = Math.min(Math.floor(lastSec / CHANGES_SEC), first + CHANGES_COUNT - 1);
  let changes = 0;
  for (let i = first; i <= last; i++) {
    changes = (changes + words[table + (i % CHANGES_COUNT)]!) >>> 0;
  }
  return changes;
}

/** How often samples were freed, as far as that can concern a range from `fromSec` on. */
export function freesSince(words: Uint32Array, fromSec: number): number {
  const before = words[(STATE_BASE + FREED_BEFORE_SEC) >>> 2]!;
  return fromSec < before ? words[(STATE_BASE + FREED_COUNT) >>> 2]! : 0;
}

/** The second before which all is that a shard has archived; 0 = nothing was. */
export function archivedBefore(memory: WebAssembly.Memory): number {
  return Atomics.load(new Uint32Array(memory.buffer), (STATE_BASE + ARCHIVED_BEFORE_SEC) >>> 2);
}
