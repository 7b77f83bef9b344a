import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ObjectStoreError, type ObjectStore } from '../../src/object-store/object-store.js';
import type { DownloadSummary, MirrorProgress } from '../../src/protocol/mirror.js';
import { syncFolder, writeDurably } from '../../src/storage/files.js';
import {
  DOWNLOADING_FILE,
  parseStoreFile,
  shardFolder,
  STORE_FILE,
  type StoreFile,
} from '../../src/storage/store-file.js';
import { MANIFEST_FILE, parseManifest } from '../checkpoint/manifest.js';
import { noteFilled, ownerId } from './owner.js';
import { filesOf } from './published.js';

/** Files under way at a time: one alone does not fill the line. */
const FILES_AT_A_TIME = 4;
/** A shard is begun anew so often when a store that still copies removed what it was about to read. */
const RESTARTS_MAX = 20;

/**
 * Fills an empty folder with what was copied from another one. It may be called again after a failure:
 * files that are complete stay. The file STORE comes last, and with it the folder is one like any other.
 */
export class Download {
  readonly #objects: ObjectStore;
  readonly #folder: string;
  readonly #progress: MirrorProgress;
  readonly #problems: string[] = [];
  /** Bytes by key, at the other end. */
  readonly #sizes = new Map<string, number>();
  #files = 0;
  #bytes = 0;

  constructor(objects: ObjectStore, folder: string, progress: MirrorProgress) {
    this.#objects = objects;
    this.#folder = folder;
    this.#progress = progress;
  }

  /** Rejects with ObjectStoreError; what is missing or damaged is a problem in the summary. */
  async run(): Promise<DownloadSummary> {
    const began = performance.now();
    const store = await this.#readStore();
    const takesOver = await ownerId(this.#objects);
    if (!store) {
      // An owner without data has nothing to lose.
      noteFilled(this.#folder, takesOver);
      return this.#summary(began, true);
    }
    writeFileSync(join(this.#folder, DOWNLOADING_FILE), '');
    for await (const { key, bytes } of this.#objects.list(`epoch-${store.file.epoch}/`)) {
      this.#sizes.set(key, bytes);
    }
    const total = [...this.#sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
    this.#progress.set('downloadedBytes', 0);
    this.#progress.set('downloadBytes', total);
    for (let shard = 0; shard < store.file.shards; shard++) {
      await this.#shard(shardFolder(store.file.epoch, shard));
    }
    noteFilled(this.#folder, takesOver);
    writeDurably(join(this.#folder, STORE_FILE), store.text);
    rmSync(join(this.#folder, DOWNLOADING_FILE));
    return this.#summary(began, false);
  }

  #summary(began: number, isEmpty: boolean): DownloadSummary {
    const milliseconds = performance.now() - began;
    const problems = this.#problems;
    return { isEmpty, files: this.#files, bytes: this.#bytes, milliseconds, problems };
  }

  async #readStore(): Promise<{ text: string; file: StoreFile } | undefined> {
    const bytes = await orMissing(this.#objects.get(STORE_FILE));
    if (bytes) {
      const text = bytes.toString();
      const file = parseStoreFile(text);
      if (file) return { text, file };
    } else {
      let isThere = false;
      for await (const { key } of this.#objects.list('epoch-')) isThere ||= key !== '';
      if (!isThere) return undefined;
    }
    const where = `${this.#objects.location}/${STORE_FILE}`;
    throw new ObjectStoreError(
      'failed',
      `${where} is ${bytes ? 'damaged' : 'missing'}, but data is there; put one line such as ` +
        '{"format":1,"epoch":1,"shards":N} there, with the epoch-… that is there and its shards',
    );
  }

  async #shard(prefix: string): Promise<void> {
    mkdirSync(join(this.#folder, prefix), { recursive: true });
    const manifestKey = `${prefix}/${MANIFEST_FILE}`;
    for (let restarts = 0; ; restarts++) {
      const found = await orMissing(this.#manifestText(manifestKey));
      if (found === undefined) {
        // A shard that never made a checkpoint, unless there are files.
        const hasFiles = [...this.#sizes.keys()].some((key) => key.startsWith(`${prefix}/`));
        if (hasFiles) this.#problem(`${this.#objects.location}/${manifestKey} is missing`);
        return;
      }
      const missing = await this.#filesOf(prefix, manifestKey, found);
      const again = missing.length > 0 && restarts < RESTARTS_MAX;
      if (again && (await orMissing(this.#manifestText(manifestKey))) !== found) continue;
      for (const problem of missing) this.#problem(problem);
      // After the files: a manifest never names what is still to come.
      syncFolder(join(this.#folder, prefix));
      writeDurably(join(this.#folder, manifestKey), found);
      syncFolder(dirname(join(this.#folder, prefix)));
      return;
    }
  }

  /** One that is damaged is taken as it is: the restore tells of it, and of what it means. */
  async #manifestText(key: string): Promise<string> {
    try {
      return (await this.#objects.get(key)).toString();
    } catch (error) {
      if (!(error instanceof ObjectStoreError) || error.reason !== 'damaged') throw error;
      return (await this.#objects.getRange(key, 0, this.#sizes.get(key) ?? 0)).toString();
    }
  }

  /** Resolves to what is missing. */
  async #filesOf(prefix: string, manifestKey: string, text: string): Promise<string[]> {
    let keys: string[];
    try {
      keys = filesOf(prefix, parseManifest(text, manifestKey));
    } catch (error) {
      // Nobody knows what belongs together: all is kept, for somebody to look at.
      this.#problem(`${this.#objects.location}: ${(error as Error).message}`);
      keys = [...this.#sizes.keys()].filter(
        (key) => key.startsWith(`${prefix}/`) && key !== manifestKey,
      );
    }
    const missing: string[] = [];
    const next = keys.values();
    const work = async (): Promise<void> => {
      for (const key of next) {
        const problem = await this.#file(key);
        if (problem !== undefined) missing.push(problem);
      }
    };
    // All of them have to end before it is tried again: they write to the same files.
    const ends = await Promise.allSettled(Array.from({ length: FILES_AT_A_TIME }, work));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    return missing;
  }

  /** What is damaged is kept: the restore reads what is good of it. Resolves to why it is missing. */
  async #file(key: string): Promise<string | undefined> {
    const path = join(this.#folder, key);
    if (await this.#isComplete(key, path)) {
      this.#progress.add('downloadedBytes', this.#sizes.get(key) ?? 0);
      return undefined;
    }
    try {
      this.#bytes += await this.#objects.getFile(key, `${path}.new`, (bytes) =>
        this.#progress.add('downloadedBytes', bytes),
      );
    } catch (error) {
      if (!(error instanceof ObjectStoreError)) throw error;
      if (error.reason === 'missing') return error.message;
      if (error.reason !== 'damaged') throw error;
      this.#problem(error.message);
    }
    renameSync(`${path}.new`, path);
    this.#files++;
    return undefined;
  }

  /** Downloaded before a failure. */
  async #isComplete(key: string, path: string): Promise<boolean> {
    if (!existsSync(path)) return false;
    const { size, mtimeMs } = statSync(path);
    const head = await this.#objects.head(key);
    return head?.bytes === size && head.fileTimeMs === Math.round(mtimeMs);
  }

  #problem(text: string): void {
    if (!this.#problems.includes(text)) this.#problems.push(text);
  }
}

async function orMissing<Result>(promise: Promise<Result>): Promise<Result | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof ObjectStoreError && error.reason === 'missing') return undefined;
    throw error;
  }
}
