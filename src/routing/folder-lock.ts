import {
  constants,
  copyFileSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';

const LOCK = 'LOCK';
/** Others may take and give back the lock meanwhile, so often. */
const TRIES = 5;
/** What file systems without links say. */
const NO_LINKS = new Set<string | undefined>(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);
/** Where the folder is named, unless told otherwise. */
const SETTING = 'metric-store.checkpoints.directory';

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
 * Makes a folder this process' own, and makes it if it is not there. `setting` names it, for messages.
 * Returns its whole path. Throws DataFolderError.
 */
export function takeFolder(directory: string, setting = SETTING): string {
  const path = resolve(directory);
  try {
    mkdirSync(path, { recursive: true });
    takeLock(path, setting);
  } catch (error) {
    throw asDataFolderError(error, path, setting);
  }
  return path;
}

export function releaseFolder(path: string): void {
  rmSync(join(path, LOCK), { force: true });
}

/** Throws DataFolderError if another process that is alive has the lock. */
function takeLock(path: string, setting: string): void {
  const file = join(path, LOCK);
  const lock: Lock = { pid: process.pid, host: hostname(), began: beganOf(process.pid) };
  // A link is there at once and whole: nobody reads half a lock, and takes it for a damaged one.
  const own = `${file}.${process.pid}`;
  try {
    for (let tries = 0; tries < TRIES; tries++) {
      const text = readLock(file);
      const other = parseLock(text);
      if (other && isAlive(other)) {
        throw new DataFolderError(
          `${path} is used by process ${other.pid} on ${other.host}; stop that one, or set another ` +
            `${setting} (remove ${file} if that process is not metricshard)`,
        );
      }
      // Before anything is written: on a full disk its place is needed.
      if (text !== undefined) removeStale(file, text, `${own}.stale`);
      writeFileSync(own, `${JSON.stringify(lock)}\n`);
      if (hasLinked(own, file)) return;
    }
  } finally {
    rmSync(own, { force: true });
  }
  throw new DataFolderError(`${file} could not be taken; try again`);
}

/** False: there is one. Where a file system has no links it is copied. */
function hasLinked(from: string, to: string): boolean {
  for (const make of [linkSync, copyNew]) {
    try {
      make(from, to);
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST') return false;
      if (make === copyNew || !NO_LINKS.has(code)) throw error;
    }
  }
  return false;
}

function copyNew(from: string, to: string): void {
  copyFileSync(from, to, constants.COPYFILE_EXCL);
}

/**
 * Removes a lock whose text was read, and no other: one that was taken in between by another process is
 * put back. Only one process can move a file aside.
 */
function removeStale(file: string, text: string, aside: string): void {
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (readLock(aside) !== text) hasLinked(aside, file);
  rmSync(aside, { force: true });
}

/** undefined: it is gone. */
function readLock(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function parseLock(text: string | undefined): Lock | undefined {
  try {
    return JSON.parse(text ?? '') as Lock;
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

export function asDataFolderError(
  error: unknown,
  path: string,
  setting = SETTING,
): DataFolderError {
  if (error instanceof DataFolderError) return error;
  return new DataFolderError(`${setting}: cannot use ${path}: ${(error as Error).message}`);
}
