import type { Limits, StoreConfig } from '../config/config.js';
import type { ParsedQuery } from '../model/query-request.js';

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
  readonly request: ParsedQuery;
  /** Those of its hosts that the shard owns; null = all it has of the cluster. */
  readonly hosts: readonly string[] | null;
  readonly samplesMax: number;
}

/** Samples of a series in memory. */
export interface ExportedSeries {
  readonly host: string;
  readonly metric: string;
  /** Types and ids below the host, in pairs. */
  readonly parts: readonly string[];
  readonly stepSec: number;
  readonly firstSlot: number;
  /** Slot by slot; NaN = missing. */
  readonly values: Float64Array;
}

/** A query that also asks the archive. */
export interface ArchiveQuery {
  /** The request's JSON text. */
  readonly text: string;
  readonly request: ParsedQuery;
  /** What is in memory, of all shards. */
  readonly inMemory: readonly ExportedSeries[];
}
