import type { Limits, StoreConfig } from '../config/config.js';
import type { MessagePort } from 'node:worker_threads';
import type { ReadRequest } from '../model/read-scope.js';
import type { ShardAnswer } from './messages.js';
import type { JobStatsTask, SelectTask } from './select.js';

/** What the thread that reads the archive needs to begin. */
export interface ArchiveStart {
  readonly store: StoreConfig;
  readonly limits: Limits;
}

/** What an upload of the files that waited came to. */
export interface UploadSummary {
  readonly uploadedFiles: number;
  readonly uploadedBytes: number;
}

/** How an upload ended, and what waits now. Failures cross the thread boundary as data. */
export interface UploadAnswer {
  readonly summary?: UploadSummary;
  readonly failure?: string;
  readonly waitingFiles: number;
  readonly waitingBytes: number;
}

/** What a shard is asked for, to be put together with what the archive has. */
export interface ExportRequest {
  readonly read: ReadRequest;
  readonly samplesMax: number;
}

/** Samples of a series in memory. */
export interface ExportedSeries {
  readonly cluster: string;
  readonly host: string;
  readonly metric: string;
  /** Types and ids below the host, in pairs. */
  readonly parts: readonly string[];
  readonly stepSec: number;
  readonly firstSlot: number;
  /** Slot by slot; NaN = missing. */
  readonly values: Float64Array;
}

/** What a request is answered from. */
export interface ArchiveRead {
  readonly read: ReadRequest;
  /** What is in memory, of all shards. */
  readonly inMemory: readonly ExportedSeries[];
}

/** A query of the first interface that also asks the archive. */
export interface ArchiveQuery extends ArchiveRead {
  /** The request's JSON text. */
  readonly text: string;
}

/** A request of the second. */
export interface ArchiveTask extends ArchiveRead {
  readonly task: SelectTask | JobStatsTask;
  /** Where the answer goes: an {@link ArchivePiece} after another. */
  readonly port: MessagePort;
  /** Int32: pieces that the client has taken, and whether nobody waits any more (1). */
  readonly progress: Int32Array;
}

export const PROGRESS_TAKEN = 0;
export const PROGRESS_CANCELLED = 1;

/** Bytes of an answer; `last` is there with the last of them. */
export interface ArchivePiece {
  readonly bytes: Uint8Array;
  readonly last?: Partial<ShardAnswer>;
}
