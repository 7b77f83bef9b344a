import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseStoreFile, shardFolder, STORE_FILE } from '../../src/storage/store-file.js';
import { MANIFEST_FILE, parseManifest, type Manifest } from '../checkpoint/manifest.js';

/** A file that a manifest names; its key at the other end is its path below the folder of all. */
export interface PublishedFile {
  readonly key: string;
  readonly bytes: number;
  readonly timeMs: number;
}

/** What one shard has published: all of it belongs together. */
export interface PublishedShard {
  readonly prefix: string;
  readonly manifestKey: string;
  readonly manifestText: string;
  /** Number of the checkpoint. */
  readonly checkpoint: number;
  readonly files: readonly PublishedFile[];
}

/** What is published in a folder at one moment. */
export interface Published {
  readonly storeText: string;
  readonly epoch: number;
  readonly shardCount: number;
  readonly shards: readonly PublishedShard[];
  /** Of shards that are left out. */
  readonly problems: readonly string[];
}

/** So often a manifest is read again whose files went while it was looked at. */
const TRIES_MAX = 20;

/** Reads it; undefined while there is nothing. */
export function readPublished(folder: string): Published | undefined {
  const storeText = readIfThere(join(folder, STORE_FILE));
  const store = storeText === undefined ? undefined : parseStoreFile(storeText);
  if (storeText === undefined || !store) return undefined;
  const shards: PublishedShard[] = [];
  const problems: string[] = [];
  for (let i = 0; i < store.shards; i++) {
    try {
      const shard = readShard(folder, shardFolder(store.epoch, i));
      if (shard) shards.push(shard);
    } catch (error) {
      problems.push(`shard ${i} is not copied: ${(error as Error).message}`);
    }
  }
  return { storeText, epoch: store.epoch, shardCount: store.shards, shards, problems };
}

/** Keys of the files that a manifest names. */
export function filesOf(prefix: string, manifest: Manifest): string[] {
  return [manifest.series, ...manifest.segments].map(({ file }) => `${prefix}/${file}`);
}

/** A checkpoint may publish the next manifest and remove files at any time: then it is read again. */
function readShard(folder: string, prefix: string): PublishedShard | undefined {
  const manifestKey = `${prefix}/${MANIFEST_FILE}`;
  let before: string | undefined;
  for (let tries = 0; ; tries++) {
    const text = readIfThere(join(folder, manifestKey));
    if (text === undefined) return undefined;
    try {
      const manifest = parseManifest(text, manifestKey);
      const files = filesOf(prefix, manifest).map((key) => {
        const { size, mtimeMs } = statSync(join(folder, key));
        return { key, bytes: size, timeMs: Math.round(mtimeMs) };
      });
      return { prefix, manifestKey, manifestText: text, checkpoint: manifest.checkpoint, files };
    } catch (error) {
      // The same manifest again: the file is missing for good.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      if (text === before || tries >= TRIES_MAX) throw error;
      before = text;
    }
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
