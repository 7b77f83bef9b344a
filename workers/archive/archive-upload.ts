import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObjectStore } from '../../src/object-store/object-store.js';
import type { UploadSummary } from '../../src/protocol/archive.js';
import { foldersIn, LIST_MS } from './archive-source.js';
import { parseArchiveName } from './names.js';

/** Files of an archive that wait for their upload; the bytes of all. */
export interface Waiting {
  readonly files: readonly { readonly folder: string; readonly name: string }[];
  readonly bytes: number;
}

/** What is in a folder of files on their way to S3: only what was published. */
export async function waitingIn(
  root: string,
  isMeant: (folder: string, name: string) => boolean = () => true,
): Promise<Waiting> {
  const files: { folder: string; name: string }[] = [];
  let bytes = 0;
  for (const folder of await foldersIn(root)) {
    for (const file of (await readdir(join(root, folder))).sort()) {
      const named = parseArchiveName(file);
      if (!named || !isMeant(folder, named.name)) continue;
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
 * What was uploaded is still here for so long: who has listed the objects before it was there finds it
 * here, and who lists this folder after it went lists the objects anew.
 */
const KEPT_MS = 3 * LIST_MS;

/** Uploads the files of a folder, and removes them here when nobody can miss them. */
export class ArchiveUpload {
  readonly #root: string;
  readonly #objects: ObjectStore;
  /** By folder and name, when: they are on S3, verified, and still here. */
  readonly #uploaded = new Map<string, number>();

  constructor(root: string, objects: ObjectStore) {
    this.#root = root;
    this.#objects = objects;
  }

  /** Rejects with the first file that failed: it and what comes after it wait. */
  async run(): Promise<UploadSummary> {
    let uploadedFiles = 0;
    let uploadedBytes = 0;
    for (const { folder, name } of (await this.waiting()).files) {
      for (const ending of ENDINGS) {
        const file = `${name}${ending}`;
        const path = join(this.#root, folder, file);
        uploadedBytes += await this.#objects.putFile(`${folder}/${file}`, path);
        uploadedFiles++;
      }
      this.#uploaded.set(`${folder}/${name}`, performance.now());
    }
    await this.#removeUploaded();
    return { uploadedFiles, uploadedBytes };
  }

  /** What is not on S3 yet. */
  waiting(): Promise<Waiting> {
    return waitingIn(this.#root, (folder, name) => !this.#uploaded.has(`${folder}/${name}`));
  }

  async #removeUploaded(): Promise<void> {
    for (const [path, atMs] of this.#uploaded) {
      if (performance.now() - atMs < KEPT_MS) continue;
      for (const ending of ENDINGS.toReversed()) {
        await rm(join(this.#root, `${path}${ending}`), { force: true });
      }
      this.#uploaded.delete(path);
    }
  }
}
