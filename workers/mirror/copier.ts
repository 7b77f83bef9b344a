import { join } from 'node:path';
import { ObjectStoreError, type ObjectStore } from '../../src/object-store/object-store.js';
import type { CopySummary, MirrorProgress } from '../../src/protocol/mirror.js';
import { STORE_FILE } from '../../src/storage/store-file.js';
import { parseManifest } from '../checkpoint/manifest.js';
import { DamageError } from '../checkpoint/section-file.js';
import { claim } from './owner.js';
import {
  readPublished,
  type Published,
  type PublishedFile,
  type PublishedShard,
} from './published.js';

/** All that is copied for shards; nothing else at the other end is ever deleted. */
const COPIED = /^(epoch-(\d+)\/shard-(\d+)\/)(MANIFEST|(series|blocks)-\d{8,}m*)$/;
/** A round begins anew so often when a checkpoint has removed what it was about to copy. */
const RESTARTS_MAX = 100;

/**
 * Copies what is published in a folder. A manifest goes after the files that it names, and what none
 * names any more is deleted after that: what is at the other end is whole at any moment.
 */
export class Copier {
  readonly #objects: ObjectStore;
  readonly #folder: string;
  readonly #progress: MirrorProgress;
  /** Keys of files that are there for sure, with the time of the file that was copied. */
  readonly #copied = new Map<string, number>();
  /** Texts of STORE and manifests that are there for sure. */
  readonly #texts = new Map<string, string>();
  #isCleared = false;

  constructor(objects: ObjectStore, folder: string, progress: MirrorProgress) {
    this.#objects = objects;
    this.#folder = folder;
    this.#progress = progress;
  }

  /** One round: the newest state. Rejects with ObjectStoreError or TakenError. */
  async run(): Promise<CopySummary> {
    const total = { files: 0, bytes: 0 };
    for (let restarts = 0; ; restarts++) {
      const published = readPublished(this.#folder);
      if (!published) return { ...total, deleted: 0, problems: [] };
      this.#tellWaiting(published);
      await claim(this.#objects, this.#folder);
      await this.#clear();
      try {
        const problems = [...published.problems];
        const deleted = await this.#copy(published, total, problems);
        return { ...total, deleted, problems };
      } catch (error) {
        const isGone = error instanceof ObjectStoreError && error.reason === 'no-file';
        if (!isGone || restarts >= RESTARTS_MAX) throw error;
      }
    }
  }

  async #copy(
    published: Published,
    total: { files: number; bytes: number },
    problems: string[],
  ): Promise<number> {
    const there = await this.#listThere();
    // A start from there needs to know of how many shards it is: first of all, if it says nothing yet.
    if (!there.has(STORE_FILE)) await this.#putText(STORE_FILE, published.storeText);
    const shards: PublishedShard[] = [];
    for (const shard of published.shards) {
      const newer = await this.#newerThere(shard, there);
      if (newer !== undefined) {
        problems.push(newer);
        continue;
      }
      shards.push(shard);
      for (const file of shard.files) {
        if (await this.#isThere(file, there)) {
          this.#copied.set(file.key, file.timeMs);
          continue;
        }
        const sent = await this.#putFile(file);
        total.files++;
        total.bytes += sent;
      }
      await this.#putText(shard.manifestKey, shard.manifestText, there);
      this.#tellWaiting(published);
    }
    // Another epoch counts from here on: it is there as a whole.
    await this.#putText(STORE_FILE, published.storeText, there);
    return this.#deleteOthers({ ...published, shards }, there);
  }

  /**
   * A checkpoint that is further than ours means that ours was lost on the local disk, and the shard began
   * anew: then the one there may be all that is left of it. Resolves to what to tell.
   */
  async #newerThere(
    { manifestKey, prefix, checkpoint }: PublishedShard,
    there: ReadonlyMap<string, number>,
  ): Promise<string | undefined> {
    if (!there.has(manifestKey)) return undefined;
    const found = await this.#checkpointThere(manifestKey);
    if (found <= checkpoint) return undefined;
    const { location } = this.#objects;
    return (
      `${prefix} is not copied: ${location} has checkpoint ${found} of it, the local folder only ` +
      `${checkpoint}; to start from the former, stop, move ${this.#folder} away and start; to have it ` +
      `replaced, delete ${location}/${manifestKey}`
    );
  }

  /** 0 if nobody can read it. */
  async #checkpointThere(manifestKey: string): Promise<number> {
    try {
      const known = this.#texts.get(manifestKey);
      const text = known ?? (await this.#objects.get(manifestKey)).toString();
      return parseManifest(text, manifestKey).checkpoint;
    } catch (error) {
      if (error instanceof DamageError) return 0;
      if (error instanceof ObjectStoreError && error.reason === 'damaged') return 0;
      throw error;
    }
  }

  /** Bytes by key. What was taken away by others has to be copied again. */
  async #listThere(): Promise<ReadonlyMap<string, number>> {
    const there = new Map<string, number>();
    for (const prefix of [STORE_FILE, 'epoch-']) {
      for await (const { key, bytes } of this.#objects.list(prefix)) there.set(key, bytes);
    }
    for (const known of [this.#copied, this.#texts]) {
      for (const key of known.keys()) if (!there.has(key)) known.delete(key);
    }
    return there;
  }

  /** After a start nothing is known: the time that the object carries tells if it is this file. */
  async #isThere(file: PublishedFile, there: ReadonlyMap<string, number>): Promise<boolean> {
    if (there.get(file.key) !== file.bytes) return false;
    const known = this.#copied.get(file.key);
    if (known !== undefined) return known === file.timeMs;
    return (await this.#objects.head(file.key))?.fileTimeMs === file.timeMs;
  }

  async #putFile({ key, timeMs }: PublishedFile): Promise<number> {
    const bytes = await this.#objects.putFile(key, join(this.#folder, key), (sent) =>
      this.#progress.add('copiedBytes', sent),
    );
    this.#progress.add('copiedFiles', 1);
    this.#copied.set(key, timeMs);
    return bytes;
  }

  async #putText(
    key: string,
    text: string,
    there: ReadonlyMap<string, number> = new Map(),
  ): Promise<void> {
    const bytes = Buffer.from(text);
    if (this.#texts.get(key) === text && there.get(key) === bytes.length) return;
    await this.#objects.put(key, bytes);
    this.#texts.set(key, text);
  }

  /** What no manifest names. Of a shard that was left out all stays. */
  async #deleteOthers(published: Published, there: ReadonlyMap<string, number>): Promise<number> {
    const shards = new Map(published.shards.map((shard) => [`${shard.prefix}/`, shard]));
    let deleted = 0;
    for (const key of there.keys()) {
      const [, prefix = '', epoch = '', shard = ''] = COPIED.exec(key) ?? [];
      if (prefix === '') continue;
      const isCurrent = Number(epoch) === published.epoch && Number(shard) < published.shardCount;
      const owner = shards.get(prefix);
      if (isCurrent && (!owner || isNamed(key, owner))) continue;
      await this.#objects.delete(key);
      this.#copied.delete(key);
      this.#texts.delete(key);
      deleted++;
    }
    return deleted;
  }

  /** Once: a process that was killed may have left uploads that were never finished. */
  async #clear(): Promise<void> {
    if (this.#isCleared) return;
    this.#isCleared = true;
    try {
      await this.#objects.removeUnfinished('epoch-');
    } catch (error) {
      // Not every server can tell of them, and not everybody may ask.
      if (!(error instanceof ObjectStoreError)) throw error;
      this.#isCleared = error.reason !== 'unreachable';
    }
  }

  /** As far as is known here, without asking: it is told while nobody answers as well. */
  #tellWaiting({ shards }: Published): void {
    const waiting = shards
      .flatMap(({ files }) => files)
      .filter(({ key, timeMs }) => this.#copied.get(key) !== timeMs);
    this.#progress.set('filesWaiting', waiting.length);
    this.#progress.set(
      'bytesWaiting',
      waiting.reduce((sum, { bytes }) => sum + bytes, 0),
    );
  }
}

function isNamed(key: string, { manifestKey, files }: PublishedShard): boolean {
  return key === manifestKey || files.some((file) => file.key === key);
}
