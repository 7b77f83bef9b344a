import type { MessagePort } from 'node:worker_threads';
import type { Limits, StoreConfig } from '../config/config.js';
import type { ErrorData } from '../model/errors.js';
import type { HealthReport } from './health.js';
import type { HostsInUse } from './hosts-in-use.js';
import type { QueryCounts } from './query-limits.js';
import type { JobStatsShare, JobStatsTask, SelectSummary, SelectTask } from './select.js';
import type { FoundHost } from '../migration/checkpoint-directory.js';
import type { ArchiveSummary, RejectedLine } from '../routing/store.js';

/** What a shard needs to begin. Sent as the argument of its first task. */
export interface ShardStart {
  readonly shard: number;
  readonly memory: WebAssembly.Memory;
  readonly port: MessagePort;
  readonly store: StoreConfig;
  readonly limits: Limits;
  /** Of its hosts. */
  readonly hostsInUse: HostsInUse;
  /** Where its data is kept; undefined: nowhere. */
  readonly folders: ShardFolders | undefined;
}

/** Folders of a shard on disk. */
export interface ShardFolders {
  /** Where it writes. */
  readonly own: string;
  /** What it is restored from: its own, or those of all shards where there were more or fewer. */
  readonly sources: readonly string[];
  /** Names this shard, in this epoch of this store, among all there are: for files that leave it. */
  readonly origin: string;
  /** Where damaged files are kept, and such with data that was not taken. */
  readonly aside: string;
  /** Where JSON files of all shards go, if they are written. */
  readonly json: string;
  /** Hosts of this shard to import from files of cc-metric-store, before it serves. */
  readonly imports: readonly FoundHost[];
}

/** What a shard was restored from. */
export interface RestoreSummary {
  readonly series: number;
  readonly bytes: number;
  /** Of the log. */
  readonly frames: number;
  readonly milliseconds: number;
  /** What could not be read or has no place any more, each with its file. */
  readonly problems: readonly string[];
  /** What was imported; undefined if there was nothing to import. */
  readonly imported: ImportSummary | undefined;
}

/** What a shard took from files of cc-metric-store. */
export interface ImportSummary {
  readonly files: number;
  readonly bytes: number;
  /** Stored. */
  readonly samples: number;
  /** Not stored: too old or too far ahead; not finite; no memory. */
  readonly outsideRetention: number;
  readonly notFinite: number;
  readonly noRoom: number;
  /** Blocks that went again, the oldest first, to make room. */
  readonly evictedBlocks: number;
  /** Not stored: samples by metric, of metrics not configured and of series beyond series-max. */
  readonly unknownMetrics: Readonly<Record<string, number>>;
  readonly refusedMetrics: Readonly<Record<string, number>>;
  /** What could not be read, each with file, byte and reason: the first of `problemCount`. */
  readonly problems: readonly string[];
  readonly problemCount: number;
}

/** Front to shard, over the shard's own port. A bare 0 is the doorbell. */
export type ToShard = 0 | QueryMessage;

/** All about queries of one turn of the front's loop. */
export interface QueryMessage {
  readonly queries: readonly AnyQueryTask[];
  /** By id, once for each piece: it went to the client, or has a place to wait. */
  readonly taken: readonly number[];
  /** Nobody waits for these any more. */
  readonly cancelled: readonly number[];
}

export type AnyQueryTask = QueryTask | SelectTask | JobStatsTask;

export interface QueryTask {
  readonly id: number;
  /** The request's JSON text. */
  readonly text: string;
  /** Which of its queries this shard answers; null = all. */
  readonly indexes: readonly number[] | null;
  /** Of the list of the cluster's hosts that the front has from this shard; 0 = none. */
  readonly hostsVersion: number;
}

/** Hosts of a cluster in one shard, in sorted order; a list that differs has another version. */
export interface HostList {
  readonly version: number;
  readonly names: readonly string[];
}

/** Of a cluster that was never seen, and of a shard that has not told any. */
export const NO_HOSTS: HostList = { version: 0, names: [] };

/** Shard to front: everything that happened in one turn, in one message. */
export interface FromShard {
  /** Rejected lines of parts, before the parts are acknowledged. */
  readonly examples?: readonly PartExamples[];
  readonly batch?: AnswerBatch;
  /** Why parts failed that are acknowledged with this message. */
  readonly logFailure?: string;
  /** What the front's log should tell. */
  readonly warning?: string;
  /** A run of the archive that wrote something. */
  readonly archived?: ArchiveSummary;
  /** What a check of hosts has found. */
  readonly health?: HealthReport;
  /** Bytes that the heap will have when what is on disk is restored. */
  readonly heapBytes?: number;
}

export interface PartExamples {
  readonly position: number;
  /** Lines count from 1 within the part. */
  readonly first: readonly RejectedLine[];
  /** Rejected lines that there may be room for later. */
  readonly noRoom: number;
}

export interface AnswerBatch {
  readonly number: number;
  readonly answers: readonly ShardAnswer[];
}

/** An answer, or the next piece of a long one; all but `id`, `address` and `bytes` is in the last. */
export interface ShardAnswer {
  readonly id: number;
  readonly address: number;
  readonly bytes: number;
  /** More pieces of this answer follow. */
  readonly isPiece?: boolean;
  /** Of a piece of a selection: points in this one and those before. */
  readonly points?: number;
  /**
   * Ends of groups of results in the whole answer; only when the task named its indexes. Results
   * of consecutive indexes are a group, and so are those of one host for all nodes.
   */
  readonly ends?: readonly number[];
  /** Hosts of a for-all-nodes answer, in the order of their results; unset = as the task has them. */
  readonly hosts?: HostList;
  /** What the answer took of the limits of a request; only when the task named its indexes. */
  readonly counts?: QueryCounts;
  /** Only of selections. */
  readonly select?: SelectSummary;
  /** Only of statistics of jobs that several shards have shares of. */
  readonly jobStats?: JobStatsShare;
  readonly error?: ErrorData;
}
