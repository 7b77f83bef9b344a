import type { FoundHost } from '../migration/checkpoint-directory.js';
import { hashHost } from '../model/hash.js';
import type { Logger } from '../model/logger.js';
import type { DataFolder } from './data-folder.js';
import type { ReferenceImport } from './reference-import.js';
import type { ShardClient } from './shard-client.js';

/**
 * What all shards have to have saved before any of them serves: data of another epoch, and
 * what is imported from cc-metric-store. A shard that dies before that begins anew with it; later all
 * of it is in the shards' own checkpoints.
 */
export class FirstStart {
  readonly #folder: DataFolder;
  readonly #reference: ReferenceImport;
  readonly #log: Logger;
  readonly #shardCount: number;
  readonly #savedShards = new Set<number>();
  readonly #allSaved: Promise<void>;
  #resolveAll!: () => void;

  constructor(folder: DataFolder, reference: ReferenceImport, shardCount: number, log: Logger) {
    this.#folder = folder;
    this.#reference = reference;
    this.#shardCount = shardCount;
    this.#log = log;
    this.#allSaved = new Promise((resolve) => (this.#resolveAll = resolve));
    if (!folder.isMoving) return;
    const { oldShardCount } = folder;
    const move =
      oldShardCount === shardCount
        ? 'series are numbered anew, and data moves to new files'
        : `data of ${oldShardCount} shard(s) moves to ${shardCount}`;
    log.info({}, `${move}; it stays where it is until that is done`);
  }

  /** Hosts that a shard has to import, if it starts now. */
  importsOf(shard: number): FoundHost[] {
    return this.#reference.hosts.filter(
      ({ cluster, host }) => hashHost(cluster, host) % this.#shardCount === shard,
    );
  }

  /** Called when a shard has restored and imported; resolves when all of them have saved that. */
  async beforeReady(shard: ShardClient, all: readonly ShardClient[]): Promise<void> {
    if (!this.#folder.isMoving && this.#reference.hosts.length === 0) return;
    await shard.runUnready('checkpoint');
    if (this.#isLast(shard.index)) {
      this.#reference.done(all.flatMap(({ imported }) => imported ?? []));
      this.#resolveAll();
    }
    await this.#allSaved;
  }

  #isLast(shard: number): boolean {
    if (!this.#folder.isMoving) {
      return this.#savedShards.add(shard).size === this.#shardCount;
    }
    const isLast = this.#folder.saved(shard);
    if (isLast) this.#log.info({}, 'data has moved');
    return isLast;
  }
}
