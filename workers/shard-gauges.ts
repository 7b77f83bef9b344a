import type { Counters } from '../src/protocol/counters.js';
import type { Engine } from './engine/engine.js';
import type { Kernel } from './kernel/kernel.js';
import { HEAP_PAGE_BYTES } from './kernel/layout.js';

/** Tells in shared memory how much there is of what is not counted as it changes. */
export function setGauges(counters: Counters, engine: Engine, kernel: Kernel): void {
  const { hits = 0, misses = 0, bytes = 0 } = engine.aggregateCache ?? {};
  counters.set('aggregate_cache_hits_total', hits);
  counters.set('aggregate_cache_misses_total', misses);
  counters.set('aggregate_cache_bytes_current', bytes);
  counters.set('prefixes_current', kernel.prefixCount());
  counters.set('prefix_evictions_total', kernel.prefixEvictions());
  counters.set('heap_bytes_current', kernel.heapPagesInUse() * HEAP_PAGE_BYTES);
  counters.set('heap_live_bytes_current', kernel.heapBytesLive());
  counters.set('series_current', engine.seriesCount);
  counters.set('levels_current', engine.levelCount);
}
