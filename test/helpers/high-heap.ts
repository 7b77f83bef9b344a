const PAGE_BYTES = 65536;
/** A heap that begins there goes beyond 2 GiB soon: addresses that a signed 32-bit integer does not hold. */
const HIGH_HEAP_BASE = 2 ** 31 - 2 ** 18;

/** Options of Node that give a store's shards such memories. */
export const HIGH_HEAP_OPTIONS = `--import ${new URL('./high-heap-preload.js', import.meta.url).href}`;

/** A shard's memory as after 1.6 GiB of data: the heap begins behind what memory there is. */
export function createHighMemory(): WebAssembly.Memory {
  const initial = HIGH_HEAP_BASE / PAGE_BYTES;
  return new WebAssembly.Memory({ shared: true, initial, maximum: 65536 });
}
