import { join } from 'node:path';
import type { StoreConfig } from '../config/config.js';
import type { Logger } from '../model/logger.js';
import { isS3 } from '../object-store/location.js';
import type { ShardFolders } from '../protocol/messages.js';
import { DataFolder, DataFolderError } from './data-folder.js';
import { FirstStart } from './first-start.js';
import { releaseFolder, takeFolder } from './folder-lock.js';
import { Mirror } from './mirror.js';
import { ReferenceImport } from './reference-import.js';
import type { ShardClient } from './shard-client.js';

/**
 * Where the store keeps its data: a folder, and its copy on S3 where that is set. The folder is taken at
 * once, and opened when it holds what it should.
 */
export class StorePlace {
  readonly mirror: Mirror | undefined;
  readonly #path: string;
  readonly #shardCount: number;
  readonly #log: Logger;
  #folder: DataFolder | undefined;
  #first: FirstStart | undefined;

  private constructor(path: string, shardCount: number, mirror: Mirror | undefined, log: Logger) {
    this.#path = path;
    this.#shardCount = shardCount;
    this.mirror = mirror;
    this.#log = log;
  }

  /** undefined: nothing is kept. Throws DataFolderError. */
  static take(store: StoreConfig, log: Logger): StorePlace | undefined {
    const { directory, localDirectory } = store.checkpoints;
    if (directory === '') return undefined;
    const path = isS3(directory)
      ? takeFolder(localDirectory, 'metricshard.local-directory')
      : takeFolder(directory);
    const mirror = isS3(directory) ? new Mirror(directory, path, store.s3, log) : undefined;
    const place = new StorePlace(path, store.shardCount, mirror, log);
    if (!mirror?.isDownloadNeeded) place.#open();
    return place;
  }

  /** Resolves when shards may start, which is at once unless data comes from S3. */
  async fill(): Promise<void> {
    if (this.#folder) return;
    await this.mirror?.download();
    this.#open();
  }

  /** Throws DataFolderError; the folder is nobody's then. */
  #open(): void {
    try {
      this.#folder = DataFolder.openTaken(this.#path, this.#shardCount);
      const reference = referenceIn(this.#path, this.#log);
      this.#first = new FirstStart(this.#folder, reference, this.#shardCount, this.#log);
    } catch (error) {
      this.release();
      throw error;
    }
  }

  /** For one start of a shard. */
  foldersOf(shard: number): ShardFolders {
    const folder = this.#folder!;
    return {
      ...folder.foldersOf(shard),
      json: join(folder.path, 'json'),
      imports: this.#first!.importsOf(shard),
    };
  }

  /** Called when a shard has restored; resolves when it may serve. */
  beforeReady(shard: ShardClient, all: readonly ShardClient[]): Promise<void> {
    return this.#first!.beforeReady(shard, all);
  }

  /** When the shards have ended. */
  async stop(): Promise<void> {
    await this.mirror?.stop();
    this.release();
  }

  release(): void {
    releaseFolder(this.#path);
  }
}

function referenceIn(path: string, log: Logger): ReferenceImport {
  try {
    return new ReferenceImport(path, log);
  } catch (error) {
    throw new DataFolderError(`cannot read ${path}: ${(error as Error).message}`);
  }
}
