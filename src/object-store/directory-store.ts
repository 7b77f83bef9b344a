import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { syncFolder } from '../storage/files.js';
import { whatIsWrongWith } from './location.js';
import { ObjectStoreError } from './object-store.js';
import type { ObjectHead, ObjectInfo, ObjectStore } from './object-store.js';

/** Files grow here before they are renamed; no key may begin with this name. */
const UNFINISHED = '.unfinished';
/** One this old belongs to nobody any more. */
const UNFINISHED_AGE_MS = 24 * 3600 * 1000;

/** Opens a folder as a store, and makes it if need be. Rejects with ObjectStoreError. */
export async function openDirectoryStore(directory: string): Promise<ObjectStore> {
  const path = resolve(directory);
  const store = new DirectoryStore(path);
  try {
    await makeFolder(join(path, UNFINISHED));
    await store.removeOld(UNFINISHED_AGE_MS);
  } catch (error) {
    throw told(error, path, 'can not be used', 'check the folder');
  }
  return store;
}

/**
 * Objects as files of a folder. A file is written under another name, given to the disk and renamed:
 * after a crash there is the old object or the new one.
 */
class DirectoryStore implements ObjectStore {
  readonly location: string;

  constructor(path: string) {
    this.location = path;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#write(key, (path) => fs.writeFile(path, bytes), fs.rename);
  }

  async create(key: string, bytes: Uint8Array): Promise<boolean> {
    try {
      await this.#write(key, (path) => fs.writeFile(path, bytes), linkAndRemove);
      return true;
    } catch (error) {
      if (causeCode(error) === 'EEXIST') return false;
      throw error;
    }
  }

  async putFile(key: string, path: string, sent?: (bytes: number) => void): Promise<number> {
    let stat;
    try {
      stat = await fs.stat(path);
    } catch (error) {
      throw told(error, path, 'can not be read', 'check the file', 'no-file');
    }
    await this.#write(
      key,
      async (target) => {
        await fs.copyFile(path, target, constants.COPYFILE_FICLONE);
        await fs.utimes(target, stat.mtime, stat.mtime);
      },
      fs.rename,
    );
    sent?.(stat.size);
    return stat.size;
  }

  async get(key: string): Promise<Buffer> {
    return this.#read(key, (path) => fs.readFile(path));
  }

  async getRange(key: string, from: number, bytes: number): Promise<Buffer> {
    return this.#read(key, async (path) => {
      const file = await fs.open(path);
      try {
        const size = (await file.stat()).size;
        const target = Buffer.alloc(Math.max(0, Math.min(bytes, size - from)));
        let at = 0;
        while (at < target.length) {
          const { bytesRead } = await file.read(target, at, target.length - at, from + at);
          if (bytesRead === 0) break;
          at += bytesRead;
        }
        return target.subarray(0, at);
      } finally {
        await file.close();
      }
    });
  }

  async getFile(key: string, target: string, received?: (bytes: number) => void): Promise<number> {
    return this.#read(key, async (path) => {
      const { size, mtime } = await fs.stat(path);
      await fs.copyFile(path, target, constants.COPYFILE_FICLONE);
      await syncFile(target);
      await fs.utimes(target, mtime, mtime);
      received?.(size);
      return size;
    });
  }

  async head(key: string): Promise<ObjectHead | undefined> {
    try {
      const stat = await this.#read(key, (path) => fs.stat(path));
      if (!stat.isFile()) return undefined;
      return { key, bytes: stat.size, fileTimeMs: Math.round(stat.mtimeMs) };
    } catch (error) {
      if (error instanceof ObjectStoreError && error.reason === 'missing') return undefined;
      throw error;
    }
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    // Only folders that lead to the prefix, or are below it.
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    if (folder !== '') this.#pathOf(folder.slice(0, -1));
    const found: ObjectInfo[] = [];
    const start = join(this.location, folder);
    for (const name of await this.#below(start)) {
      const key = name.split(sep).join('/');
      if (!key.startsWith(prefix) || key.startsWith(`${UNFINISHED}/`)) continue;
      const stat = await fs.stat(join(this.location, name)).catch(() => undefined);
      if (stat?.isFile()) found.push({ key, bytes: stat.size });
    }
    yield* found.toSorted((left, right) =>
      Buffer.compare(Buffer.from(left.key), Buffer.from(right.key)),
    );
  }

  async delete(key: string): Promise<void> {
    const path = this.#pathOf(key);
    try {
      await fs.rm(path, { force: true });
      // Folders are no objects: an empty one would be in the way of a key of that name.
      for (let above = dirname(path); above !== this.location; above = dirname(above)) {
        await fs.rmdir(above);
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOTEMPTY' || code === 'ENOENT' || code === 'ENOTDIR') return;
      if (code === 'ERR_FS_EISDIR') return;
      throw told(error, path, 'can not be deleted', 'check its permissions');
    }
  }

  async removeUnfinished(): Promise<void> {
    await this.removeOld(0);
  }

  /** Removes unfinished files that are at least so old. */
  async removeOld(ageMs: number): Promise<void> {
    const folder = join(this.location, UNFINISHED);
    for (const name of await fs.readdir(folder)) {
      const stat = await fs.stat(join(folder, name)).catch(() => undefined);
      if (stat && stat.mtimeMs <= Date.now() - ageMs) await fs.rm(join(folder, name));
    }
  }

  close(): void {
    // Nothing is open between calls.
  }

  async #write(
    key: string,
    fill: (path: string) => Promise<unknown>,
    publish: (from: string, to: string) => Promise<void>,
  ): Promise<void> {
    const path = this.#pathOf(key);
    const unfinished = join(this.location, UNFINISHED, randomUUID());
    try {
      await fill(unfinished);
      await syncFile(unfinished);
      await makeFolder(dirname(path));
      await publish(unfinished, path).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
        // Somebody deleted the last object of the folder meanwhile, and the folder with it.
        await makeFolder(dirname(path));
        await publish(unfinished, path);
      });
      syncFolder(dirname(path));
    } catch (error) {
      await fs.rm(unfinished, { force: true });
      throw told(error, path, 'can not be written', 'check space and permissions of the folder');
    }
  }

  async #read<Result>(key: string, read: (path: string) => Promise<Result>): Promise<Result> {
    const path = this.#pathOf(key);
    try {
      return await read(path);
    } catch (error) {
      throw told(error, path, 'can not be read', 'check the file', 'missing');
    }
  }

  async #below(folder: string): Promise<string[]> {
    try {
      const names = await fs.readdir(folder, { recursive: true });
      return names.map((name) => join(folder, name).slice(this.location.length + 1));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return [];
      throw told(error, folder, 'can not be listed', 'check the folder');
    }
  }

  /** Throws for a key that is none, before anything is touched. */
  #pathOf(key: string): string {
    const wrong =
      key === UNFINISHED || key.startsWith(`${UNFINISHED}/`)
        ? `begins with ${UNFINISHED}`
        : whatIsWrongWith(key);
    if (wrong === undefined) return join(this.location, key);
    throw new ObjectStoreError('failed', `the key ${JSON.stringify(key)} ${wrong}`);
  }
}

/** Makes a folder and those above it, and gives their names to the disk. */
async function makeFolder(path: string): Promise<void> {
  const first = await fs.mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let above = path; above.length >= first.length; above = dirname(above)) {
    syncFolder(dirname(above));
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await fs.open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Unlike a rename, a link takes nothing's place. */
async function linkAndRemove(from: string, to: string): Promise<void> {
  await fs.link(from, to);
  await fs.rm(from);
}

function causeCode(error: unknown): string | undefined {
  return ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code;
}

function told(
  error: unknown,
  path: string,
  what: string,
  advice: string,
  ifMissing: 'missing' | 'no-file' | 'failed' = 'failed',
): ObjectStoreError {
  if (error instanceof ObjectStoreError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const isMissing = code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR';
  const reason = isMissing ? ifMissing : code === 'EACCES' ? 'denied' : 'failed';
  return new ObjectStoreError(reason, `${path} ${what}: ${message}; ${advice}`, { cause: error });
}
