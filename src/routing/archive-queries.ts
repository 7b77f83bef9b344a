import type { Limits, StoreConfig } from '../config/config.js';
import { StoreError, type ErrorData } from '../model/errors.js';
import { parseQueryRequest, type ParsedQuery } from '../model/query-request.js';
import { QueryScope } from '../model/query-scope.js';
import type { ArchiveQuery, ExportedSeries, ExportRequest } from '../protocol/archive.js';
import { ArchivePool } from './archive-pool.js';
import type { QueryAnswer } from './store.js';

/** Requests that wait for the thread; each holds what shards have exported for it. */
const WAITING_MAX = 32;

/** Has shards export samples; the results of all of them. */
export type ExportSamples = (request: ExportRequest) => Promise<ExportedSeries[][]>;

/**
 * Queries that ask the archive as well: shards export what they have of the series asked for, and a
 * thread of its own puts it together with what is archived and answers as a shard would.
 */
export class ArchiveQueries {
  readonly #limits: Limits;
  readonly #export: ExportSamples;
  readonly #pool: ArchivePool;
  #waiting = 0;

  constructor(store: StoreConfig, limits: Limits, exportSamples: ExportSamples) {
    this.#limits = limits;
    this.#export = exportSamples;
    this.#pool = new ArchivePool({ store, limits });
    // If that fails, so does the first query, and tells it.
    this.#pool.run('warmUp').catch(() => undefined);
  }

  async answer(text: string, request: ParsedQuery): Promise<QueryAnswer> {
    if (this.#waiting >= WAITING_MAX) {
      const error = new StoreError(
        'queue-full',
        `${WAITING_MAX} requests wait for the archive already; send it again in a moment`,
      );
      return { ok: false, error };
    }
    this.#waiting++;
    try {
      const inMemory = await this.#export({
        request,
        hosts: new QueryScope(request).hosts,
        samplesMax: this.#limits.archiveSamplesMax,
      });
      const task: ArchiveQuery = { text, request, inMemory: inMemory.flat() };
      const answer = await this.#pool.run<{ value: Uint8Array } | { error: ErrorData }>(
        'query',
        task,
      );
      if ('error' in answer) return { ok: false, error: StoreError.fromData(answer.error) };
      return { ok: true, json: answer.value };
    } catch (error) {
      if (error instanceof StoreError) return { ok: false, error };
      const message = `the archive can not be asked: ${(error as Error).message}`;
      return { ok: false, error: new StoreError('internal', message) };
    } finally {
      this.#waiting--;
    }
  }

  stop(): Promise<void> {
    return this.#pool.stop();
  }
}

/** A request that wants the archive. Most do not: only where the word is there it is looked at. */
export function archiveRequest(text: string): ParsedQuery | undefined {
  if (!/"archive"/i.test(text)) return undefined;
  const request = parseQueryRequest(text);
  return request.archive ? request : undefined;
}
