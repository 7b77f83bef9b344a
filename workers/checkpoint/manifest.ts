import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  replaceFile,
  replaceFileLater,
  syncFolder,
  syncFolderLater,
} from '../../src/storage/files.js';
import { FILE } from './file-names.js';
import { DamageError } from './section-file.js';

export const MANIFEST_FILE = 'MANIFEST';
/** The same once more: a manifest is all that tells what belongs to a checkpoint. */
export const MANIFEST_COPY = 'MANIFEST.copy';
/** What they are called, and while they are being written. */
export const MANIFEST_NAME = /^MANIFEST(\.copy)?(\.new)?$/;
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
  /** The second before which all is that was archived; none in files of before this was noted. */
  readonly archivedBeforeSec?: number;
  /** Bytes in use of the heap when it was made; none in files of before this was noted. */
  readonly heapBytes?: number;
  /** Names and steps of metrics by the index that series have in the checkpoint. */
  readonly metrics: readonly { readonly name: string; readonly stepSec: number }[];
  /** The file with the state of all series. */
  readonly series: { readonly file: string; readonly bytes: number; readonly count: number };
  /** Oldest first: a block in a later one takes the place of one before. */
  readonly segments: readonly Segment[];
}

/** What a folder's two copies of a manifest gave. */
export interface ManifestRead {
  /** Undefined if there is none. */
  readonly manifest: Manifest | undefined;
  /** Why one of the two could not be read. */
  readonly damage: DamageError | undefined;
  /** Both are there, and say the same; else it has to be published again before anything is removed. */
  readonly isTwofold: boolean;
}

/**
 * The manifest of a shard's folder, from the copy if the first one can not be read. Of two that differ,
 * which a crash in between leaves, either is good: nothing that one of them names is removed before both
 * are written. Throws DamageError if there is none that can be read.
 */
export function readManifest(folder: string): ManifestRead {
  const first = tryToRead(join(folder, MANIFEST_FILE));
  const second = tryToRead(join(folder, MANIFEST_COPY));
  const manifest = first.manifest ?? second.manifest;
  const damage = first.damage ?? second.damage;
  if (damage && !manifest) throw damage;
  const isTwofold = JSON.stringify(first.manifest) === JSON.stringify(second.manifest);
  if (first.manifest || !manifest || damage) return { manifest, damage, isTwofold };
  // A crash does not take it: somebody has.
  const missing = new DamageError(join(folder, MANIFEST_FILE), -1, 'it is missing');
  return { manifest, damage: missing, isTwofold };
}

function tryToRead(path: string): { manifest?: Manifest; damage?: DamageError } {
  try {
    return { manifest: readManifestFile(path) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    if (error instanceof DamageError) return { damage: error };
    return { damage: new DamageError(path, -1, (error as Error).message) };
  }
}

/** A file of that format, whatever its name. Throws DamageError, or what the system says. */
export function readManifestFile(path: string): Manifest {
  return parseManifest(readFileSync(path, 'utf8'), path);
}

/** `name` is told where it is damaged. Throws DamageError. */
export function parseManifest(text: string, name: string): Manifest {
  const end = text.indexOf('\n');
  const json = text.slice(0, end);
  if (text.slice(end + 1).trim() !== digest(json)) {
    throw new DamageError(name, -1, 'its checksum is wrong');
  }
  const manifest = JSON.parse(json) as Manifest;
  if (manifest.format !== FORMAT) {
    throw new DamageError(name, -1, `format ${manifest.format}, not ${FORMAT}`);
  }
  const wrong = wrongField(manifest);
  if (wrong !== '') throw new DamageError(name, -1, `its field ${wrong} makes no sense`);
  return manifest;
}

/** Of a text whose checksum is right: whoever wrote it has had a mistake, which must not stop a start. */
function wrongField(manifest: Partial<Manifest>): string {
  const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;
  const isFile = (value: Partial<Segment> | undefined): boolean =>
    typeof value?.file === 'string' && FILE.test(value.file) && isCount(value.bytes);
  const { archiveRun = 0, archivedBeforeSec = 0, heapBytes = 0 } = manifest;
  const { metrics, series, segments } = manifest;
  const counts = {
    checkpoint: manifest.checkpoint,
    firstFrame: manifest.firstFrame,
    firstLog: manifest.firstLog,
    nextSeriesId: manifest.nextSeriesId,
    archiveRun,
    archivedBeforeSec,
    heapBytes,
  };
  const wrong = Object.entries(counts).find(([, value]) => !isCount(value));
  if (wrong) return wrong[0];
  if (!isFile(series) || !isCount(series?.count)) return 'series';
  if (!Array.isArray(segments) || !segments.every(isFile)) return 'segments';
  const isMetric = ({ name, stepSec }: { name?: unknown; stepSec?: unknown }): boolean =>
    typeof name === 'string' && isCount(stepSec) && stepSec !== 0;
  const isList = Array.isArray(metrics) && metrics.every((metric) => isMetric(metric ?? {}));
  return isList ? '' : 'metrics';
}

/**
 * Makes a checkpoint the one that counts, at once or not at all. Only when this has returned, what the
 * one before needs may go. Throws; then either may be the one that a restart finds.
 */
export function publishManifest(folder: string, manifest: Omit<Manifest, 'format'>): void {
  const text = textOf(manifest);
  replaceFile(join(folder, MANIFEST_FILE), text);
  replaceFile(join(folder, MANIFEST_COPY), text);
  syncFolder(folder);
}

/** The same, beside all other work of the thread: a disk that has much to write takes long for it. */
export async function publishManifestLater(
  folder: string,
  manifest: Omit<Manifest, 'format'>,
): Promise<void> {
  const text = textOf(manifest);
  await replaceFileLater(join(folder, MANIFEST_FILE), text);
  await replaceFileLater(join(folder, MANIFEST_COPY), text);
  await syncFolderLater(folder);
}

function textOf(manifest: Omit<Manifest, 'format'>): string {
  const json = JSON.stringify({ format: FORMAT, ...manifest });
  return `${json}\n${digest(json)}\n`;
}

function digest(json: string): string {
  return createHash('sha256').update(json).digest('hex');
}
