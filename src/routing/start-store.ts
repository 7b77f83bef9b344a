import type { Limits, StoreConfig } from '../config/config.js';
import type { Logger } from '../model/logger.js';
import { NONE_IN_USE, type HostsInUse } from '../protocol/hosts-in-use.js';
import { ShardClient } from './shard-client.js';
import { ShardSet } from './shard-set.js';
import { StorePlace } from './store-place.js';

/** A start that has little to restore is waited for, so that the first client finds it ready. */
const START_WAIT_MS = 5000;
/** One that has more is not, so that `/ready` tells how far it is. */
const LITTLE_BYTES = 64 * 1024 * 1024;
const LITTLE_WAIT_MS = 500;
const LOOK_MS = 50;

/** The store over shards that have begun to start. */
export interface BegunStore {
  readonly store: ShardSet;
  /** Resolves soon: shards that have much to restore serve when they are through. */
  readonly started: Promise<void>;
}

/** Begins to start all shards. Throws DataFolderError. */
export function beginStore(
  config: StoreConfig,
  limits: Limits,
  log: Logger,
  hostsInUse: HostsInUse = NONE_IN_USE,
): BegunStore {
  // Changed in place when the configuration is: who holds it reads it when it is needed.
  const store = { ...config };
  const place = StorePlace.take(store, log);
  const foldersOf = place && ((index: number) => () => place.foldersOf(index));
  const shards = Array.from(
    { length: store.shardCount },
    (_, index) => new ShardClient(index, store, limits, log, foldersOf?.(index)),
  );
  const set = new ShardSet(shards, store, limits, place, log);
  set.setHostsInUse(hostsInUse);
  const started = startShards(shards, place);
  started.catch((error: Error) => log.error({ error: error.message }, 'shards did not start'));
  return { store: set, started: Promise.race([started, hasWaited(shards, place)]) };
}

/** The same, and waits. Rejects with DataFolderError. */
export async function startStore(...begin: Parameters<typeof beginStore>): Promise<ShardSet> {
  const { store, started } = beginStore(...begin);
  await started;
  return store;
}

/** Resolves when a start has been waited for long enough. */
async function hasWaited(
  shards: readonly ShardClient[],
  place: StorePlace | undefined,
): Promise<void> {
  const began = performance.now();
  const isLong = (): boolean =>
    place?.mirror?.status().state === 'downloading' || bytesToRestore(shards) > LITTLE_BYTES;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS).unref());
    const waitedMs = performance.now() - began;
    if (waitedMs > START_WAIT_MS || (waitedMs > LITTLE_WAIT_MS && isLong())) return;
  }
}

function bytesToRestore(shards: readonly ShardClient[]): number {
  return shards.reduce((sum, shard) => {
    const counters = shard.counters();
    return sum + (counters['restore_bytes_current'] ?? 0) + (counters['import_bytes_current'] ?? 0);
  }, 0);
}

async function startShards(
  shards: readonly ShardClient[],
  place: StorePlace | undefined,
): Promise<void> {
  await place?.fill();
  // Not before: a checkpoint of a move or an import would find nobody to copy it.
  place?.mirror?.start(() => shards.map(checkpointMark).join());
  await Promise.all(
    shards.map((shard) => shard.start(place && (() => place.beforeReady(shard, shards)))),
  );
}

/** Another text when a shard has saved something. */
function checkpointMark(shard: ShardClient): string {
  return `${shard.restarts}:${shard.ready}:${shard.counters()['checkpoints_total']}`;
}
