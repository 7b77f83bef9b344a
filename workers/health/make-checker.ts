import { hashHost } from '../../src/model/hash.js';
import type { FromShard, ShardStart } from '../../src/protocol/messages.js';
import type { Engine } from '../engine/engine.js';
import type { Kernel } from '../kernel/kernel.js';
import { HealthChecker } from './checker.js';

/** The checker of a shard, which tells the front what it finds. */
export function makeChecker(start: ShardStart, engine: Engine, kernel: Kernel): HealthChecker {
  const { memory, store, limits, shard, port } = start;
  const tell = (message: FromShard): void => port.postMessage(message);
  return new HealthChecker({
    engine,
    kernel,
    memory,
    store,
    limits,
    owns: (cluster, host) =>
      store.shardCount === 1 || hashHost(cluster, host) % store.shardCount === shard,
    report: (health) => tell({ health }),
    warn: (warning) => tell({ warning }),
  });
}
