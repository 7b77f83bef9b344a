// The Piscina entry of the thread that reads the archive: no shard waits for a disk because of it.
import { StoreError, type ErrorData } from '../src/model/errors.js';
import type { ArchiveQuery, ArchiveStart } from '../src/protocol/archive.js';
import { ArchiveReader } from './archive/archive-reader.js';

let reader: ArchiveReader | undefined;

/** Begins; called once. */
export function start(task: ArchiveStart): void {
  reader = new ArchiveReader(task);
}

/** Answers a query; errors cross the thread boundary as data. */
export async function query(
  task: ArchiveQuery,
): Promise<{ value: Uint8Array } | { error: ErrorData }> {
  try {
    return { value: await reader!.query(task) };
  } catch (error) {
    if (error instanceof StoreError) return { error: error.toData() };
    const message = `the archive can not be asked: ${(error as Error).message}`;
    return { error: { code: 'internal', message } };
  }
}
