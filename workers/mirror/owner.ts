import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { ObjectStoreError, type ObjectStore } from '../../src/object-store/object-store.js';
import { writeDurably } from '../../src/storage/files.js';

/** Of the object that says whose the others are. */
export const OWNER_KEY = 'OWNER';
/** Of the file in the local folder that says who that is. */
export const MIRROR_FILE = 'MIRROR';

/** What the object says. */
interface Owner {
  readonly format: number;
  readonly id: string;
  /** Who began to copy, and when: for people. */
  readonly host: string;
  readonly since: string;
}

/** What the file says. */
interface Mirror {
  readonly format: number;
  readonly id: string;
  /** The owner whose objects were downloaded: it is replaced. '' = none. */
  readonly takesOver: string;
}

/** Another store copies to the same place. */
export class TakenError extends Error {
  override readonly name = 'TakenError';
}

/**
 * Makes sure that what is at the other end belongs to this folder. A place without an owner gets this
 * one. A folder that was filled from there takes over, and the store before it, should it still run or
 * come back, finds that out here: else an older state would overwrite a newer one. Rejects with
 * TakenError, or ObjectStoreError.
 */
export async function claim(objects: ObjectStore, folder: string): Promise<void> {
  const own = readMirror(folder) ?? writeMirror(folder, randomUUID(), '');
  const owner: Owner = {
    format: 1,
    id: own.id,
    host: hostname(),
    since: new Date().toISOString(),
  };
  const bytes = Buffer.from(`${JSON.stringify(owner)}\n`);
  let found = await readOwner(objects);
  if (!found) {
    if (await objects.create(OWNER_KEY, bytes)) return;
    found = await readOwner(objects);
  }
  if (found?.id === own.id) return;
  if (found && found.id === own.takesOver) {
    await objects.put(OWNER_KEY, bytes);
    // Once: if that one is given the place back, it is on purpose.
    writeMirror(folder, own.id, '');
    return;
  }
  const { host = 'an unknown host', since = 'an unknown time' } = found ?? {};
  const { location } = objects;
  throw new TakenError(
    `${location} belongs to another store since ${since} (${host}), and nothing is copied there; to ` +
      `start from it, stop, move ${folder} away and start; to have this store replace it, delete ` +
      `${location}/${OWNER_KEY}; else set another metric-store.checkpoints.directory`,
  );
}

/** Id of the owner; '' if there is none. */
export async function ownerId(objects: ObjectStore): Promise<string> {
  return (await readOwner(objects))?.id ?? '';
}

/** Gives a folder that was filled from an owner's place an id of its own. */
export function noteFilled(folder: string, takesOver: string): void {
  writeMirror(folder, randomUUID(), takesOver);
}

function writeMirror(folder: string, id: string, takesOver: string): Mirror {
  const mirror: Mirror = { format: 1, id, takesOver };
  writeDurably(join(folder, MIRROR_FILE), `${JSON.stringify(mirror)}\n`);
  return mirror;
}

function readMirror(folder: string): Mirror | undefined {
  try {
    const mirror = JSON.parse(readFileSync(join(folder, MIRROR_FILE), 'utf8')) as Mirror;
    return mirror.format === 1 && mirror.id !== '' ? mirror : undefined;
  } catch {
    // Missing or damaged: then it has to be found out anew whose the objects are.
    return undefined;
  }
}

/** undefined: there is none. One that is damaged is nobody's. */
async function readOwner(objects: ObjectStore): Promise<Partial<Owner> | undefined> {
  try {
    return JSON.parse((await objects.get(OWNER_KEY)).toString()) as Owner;
  } catch (error) {
    if (!(error instanceof ObjectStoreError)) return {};
    if (error.reason === 'missing') return undefined;
    if (error.reason === 'damaged') return {};
    throw error;
  }
}
