import type { ClusterSet } from '../auth/identity.js';
import type { CataloguePage, CatalogueRequest } from '../model/catalogue.js';
import type { OutputForm } from '../../workers/output/forms.js';
import type { Limits, StoreConfig } from '../config/config.js';
import type { TurnKind } from '../protocol/counters.js';
import type { LatencyHistogram } from '../protocol/latency-histogram.js';
import type { HealthPage, HealthPageRequest } from '../model/health.js';
import type { CheckSummary, GroupHealth, HealthReport } from '../protocol/health.js';
import type { ShardReconfigured } from '../protocol/reconfigure.js';
import type { MetricChanges } from './metric-changes.js';
import type { StoreError } from '../model/errors.js';
import type {
  BlocksPage,
  BlocksRequest,
  FreePreview,
  LevelsPage,
  LevelsRequest,
  PrefixesPage,
  PrefixesRequest,
} from '../model/inspection.js';
import type { RejectedLines } from './rejected-lines.js';
import type { JobStatsRequest, SelectRequest } from '../model/selection.js';

/**
 * What the front's routes may ask of the shards. `ShardSet` implements it; routes know nothing
 * of rings, ports or memory.
 */
export interface Store {
  readonly shardCount: number;

  /** Starts taking a body. Throws `queue-full` or `shard-unavailable`: nothing was taken then. */
  beginWrite(options: WriteOptions): WriteSession;

  /**
   * Answers one query request, given as the JSON text of its body. `deliver` is called exactly
   * once; the view in it is valid only until `deliver` returns.
   */
  query(text: string, deliver: (answer: QueryAnswer) => void): void;

  /** Answers selections. It is loaded when it is asked for: not every store needs it. */
  selections(): Promise<Selections>;

  /**
   * An entity tag for what is asked by `text` of ranges that are settled: it changes when late samples
   * come or samples are freed. undefined: they may still change, or are in the archive, as `archive` of
   * the request and their times tell: files come and go there without notice.
   */
  versionOf(
    ranges: readonly TimeSpan[],
    text: string,
    archive: boolean | undefined,
  ): string | undefined;

  /** Statistics of jobs as JSON text; `isLow`: when nothing else is to be done. Rejects with StoreError. */
  jobStats(request: JobStatsRequest, isLow?: boolean): Promise<Uint8Array>;

  /** Frees whole blocks older than `toSec` below each selector; resolves to how many. */
  free(selectors: readonly (readonly string[])[], toSec: number): Promise<number>;

  /** The level tree at a selector (`[]` = everything) as JSON text; rejects `bad-request` if unknown. */
  debug(selector: readonly string[]): Promise<string>;

  /** What lies in memory, in detail. It is loaded when it is asked for. */
  inspection(): Promise<Inspection>;

  /** Examples of lines that were rejected; told by those who take lines. */
  readonly rejectedLines: RejectedLines;

  /** A page of what is in memory. Rejects with StoreError. */
  catalogue(request: CatalogueRequest): Promise<CataloguePage>;

  /** State of each node asked for, by the rules of the health check. */
  health(request: HealthRequest): Promise<Record<string, NodeHealth>>;

  /** States of hosts and their metrics, as checks find them. */
  readonly hostHealth: HostHealth;

  /** Metrics of hosts that came in a unit which can not be converted to theirs, sorted. */
  unitMismatches(filter: UnitMismatchFilter): Promise<UnitMismatches>;

  /** Has every shard archive what is past the retention; what each came to. Rejects with why one failed. */
  archive(): Promise<ArchiveSummary[]>;
  /** Has every shard make a checkpoint; what each came to. Rejects with why one failed. */
  checkpoint(): Promise<CheckpointSummary[]>;

  /**
   * Goes on with another configuration, which may differ in what can be changed live only; see `needsRestart`.
   * `limits` are those of the front as well: they are changed in place. Resolves when all shards that are up
   * have it; others are started with it. Rejects with StoreError: then nothing was changed.
   */
  reconfigure(next: StoreConfig, limits: Limits): Promise<ReconfigureSummary>;

  /** A cheap look at the counters; reads shared memory only. */
  status(): StoreStatus;

  /** How long turns of the shards took; as cheap. */
  turnTimes(): readonly TurnTimes[];

  /** Lets what was accepted finish, then ends the shards. */
  stop(): Promise<void>;
}

export interface WriteOptions {
  /** Cluster for lines that name none; '' = such lines are rejected. */
  readonly cluster: string;
  /** One of `PRECISION_*` of the memory layout. */
  readonly precision: number;
  /** From Content-Length (after decompression it is exact), or 0 if unknown. */
  readonly bytesExpected: number;
  /** Lines that name others are rejected; unset or null = all may be written. */
  readonly clusters?: ClusterSet;
}

/** One body on its way in. Chunks are copied before `push` returns. */
export interface WriteSession {
  /** False: the store has no room; stop reading the socket until `onDrain` is called. */
  push(chunk: Uint8Array): boolean;
  onDrain: (() => void) | undefined;
  /** All chunks were pushed; resolves when the samples can be queried. Rejects with StoreError. */
  finish(): Promise<WriteSummary>;
  /** The client went away: what was not yet handed to a shard is dropped. */
  abort(): void;
}

export interface WriteSummary {
  readonly written: number;
  readonly ignored: number;
  readonly rejected: number;
  /** How many of these there may be room for later: memory is full, or the archive is being written. */
  readonly noRoom?: number;
  /** How many of these name clusters that may not be written to. */
  readonly forbidden?: number;
  /** At most 10 rejected lines, in order; line and column count from 1. */
  readonly first: readonly RejectedLine[];
}

export interface RejectedLine {
  readonly line: number;
  readonly column: number;
  readonly reason: string;
}

export type QueryAnswer =
  | { readonly ok: true; readonly json: Uint8Array }
  | { readonly ok: false; readonly error: StoreError };

/** From `fromSec` until before `toSec`. */
export interface TimeSpan {
  readonly fromSec: number;
  readonly toSec: number;
}

export interface Selections {
  /**
   * Answers a selection in one of the forms. Throws `bad-request` if the form can not have it, or it
   * wants an archive that is not there. `isLow`: it is worked on when nothing else is to be done.
   */
  select(
    request: SelectRequest,
    form: OutputForm,
    sink: SelectSink,
    isLow?: boolean,
  ): RunningSelect;
}

/** Where the answer to a selection goes. */
export interface SelectSink {
  /** Called once, for an answer that is not streamed, or a failure before anything was written. */
  deliver(answer: SelectAnswer): void;
  /** Some of a streamed answer, read before this returns. False: call `drained` when there is room. */
  write(bytes: Uint8Array): boolean;
  end(): void;
  /** It can not be made whole. */
  abort(error: StoreError): void;
}

export type SelectAnswer =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly error: StoreError };

export interface RunningSelect {
  /** The client takes more. */
  drained(): void;
  /** The client is gone. */
  cancel(): void;
}

/** For those who look for a mistake. All of it has low priority, and rejects with StoreError. */
export interface Inspection {
  /** Rejects with `not-found` if there is no such level. */
  levels(request: LevelsRequest): Promise<LevelsPage>;
  /** Rejects with `not-found` if there is no such series. */
  blocks(request: BlocksRequest): Promise<BlocksPage>;
  prefixes(shard: number, request: PrefixesRequest): Promise<PrefixesPage>;
  /** What `free` of the store would free with the same arguments. */
  previewFree(selectors: readonly (readonly string[])[], toSec: number): Promise<FreePreview>;
}

export interface HealthRequest {
  readonly cluster: string;
  readonly nodes: readonly string[];
  readonly metricNames: readonly string[];
}

export interface NodeHealth {
  readonly state: 'full' | 'partial' | 'failed';
  /** Unset for a node that was never seen. */
  readonly metrics?: { readonly degraded: readonly string[]; readonly missing: readonly string[] };
}

/** What the checks of all shards find. */
export interface HostHealth {
  /** What each shard has told last; undefined: it has not looked yet. */
  readonly reports: readonly (ShardHealth | undefined)[];
  /** Has a listener called with all that shards tell from now on, when `reports` has it. */
  watch(listener: HealthListener): void;
  /** A page of hosts. Rejects with StoreError. */
  page(request: HealthPageRequest): Promise<HealthPage>;
}

export type HealthListener = (shard: number, report: HealthReport) => void;

export interface ShardHealth {
  /** Of the last check. */
  readonly summary: CheckSummary;
  readonly groups: readonly GroupHealth[];
  /** Since the start, over all its lives. */
  readonly checks: number;
}

/** Of what mismatches are asked for; undefined = of all. */
export interface UnitMismatchFilter {
  readonly cluster?: string;
  readonly host?: string;
  readonly metric?: string;
}

export interface UnitMismatches {
  readonly mismatches: readonly UnitMismatch[];
  /** Lines of mismatches beyond unit-mismatches-max: they are in no list. */
  readonly linesNotListed: number;
}

/** Lines since the start whose values are stored as they came. */
export interface UnitMismatch {
  readonly cluster: string;
  readonly host: string;
  readonly metric: string;
  /** What the lines say, clipped. */
  readonly unit: string;
  /** What is configured. */
  readonly expected: string;
  readonly lines: number;
  /** Arrival of the first line and of the last. */
  readonly firstSec: number;
  readonly lastSec: number;
}

/** What a run of a shard's archive came to. */
export interface ArchiveSummary {
  /** Of the last run that wrote something. */
  readonly run: number;
  /** Whole blocks of samples before this second were archived and freed. */
  readonly toSec: number;
  readonly rows: number;
  readonly bytes: number;
  readonly files: number;
  readonly freedBlocks: number;
  readonly milliseconds: number;
  readonly longestTurnMs: number;
}

/** What a shard's checkpoint came to. */
export interface CheckpointSummary {
  readonly checkpoint: number;
  /** There was nothing that the last one does not have: nothing was written. */
  readonly isNothingNew: boolean;
  readonly bytes: number;
  readonly series: number;
  readonly milliseconds: number;
  /** Longest time the shard did nothing else. */
  readonly longestTurnMs: number;
  readonly segments: number;
}

/** What another configuration came to. */
export interface ReconfigureSummary {
  readonly metrics: MetricChanges;
  /** By shard; null = it is not up, and is started with the new configuration. */
  readonly shards: readonly (ShardReconfigured | null)[];
}

export interface ShardStatus {
  readonly index: number;
  readonly ready: boolean;
  readonly restarts: number;
  /** Named counters of the shard, monotone unless the name ends in `_current` (see protocol/counters.ts). */
  readonly counters: Readonly<Record<string, number>>;
}

/** Turns of a shard that were spent on one thing. */
export interface TurnTimes {
  readonly shard: number;
  readonly kind: TurnKind;
  readonly times: LatencyHistogram;
}

export interface StoreStatus {
  readonly ready: boolean;
  readonly shards: readonly ShardStatus[];
  /** Where checkpoints are copied to S3. */
  readonly mirror?: MirrorStatus;
  /** Where the archive is on S3. */
  readonly archive?: ArchiveStatus;
}

/** `failing`: it is tried again, the store goes on. */
export interface ArchiveStatus {
  readonly location: string;
  readonly state: 'uploading' | 'current' | 'failing';
  /** Why it does not go on; '' if it does. */
  readonly problem: string;
  /** Still to be uploaded. */
  readonly filesWaiting: number;
  readonly bytesWaiting: number;
  /** Since the start. */
  readonly uploadedFiles: number;
  readonly uploadedBytes: number;
  /** Rounds that failed. */
  readonly failures: number;
}

/**
 * `downloading`: an empty folder is filled, no shard serves; `copying`: there is something new; `current`:
 * all is there; `failing`: it is tried again, the store goes on; `taken`: the place belongs to another
 * store.
 */
export type MirrorState = 'downloading' | 'copying' | 'current' | 'failing' | 'taken';

export interface MirrorStatus {
  readonly location: string;
  readonly state: MirrorState;
  /** Why it does not go on; '' if it does. */
  readonly problem: string;
  /** Still to be copied, as far as is known without asking. */
  readonly filesWaiting: number;
  readonly bytesWaiting: number;
  readonly copiedFiles: number;
  readonly copiedBytes: number;
  /** Rounds that failed. */
  readonly failures: number;
  /** When all was there last, in seconds; 0 = not yet. */
  readonly currentAtSec: number;
  readonly downloadedBytes: number;
  readonly downloadBytes: number;
}
