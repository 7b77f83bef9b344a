import {
  CONTROL_ACKNOWLEDGED,
  CONTROL_BASE,
  CONTROL_BATCH_CONSUMED,
  CONTROL_PUBLISHED,
} from '../../workers/kernel/layout.js';

const PAGE_BYTES = 65536;
/** A heap that begins there goes beyond 2 GiB soon: addresses that a signed 32-bit integer does not hold. */
export const HIGH_HEAP_BASE = 2 ** 31 - 2 ** 18;
/** So many parts and batches, and their count is negative. */
const COUNTS_LEFT = 5;

/** Environment of a store whose shards have such memories. */
export function agedShardEnv(heapBase = HIGH_HEAP_BASE): Record<string, string> {
  const preload = new URL('./aged-shard-preload.js', import.meta.url).href;
  return { NODE_OPTIONS: `--import ${preload}`, TEST_HEAP_BASE: String(heapBase) };
}

/**
 * A shard's memory as after 1.6 GiB of data and two thousand million parts and batches of answers: the heap begins
 * behind what memory there is, and counts go on as they are.
 */
export function createAgedMemory(heapBase = HIGH_HEAP_BASE): WebAssembly.Memory {
  const initial = heapBase / PAGE_BYTES;
  const memory = new WebAssembly.Memory({ shared: true, initial, maximum: 65536 });
  const control = new Int32Array(memory.buffer, CONTROL_BASE, 256);
  for (const count of [CONTROL_PUBLISHED, CONTROL_ACKNOWLEDGED, CONTROL_BATCH_CONSUMED]) {
    control[count / 4] = 2 ** 31 - COUNTS_LEFT;
  }
  return memory;
}
