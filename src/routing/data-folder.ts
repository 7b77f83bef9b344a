import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readManifest, type Manifest } from '../../workers/checkpoint/manifest.js';
import { SERIES_IDS_MAX } from '../../workers/kernel/layout.js';
import type { ShardFolders } from '../protocol/messages.js';
import { writeDurably } from '../storage/files.js';
import {
  parseStoreFile,
  shardFolder,
  STORE_FILE,
  storeFileText,
  type StoreFile,
} from '../storage/store-file.js';
import { asDataFolderError, DataFolderError, releaseFolder, takeFolder } from './folder-lock.js';

export { DataFolderError } from './folder-lock.js';

const EPOCH = /^epoch-\d+$/;

/** So many numbers of series are no matter: a start has 8 bytes for each. */
const SERIES_IDS_FEW = 1 << 20;
/** A shard that has given out so many times more than it has series is numbered anew, and one that nears the last. */
const SERIES_IDS_SHARE_MAX = 8;

/**
 * The folder that all shards keep their data in. One process has it at a time. With another number
 * of shards a new epoch begins: all shards are restored from the folders of the old one, which goes
 * when everything of it is in the new one. So it does when most of the numbers that series have had
 * belong to none any more, since all series get new ones there.
 */
export class DataFolder {
  readonly path: string;
  readonly #shardCount: number;
  readonly #epoch: number;
  readonly #id: string;
  #old: StoreFile | undefined;
  /** Shards that have everything they own in the new epoch. */
  readonly #savedShards = new Set<number>();

  private constructor(path: string, shardCount: number, file: StoreFile | undefined) {
    this.path = path;
    this.#shardCount = shardCount;
    const isOld = file && (file.shards !== shardCount || hasStaleIds(path, file));
    this.#old = isOld ? file : undefined;
    this.#epoch = file ? file.epoch + (this.#old ? 1 : 0) : 1;
    this.#id = file?.id ?? randomBytes(4).toString('hex');
    this.#removeOthers();
    if (!file) this.#publish();
    else if (file.id === undefined) this.#write({ ...file, id: this.#id });
  }

  /** Takes the folder, which is made if it is not there. Throws DataFolderError. */
  static open(directory: string, shardCount: number): DataFolder {
    const path = takeFolder(directory);
    try {
      return DataFolder.openTaken(path, shardCount);
    } catch (error) {
      releaseFolder(path);
      throw error;
    }
  }

  /** The same with a folder that this process has taken already. Throws DataFolderError. */
  static openTaken(path: string, shardCount: number): DataFolder {
    try {
      return new DataFolder(path, shardCount, readStoreFile(path));
    } catch (error) {
      throw asDataFolderError(error, path);
    }
  }

  /** Whether the shards are restored from folders of another number of shards. */
  get isMoving(): boolean {
    return this.#old !== undefined;
  }

  /** Shards before, where they are another number now. */
  get oldShardCount(): number {
    return this.#old?.shards ?? this.#shardCount;
  }

  /** For one start of a shard. While data moves, what an earlier one left is of no use. */
  foldersOf(shard: number): Omit<ShardFolders, 'imports' | 'json'> {
    const own = this.#folder(this.#epoch, shard);
    const aside = join(this.path, 'aside');
    const origin = `${this.#id}-${this.#epoch}-${shard}`;
    const old = this.#old;
    if (!old) return { own, sources: [own], aside, origin };
    this.#savedShards.delete(shard);
    rmSync(own, { recursive: true, force: true });
    const sources = Array.from({ length: old.shards }, (_, i) => this.#folder(old.epoch, i));
    return { own, sources, aside, origin };
  }

  /** A shard has all in the new epoch; true if it was the last: from now on that epoch counts. */
  saved(shard: number): boolean {
    this.#savedShards.add(shard);
    if (this.#savedShards.size < this.#shardCount) return false;
    this.#publish();
    this.#old = undefined;
    this.#removeOthers();
    return true;
  }

  release(): void {
    releaseFolder(this.path);
  }

  #folder(epoch: number, shard: number): string {
    return join(this.path, shardFolder(epoch, shard));
  }

  #publish(): void {
    this.#write({ format: 1, epoch: this.#epoch, shards: this.#shardCount, id: this.#id });
  }

  #write(file: StoreFile): void {
    writeDurably(join(this.path, STORE_FILE), storeFileText(file));
  }

  /** Epochs that do not count: left over by a move that was not finished, or that just was. */
  #removeOthers(): void {
    const kept = `epoch-${this.#old?.epoch ?? this.#epoch}`;
    for (const name of readdirSync(this.path)) {
      if (EPOCH.test(name) && name !== kept) rmSync(join(this.path, name), { recursive: true });
    }
  }
}

function hasStaleIds(path: string, { epoch, shards }: StoreFile): boolean {
  for (let shard = 0; shard < shards; shard++) {
    const manifest = manifestIn(join(path, shardFolder(epoch, shard)));
    if (!manifest) continue;
    const { nextSeriesId, series } = manifest;
    if (nextSeriesId > SERIES_IDS_MAX / 4) return true;
    if (nextSeriesId > SERIES_IDS_FEW && nextSeriesId > SERIES_IDS_SHARE_MAX * series.count)
      return true;
  }
  return false;
}

/** undefined as well where it is damaged, which the shard tells of. */
function manifestIn(folder: string): Manifest | undefined {
  try {
    return readManifest(folder).manifest;
  } catch {
    return undefined;
  }
}

function readStoreFile(path: string): StoreFile | undefined {
  let text: string;
  try {
    text = readFileSync(join(path, STORE_FILE), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    // Without it no epoch would count, and all of them would be removed.
    if (!readdirSync(path).some((name) => EPOCH.test(name))) return undefined;
    text = '';
  }
  const file = parseStoreFile(text);
  if (file) return file;
  throw new DataFolderError(
    `${join(path, STORE_FILE)} is ${text === '' ? 'missing' : 'damaged'}; it should be one line such as ` +
      `{"format":1,"epoch":1,"shards":N} with the epoch-… folder that is there and its number of shards`,
  );
}
