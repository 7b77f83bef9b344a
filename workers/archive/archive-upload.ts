import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObjectStore } from '../../src/object-store/object-store.js';
import type { UploadSummary } from '../../src/protocol/archive.js';
import { parseArchiveName } from './names.js';

/** Files of an archive that wait for their upload; the bytes of all. */
export interface Waiting {
  readonly files: readonly { readonly folder: string; readonly name: string }[];
  readonly bytes: number;
}

/** What is in a folder of files on their way to S3: only what was published. */
export async function waitingIn(root: string): Promise<Waiting> {
  const files: { folder: string; name: string }[] = [];
  let bytes = 0;
  for (const folder of await foldersIn(root)) {
    for (const file of (await readdir(join(root, folder))).sort()) {
      const named = parseArchiveName(file);
      if (!named) continue;
      files.push({ folder, name: named.name });
      for (const ending of ENDINGS) {
        const found = await stat(join(root, folder, named.name + ending)).catch(() => undefined);
        bytes += found?.size ?? 0;
      }
    }
  }
  return { files, bytes };
}

/** In this order an index is never without its rows, nor a local file gone that is not yet on S3. */
const ENDINGS = ['.parquet', '.index'] as const;

/**
 * Uploads what waits, file by file, and removes it here when it is there, verified. Rejects with the first
 * that failed: it and what comes after it stay.
 */
export async function uploadWaiting(root: string, objects: ObjectStore): Promise<UploadSummary> {
  let uploadedFiles = 0;
  let uploadedBytes = 0;
  for (const { folder, name } of (await waitingIn(root)).files) {
    for (const ending of ENDINGS) {
      const file = `${name}${ending}`;
      uploadedBytes += await objects.putFile(`${folder}/${file}`, join(root, folder, file));
      uploadedFiles++;
    }
    for (const ending of ENDINGS.toReversed()) {
      await rm(join(root, folder, `${name}${ending}`), { force: true });
    }
  }
  return { uploadedFiles, uploadedBytes };
}

async function foldersIn(root: string): Promise<string[]> {
  try {
    const entries = await readdir(root, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
