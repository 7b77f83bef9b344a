import { StoreError } from '../model/errors.js';
import { ObjectStoreError } from '../object-store/object-store.js';

/** What asking the archive ended with, for the client: 503 where it may pass, as S3 can not be reached, else 500. */
export function archiveFailure(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const message = `the archive can not be asked: ${(error as Error).message}`;
  return new StoreError(mayPass(error) ? 'archive-unavailable' : 'internal', message);
}

function mayPass(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof ObjectStoreError) return at.reason === 'unreachable';
  }
  return false;
}
