// The Piscina entry of the threads of the archive: one reads it, and where it is on S3 another one uploads.
// No shard waits for a disk or a network because of it.
import { StoreError, type ErrorData } from '../src/model/errors.js';
import { openObjectStore } from '../src/object-store/object-store.js';
import type { ArchiveQuery, ArchiveStart, UploadAnswer } from '../src/protocol/archive.js';
import { ArchiveReader } from './archive/archive-reader.js';
import { LocalSource, ObjectSource, type ArchiveSource } from './archive/archive-source.js';
import { ArchiveUpload } from './archive/archive-upload.js';

interface Opened {
  readonly reader: ArchiveReader;
  /** Only where the archive is on S3. */
  readonly uploads: ArchiveUpload | undefined;
}

/** Opened by the first task; all tasks of a thread are about the same archive. */
let opened: Opened | undefined;

async function open(start: ArchiveStart): Promise<Opened> {
  const { directory: folder, location } = start.store.archive!;
  const objects = location === '' ? undefined : await openObjectStore(location, start.store.s3);
  const sources: ArchiveSource[] = [new LocalSource(folder)];
  if (objects) sources.push(new ObjectSource(objects));
  const uploads = objects && new ArchiveUpload(folder, objects);
  return { reader: new ArchiveReader(start, sources), uploads };
}

/** Loads what a query needs, so that the first one does not wait for it. */
export async function warmUp({ start }: { start: ArchiveStart }): Promise<void> {
  opened ??= await open(start);
  await opened.reader.warmUp();
}

/** Answers a query; errors cross the thread boundary as data. */
export async function query({
  start,
  task,
}: {
  start: ArchiveStart;
  task: ArchiveQuery;
}): Promise<{ value: Uint8Array } | { error: ErrorData }> {
  try {
    opened ??= await open(start);
    return { value: await opened.reader.query(task) };
  } catch (error) {
    if (error instanceof StoreError) return { error: error.toData() };
    const message = `the archive can not be asked: ${(error as Error).message}`;
    return { error: { code: 'internal', message } };
  }
}

/** Uploads what waits. */
export async function upload({ start }: { start: ArchiveStart }): Promise<UploadAnswer> {
  opened ??= await open(start);
  const uploads = opened.uploads!;
  let answer: Pick<UploadAnswer, 'summary' | 'failure'>;
  try {
    answer = { summary: await uploads.run() };
  } catch (error) {
    answer = { failure: (error as Error).message };
  }
  const { files, bytes } = await uploads.waiting();
  return { ...answer, waitingFiles: files.length * 2, waitingBytes: bytes };
}
