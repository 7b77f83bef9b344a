import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BucketMark } from '../config/change.js';
import type { ReadClusters } from '../config/cluster-files.js';
import type { ConfigDocument } from '../config/document.js';
import type { Overlay } from '../config/settings.js';
import { isObject } from '../config/tolerant.js';
import { writeDurably } from '../storage/files.js';

export const LAST_GOOD_FILE = 'config.last-good.json';

/** It may hold passwords and tokens. */
const OWNER_ONLY = 0o600;

/** The configuration that was in effect last, with all that is needed to start with it. */
export interface LastGood {
  readonly format: 1;
  /** Path of the configuration file that it was made with; '' = there was none. */
  readonly file: string;
  /** ISO 8601. */
  readonly at: string;
  readonly source: string;
  readonly generation: number;
  /** What the file said; null: there was none. */
  readonly fileDocument: ConfigDocument | null;
  /** What came over the network, as a patch of it. */
  readonly overlay?: Overlay;
  readonly clusters: Pick<ReadClusters, 'clusters' | 'origins'>;
  readonly bucketMark?: BucketMark;
}

/**
 * Reads what was kept for a configuration file in a data folder; undefined: nothing, or it can not be
 * used, in which case `problem` is told why.
 */
export function readLastGood(
  folder: string,
  file: string,
  problem: (message: string) => void,
): LastGood | undefined {
  if (folder === '') return undefined;
  const path = join(folder, LAST_GOOD_FILE);
  try {
    const kept = JSON.parse(readFileSync(path, 'utf8')) as LastGood;
    if (kept.format !== 1 || kept.fileDocument === undefined || !isObject(kept.clusters)) {
      throw new Error('it is not of a form that this version knows');
    }
    // Another configuration with the same folder: what was sent was meant for the other.
    if (kept.file === file) return kept;
    if (kept.overlay) problem(`${path} is not used: it was made with ${kept.file}, not ${file}`);
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') problem(`${path} is not used: ${message}`);
    return undefined;
  }
}

/** Replaces it: after a crash there is the old one or the new one. Throws what the disk says. */
export function writeLastGood(folder: string, kept: LastGood): void {
  writeDurably(join(folder, LAST_GOOD_FILE), `${JSON.stringify(kept)}\n`, OWNER_ONLY);
}
