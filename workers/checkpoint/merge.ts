import { renameSync, rmSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { syncFolderLater } from '../../src/storage/files.js';
import type { Segment } from './manifest.js';
import { DamageError, SectionReader, SectionWriter } from './section-file.js';

/** So many neighbours of about one size become one. */
const MERGE_COUNT = 8;
/** Sizes within this factor are about one. */
const SIZE_FACTOR = 8;
const SMALLEST_BYTES = 1024 * 1024;
/** Of what is free on the disk: the log and the next checkpoint need room as well. */
const FREE_SHARE_MAX = 0.5;
/** Segments that are so many times as large as what is in memory are written anew, unless they are small. */
const ANEW_FACTOR = 2;
const ANEW_BYTES_MIN = SMALLEST_BYTES;

/** The staging area and the checksum of its first so many bytes. */
export type Staging = (bytes: number) => { area: Buffer; checksum: bigint };

/**
 * Merges the newest segments into one, if there are enough of about one size; so a block is written
 * a few times in all, and files stay few. Where the disk has little room, fewer of them are merged. Returns the same
 * list if there was nothing to do. The caller publishes the list before it removes the files.
 */
export async function mergeSegments(
  folder: string,
  segments: readonly Segment[],
  staging: Staging,
  freeBytes = freeBytesOf,
): Promise<readonly Segment[]> {
  const first = firstToMerge(segments, (await freeBytes(folder)) * FREE_SHARE_MAX);
  if (first < 0) return segments;
  const merged = segments.slice(first);
  const last = merged.at(-1)!;
  const file = `${last.file}m`;
  const writer = await SectionWriter.create(join(folder, `${file}.new`));
  try {
    let checkpoint = 0;
    for (const segment of merged) {
      checkpoint = Math.max(checkpoint, await copySections(folder, segment, writer, staging));
    }
    await writer.end(checkpoint);
  } catch (error) {
    // What can not be read is left as it is; the restore says more of it.
    await writer.close().catch(() => undefined);
    rmSync(join(folder, `${file}.new`), { force: true });
    const isSource = error instanceof DamageError || (error as { code?: string }).code === 'ENOENT';
    if (isSource) return segments;
    throw error;
  }
  renameSync(join(folder, `${file}.new`), join(folder, file));
  await syncFolderLater(folder);
  const untilSec = Math.max(...merged.map((segment) => segment.untilSec));
  return [...segments.slice(0, first), { file, bytes: writer.bytes, untilSec }];
}

/**
 * Whether most of what segments have was freed, by the memory cap, say, long before the retention is over, and there
 * is room to write what is left of it, `liveBytes` at most. Then all blocks are written anew, and those files go: so
 * the disk has little more than twice what memory has, and a start reads no more.
 */
export async function areMostlyFreed(
  folder: string,
  segments: readonly Segment[],
  liveBytes: number,
  freeBytes = freeBytesOf,
): Promise<boolean> {
  const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  if (bytes < ANEW_BYTES_MIN || bytes < ANEW_FACTOR * liveBytes) return false;
  return (await freeBytes(folder)) * FREE_SHARE_MAX > liveBytes;
}

async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** Index of the first of the newest segments that are to be merged, -1 if there are too few of at most so many bytes. */
function firstToMerge(segments: readonly Segment[], bytesMax: number): number {
  let total = 0;
  let largest = SMALLEST_BYTES;
  let first = segments.length;
  let found = -1;
  while (first > 0) {
    const { bytes } = segments[first - 1]!;
    total += bytes;
    if (bytes > largest * SIZE_FACTOR || total > bytesMax) break;
    largest = Math.max(largest, bytes);
    first--;
    if (segments.length - first >= MERGE_COUNT) found = first;
  }
  return found;
}

async function copySections(
  folder: string,
  segment: Segment,
  writer: SectionWriter,
  staging: Staging,
): Promise<number> {
  const { area } = staging(0);
  const path = join(folder, segment.file);
  const reader = new SectionReader(path, area, (_at, bytes) => staging(bytes).checksum);
  let checkpoint = 0;
  try {
    for (let section = reader.next(); section; section = reader.next()) {
      checkpoint = Math.max(checkpoint, section.checkpoint);
      writer.append(section, false);
      await writer.settled();
      await nextTurn();
    }
  } finally {
    reader.close();
  }
  return checkpoint;
}
