import { mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolderLater } from '../../src/storage/files.js';
import { HOUR_SEC, type Range } from './export-bounds.js';

/** A file of a host, and while it is being written. */
const NAME = /^(\d{1,15})\.json(\.new)?$/;

/**
 * The JSON files below a folder, `<cluster>/<host>/<from>.json`. All work is done beside the thread.
 * Functions reject with what the system says.
 */
export class JsonFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Replaces a file: after a crash there is the old one or the new one. Returns its bytes. */
  async write(
    cluster: string,
    host: string,
    { fromSec }: Range,
    pieces: readonly string[],
  ): Promise<number> {
    const folder = join(this.#folder, cluster, host);
    await mkdir(folder, { recursive: true });
    const path = join(folder, `${fromSec}.json`);
    const temporary = `${path}.new`;
    let bytes = 0;
    try {
      const file = await open(temporary, 'w');
      try {
        for (const piece of pieces) {
          const written = Buffer.from(piece);
          bytes += written.length;
          await file.appendFile(written);
        }
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await syncFolderLater(folder);
    return bytes;
  }

  /** Removes files that begin inside a range, but not with it: the one of the range has all they have. */
  async removeInside(cluster: string, host: string, ranges: readonly Range[]): Promise<void> {
    const folder = join(this.#folder, cluster, host);
    for (const { name, fromSec } of await filesIn(folder)) {
      const isInside = ranges.some((range) => range.fromSec < fromSec && fromSec < range.untilSec);
      if (isInside) await rm(join(folder, name), { force: true });
    }
  }

  /**
   * Removes the files of hosts that are owned which have nothing later than a second, and what writes
   * that did not come to their end have left. Nothing may be written meanwhile.
   */
  async removeBefore(
    sec: number,
    owns: (cluster: string, host: string) => boolean,
  ): Promise<{ files: number; bytes: number }> {
    const removed = { files: 0, bytes: 0 };
    for (const cluster of await foldersIn(this.#folder)) {
      for (const host of await foldersIn(join(this.#folder, cluster))) {
        if (!owns(cluster, host)) continue;
        const folder = join(this.#folder, cluster, host);
        for (const { name, fromSec, isUnfinished } of await filesIn(folder)) {
          if (fromSec + HOUR_SEC > sec && !isUnfinished) continue;
          removed.files++;
          removed.bytes += (await stat(join(folder, name))).size;
          await rm(join(folder, name), { force: true });
        }
        // Only an empty one goes.
        await rmdir(folder).catch(() => undefined);
      }
    }
    return removed;
  }
}

interface HostFile {
  readonly name: string;
  readonly fromSec: number;
  readonly isUnfinished: boolean;
}

async function filesIn(folder: string): Promise<HostFile[]> {
  const files: HostFile[] = [];
  for (const name of await readdir(folder).catch(none)) {
    const found = NAME.exec(name);
    if (!found) continue;
    files.push({ name, fromSec: Number(found[1]), isUnfinished: found[2] !== undefined });
  }
  return files;
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(none);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** Of a folder that is not there, or went meanwhile. */
function none(error: NodeJS.ErrnoException): never[] {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
  throw error;
}
