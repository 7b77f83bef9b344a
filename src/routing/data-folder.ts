import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { ShardFolders } from '../protocol/messages.js';
import { writeDurably } from '../storage/files.js';

const LOCK = 'LOCK';
const STORE = 'STORE';
const EPOCH = /^epoch-\d+$/;

/** What the file STORE says: which of the epochs counts. */
interface StoreFile {
  readonly format: number;
  readonly epoch: number;
  readonly shards: number;
  /** Of this folder among all there are; files of before there was an archive have none. */
  readonly id?: string;
}

interface Lock {
  readonly pid: number;
  readonly host: string;
  /** When that process began, in the system's ticks: its number may be given again. */
  readonly began: string;
}

/** The folder cannot be used; the message says why and what to do. */
export class DataFolderError extends Error {
  override readonly name = 'DataFolderError';
}

/**
 * The folder that all shards keep their data in. One process has it at a time. With another number
 * of shards a new epoch begins: all shards are restored from the folders of the old one, which goes
 * when everything of it is in the new one.
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
    this.#old = file && file.shards !== shardCount ? file : undefined;
    this.#epoch = file ? file.epoch + (this.#old ? 1 : 0) : 1;
    this.#id = file?.id ?? randomBytes(4).toString('hex');
    this.#removeOthers();
    if (!file) this.#publish();
    else if (file.id === undefined) this.#write({ ...file, id: this.#id });
  }

  /** Takes the folder, which is made if it is not there. Throws DataFolderError. */
  static open(directory: string, shardCount: number): DataFolder {
    const path = resolve(directory);
    try {
      mkdirSync(path, { recursive: true });
      takeLock(path);
    } catch (error) {
      throw asDataFolderError(error, path);
    }
    try {
      return new DataFolder(path, shardCount, readStoreFile(path));
    } catch (error) {
      rmSync(join(path, LOCK), { force: true });
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
    rmSync(join(this.path, LOCK), { force: true });
  }

  #folder(epoch: number, shard: number): string {
    return join(this.path, `epoch-${epoch}`, `shard-${shard}`);
  }

  #publish(): void {
    this.#write({ format: 1, epoch: this.#epoch, shards: this.#shardCount, id: this.#id });
  }

  #write(file: StoreFile): void {
    writeDurably(join(this.path, STORE), `${JSON.stringify(file)}\n`);
  }

  /** Epochs that do not count: left over by a move that was not finished, or that just was. */
  #removeOthers(): void {
    const kept = `epoch-${this.#old?.epoch ?? this.#epoch}`;
    for (const name of readdirSync(this.path)) {
      if (EPOCH.test(name) && name !== kept) rmSync(join(this.path, name), { recursive: true });
    }
  }
}

function asDataFolderError(error: unknown, path: string): DataFolderError {
  if (error instanceof DataFolderError) return error;
  return new DataFolderError(
    `metric-store.checkpoints.directory: cannot use ${path}: ${(error as Error).message}`,
  );
}

function readStoreFile(path: string): StoreFile | undefined {
  let text: string;
  try {
    text = readFileSync(join(path, STORE), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    // Without it no epoch would count, and all of them would be removed.
    if (!readdirSync(path).some((name) => EPOCH.test(name))) return undefined;
    text = '';
  }
  try {
    const file = JSON.parse(text) as StoreFile;
    if (file.format === 1 && file.epoch > 0 && file.shards > 0) return file;
  } catch {
    // Said below.
  }
  throw new DataFolderError(
    `${join(path, STORE)} is ${text === '' ? 'missing' : 'damaged'}; it should be one line such as ` +
      `{"format":1,"epoch":1,"shards":N} with the epoch-… folder that is there and its number of shards`,
  );
}

/** Throws DataFolderError if another process that is alive has the lock. */
function takeLock(path: string): void {
  const file = join(path, LOCK);
  const lock: Lock = { pid: process.pid, host: hostname(), began: beganOf(process.pid) };
  for (let tries = 0; tries < 3; tries++) {
    try {
      writeFileSync(file, `${JSON.stringify(lock)}\n`, { flag: 'wx' });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const other = readLock(file);
    if (other && isAlive(other)) {
      throw new DataFolderError(
        `${path} is used by process ${other.pid} on ${other.host}; stop that one, or set another ` +
          `metric-store.checkpoints.directory (remove ${file} if that process is not metricshard)`,
      );
    }
    rmSync(file, { force: true });
  }
  throw new DataFolderError(`${file} could not be taken; try again`);
}

function readLock(file: string): Lock | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Lock;
  } catch {
    return undefined;
  }
}

/** On another host there is no telling: it counts as alive. */
function isAlive(lock: Lock): boolean {
  if (lock.host !== hostname()) return true;
  try {
    process.kill(lock.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return beganOf(lock.pid) === lock.began;
}

/** Start time of a process, from Linux' /proc; '' elsewhere. One that only waits to be reaped has ended. */
function beganOf(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? 'ended' : (fields[19] ?? '');
  } catch {
    return '';
  }
}
