import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FILE } from '../../workers/checkpoint/file-names.js';
import { publishManifest, readManifest, type Manifest } from '../../workers/checkpoint/manifest.js';
import { JsonFiles } from '../../workers/json-export/json-files.js';
import { logNumbers, logPath } from '../../workers/log/log-writer.js';
import type { StoreConfig } from '../config/config.js';
import { DataFolder } from './data-folder.js';

const STORE = 'STORE';
const EPOCH = /^epoch-\d+$/;
/** Left by a process that was killed while it wrote the file without the ending. */
const UNFINISHED = /^(MANIFEST|MANIFEST\.copy|EXPORTED|STORE|IMPORTED)\.new$/;
/** A time as folders below `aside` have it: ISO 8601 without colons. */
const ASIDE_TIME = /^(\d{4}-\d\d-\d\dT\d\d)(\d\d)(\d\d\.\d{3}Z)$/;

/**
 * Removes what has no use any more in a folder that no process uses: files of checkpoints that no
 * manifest names, logs that a checkpoint has made superfluous, epochs that do not count, and JSON files
 * and files kept aside that are older than the retention. Files of cc-metric-store are never touched.
 * `print` is told what went, and what could not be judged. Throws DataFolderError, also while another
 * process has the folder.
 */
export async function cleanUpCheckpoints(
  store: StoreConfig,
  nowMs: number,
  print: (line: string) => void,
): Promise<void> {
  const { directory } = store.checkpoints;
  if (directory === '') {
    print('metric-store.checkpoints.directory is empty: there is nothing to clean up');
    return;
  }
  const path = resolve(directory);
  if (!isOurs(path)) {
    print(`${path} has no checkpoints of metricshard: there is nothing to clean up`);
    return;
  }
  const removed = new Removed(print);
  const { epoch, shards } = storeFileOf(path);
  const epochs = readdirSync(path).filter((name) => EPOCH.test(name) && name !== `epoch-${epoch}`);
  const epochBytes = epochs.map((name) => bytesBelow(join(path, name)));
  // Epochs that do not count go when the folder is taken.
  const folder = DataFolder.open(path, shards);
  try {
    epochs.forEach((name, i) => {
      const isGone = !existsSync(join(path, name));
      if (isGone) removed.tell(join(path, name), epochBytes[i]!, 'this epoch does not count');
    });
    removeUnfinished(path, removed);
    for (let shard = 0; shard < shards; shard++) cleanShard(folder.foldersOf(shard).own, removed);
    const minMs = store.retentionEnforced ? nowMs - store.retentionSec * 1000 : 0;
    cleanAside(join(path, 'aside'), minMs, removed);
    const json = new JsonFiles(join(path, 'json'));
    const { files, bytes } = await json.removeBefore(Math.floor(minMs / 1000), () => true);
    if (files > 0) {
      removed.tell(`${files} files in ${join(path, 'json')}`, bytes, 'older than the retention');
    }
    print(`${path}: ${removed.bytes} bytes removed`);
  } finally {
    folder.release();
  }
}

/** What was removed so far. */
class Removed {
  bytes = 0;
  readonly print: (line: string) => void;

  constructor(print: (line: string) => void) {
    this.print = print;
  }

  remove(path: string, reason: string): void {
    const bytes = bytesBelow(path);
    rmSync(path, { recursive: true, force: true });
    this.tell(path, bytes, reason);
  }

  tell(what: string, bytes: number, reason: string): void {
    this.bytes += bytes;
    this.print(`removed ${what}, ${bytes} bytes: ${reason}`);
  }
}

function isOurs(path: string): boolean {
  try {
    return readdirSync(path).some((name) => name === STORE || EPOCH.test(name));
  } catch {
    return false;
  }
}

/** As STORE says; what is wrong with it is told when the folder is taken. */
function storeFileOf(path: string): { epoch: number; shards: number } {
  try {
    const { epoch, shards } = JSON.parse(readFileSync(join(path, STORE), 'utf8')) as {
      epoch: number;
      shards: number;
    };
    return { epoch, shards };
  } catch {
    return { epoch: 0, shards: 1 };
  }
}

function cleanShard(folder: string, removed: Removed): void {
  if (!existsSync(folder)) return;
  removeUnfinished(folder, removed);
  let manifest: Manifest | undefined;
  try {
    const read = readManifest(folder);
    if (read.damage) throw read.damage;
    manifest = read.manifest;
    // Nothing may go that one of the two needs.
    if (manifest && !read.isTwofold) publishManifest(folder, manifest);
  } catch (error) {
    removed.print(`${(error as Error).message}; nothing is removed from ${folder}`);
    return;
  }
  const names = readdirSync(folder).filter((name) => FILE.test(name));
  if (!manifest) {
    if (names.length > 0) removed.print(`${folder} has no MANIFEST: its files are left`);
    return;
  }
  const kept = new Set([manifest.series.file, ...manifest.segments.map(({ file }) => file)]);
  for (const name of names) {
    if (!kept.has(name)) removed.remove(join(folder, name), 'no manifest names it');
  }
  for (const number of logNumbers(folder)) {
    if (number >= manifest.firstLog) continue;
    removed.remove(logPath(folder, number), 'the checkpoint has what is in it');
  }
}

function removeUnfinished(folder: string, removed: Removed): void {
  for (const name of readdirSync(folder)) {
    if (UNFINISHED.test(name)) removed.remove(join(folder, name), 'it was never finished');
  }
}

/** Folders below it are named by the time they were made. */
function cleanAside(aside: string, minMs: number, removed: Removed): void {
  if (!existsSync(aside)) return;
  for (const name of readdirSync(aside)) {
    const madeMs = Date.parse(name.replace(ASIDE_TIME, '$1:$2:$3'));
    if (madeMs < minMs) removed.remove(join(aside, name), 'older than the retention');
  }
}

function bytesBelow(path: string): number {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isDirectory()) return found?.size ?? 0;
  return readdirSync(path).reduce((sum, name) => sum + bytesBelow(join(path, name)), 0);
}
