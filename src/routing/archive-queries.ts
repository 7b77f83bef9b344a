import { MessageChannel } from 'node:worker_threads';
import type { Limits, StoreConfig } from '../config/config.js';
import { StoreError, type ErrorData } from '../model/errors.js';
import { parseQueryRequest, type ParsedQuery } from '../model/query-request.js';
import type { ReadRequest } from '../model/read-scope.js';
import {
  PROGRESS_CANCELLED,
  PROGRESS_TAKEN,
  type ArchivePiece,
  type ArchiveQuery,
  type ArchiveRead,
  type ArchiveTask,
  type ExportedSeries,
  type ExportRequest,
} from '../protocol/archive.js';
import type { ShardAnswer } from '../protocol/messages.js';
import type { JobStatsTask, SelectTask } from '../protocol/select.js';
import { archiveFailure } from '../storage/archive-failure.js';
import { ArchiveBound } from './archive-bound.js';
import { ArchivePool } from './archive-pool.js';
import type { AnswerReceiver, ArchiveTarget } from './query-port.js';
import type { ShardClient } from './shard-client.js';
import type { QueryAnswer, TimeSpan } from './store.js';
import { WaitingLine } from './waiting-line.js';

/** Requests that wait for the thread. */
export const WAITING_MAX = 32;

/** Has shards export samples; the results of all of them. */
export type ExportSamples = (request: ExportRequest) => Promise<ExportedSeries[][]>;

/** A request under way. */
interface Running {
  readonly receiver: AnswerReceiver;
  /** What has come of an answer that is wanted as a whole. */
  readonly pieces: Uint8Array[];
  readonly progress: Int32Array;
}

/**
 * Requests that ask the archive as well: shards export what they have of the series asked for, and a
 * thread of its own puts it together with what is archived and answers as a shard would. One after the
 * other: the rest wait, and hold nothing.
 */
export class ArchiveQueries implements ArchiveTarget {
  readonly #limits: Limits;
  readonly #store: StoreConfig;
  readonly #export: ExportSamples;
  readonly #pool: ArchivePool;
  readonly #line: WaitingLine;
  readonly #bound: ArchiveBound;
  readonly #running = new Map<number, Running>();

  constructor(
    store: StoreConfig,
    limits: Limits,
    shards: readonly ShardClient[],
    exportSamples: ExportSamples,
  ) {
    this.#limits = limits;
    this.#store = store;
    this.#export = exportSamples;
    this.#line = new WaitingLine({
      what: 'the archive',
      waitingMax: WAITING_MAX,
      waitMsMax: () => limits.queryTimeMsMax,
    });
    this.#pool = new ArchivePool({ store, limits });
    // If that fails, so does the first query, and tells it.
    this.#pool.run('warmUp').catch(() => undefined);
    this.#bound = new ArchiveBound(store, shards, () => this.#pool.run('archivedBefore'));
  }

  needed(wanted: boolean | undefined): (range: TimeSpan) => boolean {
    if (wanted !== undefined) return () => wanted;
    const { sec } = this.#bound;
    return ({ fromSec }) => fromSec < sec;
  }

  /** Answers a query of the first interface. */
  async answer(text: string, query: ParsedQuery): Promise<QueryAnswer> {
    try {
      const answer = await this.#line.run(async () => {
        const task: ArchiveQuery = { ...(await this.#read({ query })), text };
        return this.#pool.ask<{ value: Uint8Array } | { error: ErrorData }>(
          'query',
          task,
          buffersOf(task),
        );
      });
      if ('error' in answer!) throw StoreError.fromData(answer.error);
      return { ok: true, json: answer!.value };
    } catch (error) {
      return { ok: false, error: archiveFailure(error) };
    }
  }

  /** Answers a request of the second interface. */
  query(task: SelectTask | JobStatsTask, receiver: AnswerReceiver): void {
    const progress = new Int32Array(new SharedArrayBuffer(8));
    this.#running.set(task.id, { receiver, pieces: [], progress });
    this.#line
      .run(
        () => this.#send(task, progress),
        () => this.#running.has(task.id),
        task.isLow,
      )
      .catch((error: unknown) => this.#done(task.id, archiveFailure(error)));
  }

  taken(id: number): void {
    const progress = this.#running.get(id)?.progress;
    if (progress) Atomics.add(progress, PROGRESS_TAKEN, 1);
  }

  cancel(id: number): void {
    const progress = this.#running.get(id)?.progress;
    if (progress) Atomics.store(progress, PROGRESS_CANCELLED, 1);
    this.#running.delete(id);
  }

  async stop(): Promise<void> {
    this.#bound.stop();
    this.#line.stop();
    await this.#pool.stop();
  }

  async #send(task: SelectTask | JobStatsTask, progress: Int32Array): Promise<void> {
    const read = await this.#read('jobStats' in task ? { jobs: this.#jobsOf(task) } : task);
    if (!this.#running.has(task.id)) return;
    const { port1, port2 } = new MessageChannel();
    // The last piece comes by the port, and the thread's own end by another way.
    const isAnswered = new Promise<void>((resolve) => {
      port1.on('message', ({ bytes, last }: ArchivePiece) => {
        this.#take(task.id, bytes, last);
        if (last) resolve();
      });
      port1.on('close', resolve);
    });
    const sent: ArchiveTask = { ...read, task, port: port2, progress };
    try {
      await this.#pool.ask('answer', sent, [port2, ...buffersOf(sent)]);
      if (Atomics.load(progress, PROGRESS_CANCELLED) === 0) await isAnswered;
    } finally {
      port1.close();
    }
  }

  async #read(request: ReadRequest): Promise<ArchiveRead> {
    const read: ReadRequest = 'select' in request ? { select: request.select } : request;
    const samplesMax = this.#limits.archiveSamplesMax;
    return { read, inMemory: (await this.#export({ read, samplesMax })).flat() };
  }

  /** Jobs with the metrics they mean where they name none. */
  #jobsOf({ jobStats }: JobStatsTask): JobStatsTask['jobStats']['jobs'] {
    const metrics = new Map(
      this.#store.clusters.map(({ name, metrics: all }) => [
        name,
        Object.keys(all).filter((metric) => all[metric]!.footprint !== ''),
      ]),
    );
    return jobStats.jobs
      .filter(({ hosts }) => hosts.length > 0)
      .map((job) => ({ ...job, metrics: job.metrics ?? metrics.get(job.cluster) ?? [] }));
  }

  #take(id: number, bytes: Uint8Array, last: ArchivePiece['last']): void {
    const running = this.#running.get(id);
    if (!running) return;
    const { receiver, pieces } = running;
    if (receiver.onPiece && bytes.length > 0) receiver.onPiece(bytes, 0);
    else if (!receiver.onPiece) pieces.push(bytes);
    if (last) this.#done(id, { id, address: 0, bytes: 0, ...last });
  }

  #done(id: number, answer: ShardAnswer | StoreError): void {
    const running = this.#running.get(id);
    if (!running) return;
    this.#running.delete(id);
    const { receiver, pieces } = running;
    const whole = Buffer.concat(pieces);
    if (answer instanceof StoreError) receiver.done(answer, whole);
    else receiver.done({ ...answer, bytes: whole.length }, whole);
  }
}

function buffersOf({ inMemory }: ArchiveRead): ArrayBuffer[] {
  return inMemory.map(({ values }) => values.buffer as ArrayBuffer);
}

/** A query that wants the archive. Most do not: only where the word is there it is looked at. */
export function archiveRequest(text: string): ParsedQuery | undefined {
  if (!/"archive"/i.test(text)) return undefined;
  const request = parseQueryRequest(text);
  return request.archive ? request : undefined;
}
