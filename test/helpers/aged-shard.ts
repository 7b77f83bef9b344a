const PAGE_BYTES = 65536;
/** A heap that begins there goes beyond 2 GiB soon: addresses that a signed 32-bit integer does not hold. */
export const HIGH_HEAP_BASE = 2 ** 31 - 2 ** 18;

/** Environment of a store whose shards have such memories. */
export function highHeapEnv(heapBase = HIGH_HEAP_BASE): Record<string, string> {
  const preload = new URL('./high-heap-preload.js', import.meta.url).href;
  return { NODE_OPTIONS: `--import ${preload}`, TEST_HEAP_BASE: String(heapBase) };
}

/** A shard's memory as after 1.6 GiB of data: the heap begins behind what memory there is. */
export function createHighMemory(heapBase = HIGH_HEAP_BASE): WebAssembly.Memory {
  const initial = heapBase / PAGE_BYTES;
  return new WebAssembly.Memory({ shared: true, initial, maximum: 65536 });
}
