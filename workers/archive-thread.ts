// The Piscina entry of the threads of the archive: one reads it, and where it is on S3 another one uploads.
// No shard waits for a disk or a network because of it.
import type { ErrorData } from '../src/model/errors.js';
import { openObjectStore } from '../src/object-store/object-store.js';
import { archiveFailure } from '../src/storage/archive-failure.js';
import type {
  ArchivePiece,
  ArchiveQuery,
  ArchiveStart,
  ArchiveTask,
  UploadAnswer,
} from '../src/protocol/archive.js';
import { ArchiveAnswer } from './archive/archive-answer.js';
import { ArchiveReader } from './archive/archive-reader.js';
import { LocalSource, ObjectSource, type ArchiveSource } from './archive/archive-source.js';
import { ArchiveUpload } from './archive/archive-upload.js';
import { Deadline } from './archive/deadline.js';

interface Opened {
  readonly reader: ArchiveReader;
  /** Only where the archive is on S3. */
  readonly uploads: ArchiveUpload | undefined;
}

/** Opened by the first task; all tasks of a thread are about the same archive. */
let opened: Opened | undefined;

/** With the configuration as it is now, of which only the archive's place never changes. */
async function open(start: ArchiveStart): Promise<Opened> {
  opened ??= await openPlace(start);
  opened.reader.start = start;
  return opened;
}

async function openPlace(start: ArchiveStart): Promise<Opened> {
  const { directory: folder, location } = start.store.archive!;
  const objects = location === '' ? undefined : await openObjectStore(location, start.store.s3);
  const sources: ArchiveSource[] = [new LocalSource(folder)];
  if (objects) sources.push(new ObjectSource(objects));
  const uploads = objects && new ArchiveUpload(folder, objects);
  return { reader: new ArchiveReader(start, sources), uploads };
}

/** Loads what a query needs, so that the first one does not wait for it. */
export async function warmUp({ start }: { start: ArchiveStart }): Promise<void> {
  const { reader } = await open(start);
  await reader.warmUp();
}

/** The second before which all is that is archived, wherever it is. */
export async function archivedBefore({ start }: { start: ArchiveStart }): Promise<number> {
  const { reader } = await open(start);
  return new Deadline('query-time-ms-max', start.limits.queryTimeMsMax).race(
    reader.archivedBefore(),
  );
}

/** Answers a query of the first interface; errors cross the thread boundary as data. */
export async function query({
  start,
  task,
}: {
  start: ArchiveStart;
  task: ArchiveQuery;
}): Promise<{ value: Uint8Array } | { error: ErrorData }> {
  try {
    const { reader } = await open(start);
    const deadline = new Deadline('query-time-ms-max', start.limits.queryTimeMsMax);
    const scratch = await reader.load(task, deadline);
    const run = scratch.begin(task);
    const pieces: Uint8Array[] = [];
    for (;;) {
      const { bytes, isDone } = scratch.turn(run, Infinity);
      pieces.push(bytes);
      if (isDone) return { value: Buffer.concat(pieces) };
    }
  } catch (error) {
    return { error: archiveFailure(error).toData() };
  }
}

/** Answers a request of the second, piece by piece. */
export async function answer({
  start,
  task,
}: {
  start: ArchiveStart;
  task: ArchiveTask;
}): Promise<void> {
  try {
    const { reader } = await open(start);
    await new ArchiveAnswer(start.limits, reader, task).send();
  } catch (error) {
    const last = { error: archiveFailure(error).toData() };
    task.port.postMessage({ bytes: new Uint8Array(0), last } satisfies ArchivePiece);
  }
}

/** Uploads what waits. */
export async function upload({ start }: { start: ArchiveStart }): Promise<UploadAnswer> {
  const uploads = (await open(start)).uploads!;
  let answer: Pick<UploadAnswer, 'summary' | 'failure'>;
  try {
    answer = { summary: await uploads.run() };
  } catch (error) {
    answer = { failure: (error as Error).message };
  }
  const { files, bytes } = await uploads.waiting();
  return { ...answer, waitingFiles: files.length * 2, waitingBytes: bytes };
}
