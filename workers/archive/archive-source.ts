import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { AsyncBuffer } from 'hyparquet';
import type { ObjectStore } from '../../src/object-store/object-store.js';

/** Lists of objects are asked for again after so long. */
export const LIST_MS = 2000;
/** Smaller objects are read at once: each request takes longer than their bytes. */
const WHOLE_BYTES_MAX = 2 * 1024 * 1024;

/** A file of the archive, read piece by piece. */
export interface OpenedFile {
  readonly buffer: AsyncBuffer;
  close(): Promise<void>;
}

/** Where files of the archive are. */
export interface ArchiveSource {
  /** Folders of clusters, as far as they are known without asking anybody. */
  folders(): Promise<readonly string[]>;
  /** Names of the files in a cluster's folder; none if there is no such folder. */
  names(folder: string): Promise<readonly string[]>;
  /** The same of all folders. */
  allNames(): Promise<readonly string[]>;
  /** Rejects if there is no such file. */
  open(folder: string, name: string): Promise<OpenedFile>;
}

/** A folder on this machine. */
export class LocalSource implements ArchiveSource {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  folders(): Promise<string[]> {
    return foldersIn(this.#root);
  }

  async names(folder: string): Promise<string[]> {
    try {
      return await readdir(join(this.#root, folder));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  async allNames(): Promise<string[]> {
    const folders = await this.folders();
    return (await Promise.all(folders.map((folder) => this.names(folder)))).flat();
  }

  async open(folder: string, name: string): Promise<OpenedFile> {
    const handle = await open(join(this.#root, folder, name));
    const { size } = await handle.stat();
    const slice = async (from: number, until = size): Promise<ArrayBuffer> => {
      const bytes = new Uint8Array(Math.max(0, Math.min(until, size) - from));
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, from);
      if (bytesRead < bytes.length) throw new Error(`it ends at byte ${from + bytesRead}`);
      return bytes.buffer;
    };
    return { buffer: { byteLength: size, slice }, close: () => handle.close() };
  }
}

/** Names of the folders in a folder; none if it is not there. */
export async function foldersIn(root: string): Promise<string[]> {
  try {
    const entries = await readdir(root, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Objects, on S3. What was uploaded in between is found a little later. */
export class ObjectSource implements ArchiveSource {
  readonly #objects: ObjectStore;
  /** By folder: the bytes of each object by its name, and when that was listed. */
  readonly #lists = new Map<string, { atMs: number; sizes: Map<string, number> }>();

  constructor(objects: ObjectStore) {
    this.#objects = objects;
  }

  async folders(): Promise<string[]> {
    return [...this.#lists.keys()];
  }

  async names(folder: string): Promise<string[]> {
    return [...(await this.#list(folder, false)).keys()];
  }

  async allNames(): Promise<string[]> {
    const names: string[] = [];
    for await (const { key } of this.#objects.list('')) {
      names.push(key.slice(key.lastIndexOf('/') + 1));
    }
    return names;
  }

  async open(folder: string, name: string): Promise<OpenedFile> {
    const key = `${folder}/${name}`;
    const size =
      (await this.#list(folder, false)).get(name) ?? (await this.#list(folder, true)).get(name);
    if (size === undefined) throw new Error(`${key} is not in ${this.#objects.location}`);
    const read = async (from: number, until: number): Promise<ArrayBuffer> => {
      const bytes = await this.#objects.getRange(key, from, until - from);
      if (bytes.length < until - from) throw new Error(`it ends at byte ${from + bytes.length}`);
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
    };
    const whole = size <= WHOLE_BYTES_MAX ? await read(0, size) : undefined;
    const slice = async (from: number, until = size): Promise<ArrayBuffer> => {
      const end = Math.min(until, size);
      return whole ? whole.slice(from, end) : read(from, end);
    };
    return { buffer: { byteLength: size, slice }, close: async () => undefined };
  }

  async #list(folder: string, isFresh: boolean): Promise<Map<string, number>> {
    const known = this.#lists.get(folder);
    if (known && !isFresh && performance.now() - known.atMs < LIST_MS) return known.sizes;
    const sizes = new Map<string, number>();
    for await (const { key, bytes } of this.#objects.list(`${folder}/`)) {
      sizes.set(key.slice(folder.length + 1), bytes);
    }
    this.#lists.set(folder, { atMs: performance.now(), sizes });
    return sizes;
  }
}
