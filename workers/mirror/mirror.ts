// The Piscina entry of the mirror's thread: a table of named tasks. Hashes, signatures and encryption
// are done here, not in the front or a shard.
import {
  ObjectStoreError,
  openObjectStore,
  type ObjectStore,
} from '../../src/object-store/object-store.js';
import {
  MirrorProgress,
  type CopySummary,
  type DownloadSummary,
  type MirrorAnswer,
  type MirrorFailure,
  type MirrorTask,
} from '../../src/protocol/mirror.js';
import { Copier } from './copier.js';
import { Download } from './download.js';
import { TakenError } from './owner.js';

/** Opened by the first task; all tasks of a thread are about the same place. */
let objects: ObjectStore | undefined;
let copier: Copier | undefined;

/** Copies what is published now. */
export function copy(task: MirrorTask): Promise<MirrorAnswer<CopySummary>> {
  return answer(task, (store, progress) => {
    copier ??= new Copier(store, task.folder, progress);
    return copier.run();
  });
}

/** Fills an empty folder, if there is something to fill it with. */
export function download(task: MirrorTask): Promise<MirrorAnswer<DownloadSummary>> {
  return answer(task, (store, progress) => new Download(store, task.folder, progress).run());
}

/** Errors cross the thread boundary as data: a class error would arrive without its reason. */
async function answer<Summary>(
  task: MirrorTask,
  work: (store: ObjectStore, progress: MirrorProgress) => Promise<Summary>,
): Promise<MirrorAnswer<Summary>> {
  try {
    objects ??= await openObjectStore(task.location, task.s3);
    return { summary: await work(objects, new MirrorProgress(task.progress)) };
  } catch (error) {
    return { failure: failureOf(error) };
  }
}

function failureOf(error: unknown): MirrorFailure {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof TakenError) return { reason: 'taken', message };
  const isDenied = error instanceof ObjectStoreError && error.reason === 'denied';
  return { reason: isDenied ? 'denied' : 'failed', message };
}
