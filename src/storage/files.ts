import { closeSync, fsync, fsyncSync, openSync, readSync, renameSync, writeSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Replaces a file: after a crash there is the old one or the new one. */
export function writeDurably(path: string, text: string, mode?: number): void {
  replaceFile(path, text, mode);
  syncFolder(join(path, '..'));
}

/** The same for several files of a folder, which the caller syncs in the end: each is old or new. */
export function replaceFile(path: string, text: string, mode = 0o666): void {
  const temporary = `${path}.new`;
  const descriptor = openSync(temporary, 'w', mode);
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, path);
}

/** The same, beside all other work of the thread. */
export async function replaceFileLater(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  const handle = await open(temporary, 'w');
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, path);
}

/** Gives the names in a folder to the disk. */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The same, beside all other work of the thread. */
export async function syncFolderLater(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Gives a file to the disk, beside all other work of the thread, and closes it. */
export async function syncAndClose(descriptor: number): Promise<void> {
  try {
    await promisify(fsync)(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Reads from byte `from` on until `target` is full or the file ends; returns how many bytes. */
export function readAll(descriptor: number, target: Uint8Array, from: number): number {
  let at = 0;
  while (at < target.length) {
    const read = readSync(descriptor, target, at, target.length - at, from + at);
    if (read === 0) break;
    at += read;
  }
  return at;
}
