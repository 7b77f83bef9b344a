import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably } from '../../src/storage/files.js';
import { DamageError } from './section-file.js';

export const MANIFEST = 'MANIFEST';
/** What it is called, and while it is being written. */
export const MANIFEST_NAME = /^MANIFEST(\.new)?$/;
const FORMAT = 1;

/** A file of sealed blocks. */
export interface Segment {
  readonly file: string;
  readonly bytes: number;
  /** No block in it has a sample later than this. */
  readonly untilSec: number;
}

/** What a shard's checkpoint is made of. Files that it does not name are not part of it. */
export interface Manifest {
  readonly format: number;
  /** Number of the checkpoint. */
  readonly checkpoint: number;
  readonly savedAtMs: number;
  /** The first frame of the log that is not, or only in part, in the checkpoint. */
  readonly firstFrame: number;
  /** The first log file with such frames. */
  readonly firstLog: number;
  readonly nextSeriesId: number;
  /** Of the last run of the archive that was told of; none in files of before there was one. */
  readonly archiveRun?: number;
  /** Names and steps of metrics by the index that series have in the checkpoint. */
  readonly metrics: readonly { readonly name: string; readonly stepSec: number }[];
  /** The file with the state of all series. */
  readonly series: { readonly file: string; readonly bytes: number; readonly count: number };
  /** Oldest first: a block in a later one takes the place of one before. */
  readonly segments: readonly Segment[];
}

/** The manifest of a shard's folder; undefined if there is none. Throws DamageError. */
export function readManifest(folder: string): Manifest | undefined {
  try {
    return readManifestFile(join(folder, MANIFEST));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A file of that format, whatever its name. Throws DamageError, or what the system says. */
export function readManifestFile(path: string): Manifest {
  const text = readFileSync(path, 'utf8');
  const end = text.indexOf('\n');
  const json = text.slice(0, end);
  if (text.slice(end + 1).trim() !== digest(json)) {
    throw new DamageError(path, -1, 'its checksum is wrong');
  }
  const manifest = JSON.parse(json) as Manifest;
  if (manifest.format !== FORMAT) {
    throw new DamageError(path, -1, `format ${manifest.format}, not ${FORMAT}`);
  }
  return manifest;
}

/** Makes a checkpoint the one that counts, at once or not at all. */
export function publishManifest(folder: string, manifest: Omit<Manifest, 'format'>): void {
  const json = JSON.stringify({ format: FORMAT, ...manifest });
  writeDurably(join(folder, MANIFEST), `${json}\n${digest(json)}\n`);
}

function digest(json: string): string {
  return createHash('sha256').update(json).digest('hex');
}
