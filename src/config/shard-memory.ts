import { HEAP_BASE, HEAP_END_MAX } from '../../workers/kernel/layout.js';
import type { StoreConfig } from './config.js';

/** What a shard has for samples, of the 4 GiB that a memory of WebAssembly can have. */
export const SHARD_MEMORY_BYTES_MAX = HEAP_END_MAX - HEAP_BASE;

type Settings = Pick<StoreConfig, 'memoryCapBytes' | 'shardCount'>;

/** Whether it is `memory-cap` that bounds a shard's memory, and not what a shard can have. */
export function isCapped({ memoryCapBytes, shardCount }: Settings): boolean {
  return memoryCapBytes > 0 && memoryCapBytes / shardCount <= SHARD_MEMORY_BYTES_MAX;
}

/** Tells of a cap that is never reached. */
export function memoryCapWarnings(store: Settings): string[] {
  const { memoryCapBytes, shardCount } = store;
  if (memoryCapBytes === 0 || isCapped(store)) return [];
  const gb = (bytes: number): string => (bytes / 1e9).toFixed(1);
  const shards = Math.ceil(memoryCapBytes / SHARD_MEMORY_BYTES_MAX);
  const have = `${gb(shardCount * SHARD_MEMORY_BYTES_MAX)} GB that ${shardCount} shard(s) can have`;
  return [
    `metric-store.memory-cap is ${gb(memoryCapBytes)} GB, more than the ${have}: ` +
      `set metricshard.shards to ${shards} or more`,
  ];
}
