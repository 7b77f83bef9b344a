import { availableParallelism } from 'node:os';
import type { ClusterDescription } from '../model/cluster.js';
import { AUTH_DEFAULTS, type AuthConfig } from './auth-config.js';
import { BACKEND_DEFAULTS, type BackendConfig } from './backend-config.js';
import { HEALTH_DEFAULTS, type HealthConfig } from './health-config.js';
import { NATS_DEFAULTS, type NatsConfig } from './nats-config.js';
import { TRANSPORT_DEFAULTS, type TransportConfig } from './transport-config.js';
import { WEB_DEFAULTS, type WebConfig } from './web-config.js';
import type { ResampleAlgorithm } from '../model/query-request.js';

/** Everything that can be set, in one readonly interface. `parseConfig` makes it. */
export interface Config {
  readonly listen: { readonly host: string; readonly port: number };
  /** `auto`: uWebSockets.js where its binary loads, else node:http. */
  readonly httpAdapter: 'auto' | 'uws' | 'node';
  readonly logLevel: 'debug' | 'info' | 'warn' | 'err' | 'crit';
  /** Requests for samples and states that took longer are kept for whoever looks for them; 0 = none. */
  readonly slowQueryMs: number;
  readonly store: StoreConfig;
  readonly limits: Limits;
  readonly nats: NatsConfig;
  readonly auth: AuthConfig;
  readonly transport: TransportConfig;
  readonly backend: BackendConfig;
  readonly web: WebConfig;
  /** Whether files of the configuration that change are read again. */
  readonly watchesConfig: boolean;
}

/** The part of the configuration that the shards get. */
export interface StoreConfig {
  /** Worker threads that own series; default cores - 1, at least 1. */
  readonly shardCount: number;
  /** Metrics by name; the name `*` stands for every metric not listed. */
  readonly metrics: Readonly<Record<string, MetricConfig>>;
  /** What cluster.json files say. */
  readonly clusters: readonly ClusterDescription[];
  /** Samples older than this are freed, and refused when they arrive. */
  readonly retentionSec: number;
  /** Samples further ahead of the clock than this are refused. */
  readonly futureSec: number;
  /** false: samples of any age are stored and kept (recorded data, tests). */
  readonly retentionEnforced: boolean;
  /** Hard budget over all shards in bytes; 0 = none. */
  readonly memoryCapBytes: number;
  /** A query asking for fewer points than this at native resolution gets native resolution. */
  readonly resampleMinPoints: number;
  /** Of queries that name none. */
  readonly resampleAlgorithm: ResampleAlgorithm;
  /** Sums over series of a host that are kept for queries; bytes over all shards. */
  readonly aggregateCacheBytes: number;
  readonly checkpoints: CheckpointConfig;
  /** Where samples go that leave memory; undefined: nowhere, they are deleted. */
  readonly archive?: ArchiveConfig;
  readonly s3: S3Config;
  readonly health: HealthConfig;
}

/**
 * When the log is given to the disk: `os` each second, `always` before an answer, `off` never by us.
 * In each case the operating system has it before an answer, so that a crash of ours loses nothing.
 */
export type LogSync = 'os' | 'always' | 'off';

export interface CheckpointConfig {
  /**
   * Folder of log and checkpoints, or `s3://bucket/prefix`: then they are in `localDirectory`, and
   * checkpoints are copied there. '' = nothing is kept on disk.
   */
  readonly directory: string;
  readonly localDirectory: string;
  readonly intervalSec: number;
  readonly logSync: LogSync;
  /** A log that has grown to this calls for a checkpoint; bytes of one shard. */
  readonly logBytesMax: number;
  /** Whether JSON checkpoints of cc-metric-store are written as well. */
  readonly writesJson: boolean;
}

export interface ArchiveConfig {
  /** Folder that shards write to: the archive's, or that of files on their way to S3. */
  readonly directory: string;
  /** Such as `s3://bucket/prefix`; '' = `directory` is the archive. */
  readonly location: string;
  /** Bytes on their way to S3 at most: with more of them nothing is archived. */
  readonly queueBytesMax: number;
  /** Time between runs: so much more than the retention is in memory. */
  readonly intervalSec: number;
}

/** How the SDK's own checksums are used: always, or only where an operation needs them. */
export type ChecksumMode = 'WHEN_SUPPORTED' | 'WHEN_REQUIRED';

/** How S3 is spoken to. Credentials come from where the SDK looks: environment, files, roles. */
export interface S3Config {
  /** URL of the server; '' = Amazon's of the region. */
  readonly endpoint: string;
  readonly region: string;
  /** true: the bucket is in the path, not in the host's name. */
  readonly pathStyle: boolean;
  readonly checksumMode: ChecksumMode;
  /** Larger files go in parts of this size; so much memory is needed for a transfer. */
  readonly partBytes: number;
  /** How often a request is tried, with growing pauses. */
  readonly attempts: number;
  /** A request that takes longer has failed. */
  readonly timeoutSec: number;
  /** How long a stop waits for the last checkpoint to be copied. */
  readonly stopWaitSec: number;
}

export interface MetricConfig {
  /** Seconds between samples. */
  readonly frequency: number;
  /** How children combine; null = never. */
  readonly aggregation: 'sum' | 'avg' | null;
  /** Unit of its samples, such as `MB/s`; unset = none is known. */
  readonly unit?: string;
}

/** Every `…Max` has a test that reaches it and an answer that names it. */
export interface Limits {
  readonly bodyBytesMax: number;
  readonly queryBodyBytesMax: number;
  /** Bodies held as a whole at one time, over all requests. */
  readonly collectedBytesMax: number;
  readonly lineBytesMax: number;
  readonly queriesMax: number;
  /** Series one request may touch. */
  readonly seriesPerQueryMax: number;
  /** Points one request may return. */
  readonly pointsMax: number;
  readonly answerBytesMax: number;
  /** Samples read for one request that asks the archive. */
  readonly archiveSamplesMax: number;
  /** Samples of one result whose percentiles are exact. */
  readonly percentileExactMax: number;
  readonly queryTimeMsMax: number;
  /** Of answers that are streamed: points, and how long one may take. */
  readonly streamPointsMax: number;
  readonly streamTimeMsMax: number;
  /** Answers that are streamed at one time: each may hold a few megabytes for a client that is slow. */
  readonly streamsMax: number;
  /** Requests of low priority under way at one time. */
  readonly lowPriorityQueriesMax: number;
  /** Clients that are told of events at one time. */
  readonly eventStreamsMax: number;
  /** Jobs in one request for their statistics; hosts that a request names, in all. */
  readonly jobsMax: number;
  readonly hostsMax: number;
  /** Selections in one request. */
  readonly selectionsMax: number;
  /** How long a write waits for room before 503. */
  readonly writeWaitMsMax: number;
  readonly connectionsMax: number;
  /** Over all shards. */
  readonly seriesMax: number;
  /** Raw prefixes remembered per shard. */
  readonly prefixesMax: number;
  /** Metrics of hosts listed with a unit that can not be converted, over all shards. */
  readonly unitMismatchesMax: number;
  /** Metrics of hosts that the health check judges, over all shards. */
  readonly healthPairsMax: number;
  readonly idleTimeoutSec: number;
  /** In which a request must have come in, body included. */
  readonly requestTimeoutSec: number;
  /** Of one caller, on average; 0 = any. */
  readonly requestsPerSecondMax: number;
  /** That one caller may send at once. */
  readonly requestBurstMax: number;
  /** Whose requests are counted for that. */
  readonly callersMax: number;
  /** Verified tokens that are remembered. */
  readonly tokensCachedMax: number;
  readonly tokenBytesMax: number;
  /** Wrong passwords or tokens of an address within `lockOutSec` that lock it out for so long; 0 = any. */
  readonly failedLoginsMax: number;
  readonly lockOutSec: number;
  /** Bytes of NATS messages that wait for room in shards. */
  readonly natsPendingBytesMax: number;
  readonly natsMessageBytesMax: number;
  /** Changes of the configuration that wait for those before them. */
  readonly configChangesMax: number;
}

/** What holds for an archive where nothing else is said. */
export const ARCHIVE_DIRECTORY = './var/archive';
export const ARCHIVE_INTERVAL = '3h';
export const ARCHIVE_QUEUE = './var/archive-queue';
export const ARCHIVE_QUEUE_BYTES_MAX = 100e9;

const MIB = 1024 * 1024;

/** What holds where the configuration file says nothing; frozen all the way down. */
export const DEFAULTS: Config = freezeDeep({
  listen: { host: '127.0.0.1', port: 8082 },
  httpAdapter: 'auto',
  logLevel: 'info',
  slowQueryMs: 500,
  store: {
    // One core is left to the front thread, which does all the input and output.
    shardCount: Math.max(1, availableParallelism() - 1),
    metrics: { '*': { frequency: 60, aggregation: 'avg' } },
    clusters: [],
    retentionSec: 48 * 3600,
    futureSec: 3600,
    retentionEnforced: true,
    memoryCapBytes: 0,
    resampleMinPoints: 1000,
    aggregateCacheBytes: 32 * MIB,
    resampleAlgorithm: 'lttb',
    checkpoints: {
      directory: './var/checkpoints',
      localDirectory: './var/checkpoints',
      intervalSec: 600,
      logSync: 'os',
      logBytesMax: 1024 * MIB,
      writesJson: false,
    },
    s3: {
      endpoint: '',
      region: 'us-east-1',
      pathStyle: false,
      checksumMode: 'WHEN_SUPPORTED',
      partBytes: 16 * MIB,
      attempts: 4,
      timeoutSec: 60,
      // Service managers kill after 30 s (Kubernetes) or 90 s (systemd).
      stopWaitSec: 20,
    },
    health: HEALTH_DEFAULTS,
  },
  limits: {
    bodyBytesMax: 64 * MIB,
    queryBodyBytesMax: 10 * MIB,
    collectedBytesMax: 256 * MIB,
    lineBytesMax: 64 * 1024,
    queriesMax: 100_000,
    seriesPerQueryMax: 1_000_000,
    pointsMax: 50_000_000,
    answerBytesMax: 134_217_728,
    archiveSamplesMax: 50_000_000,
    percentileExactMax: 1_000_000,
    queryTimeMsMax: 10_000,
    streamPointsMax: 1_000_000_000,
    streamTimeMsMax: 600_000,
    streamsMax: 128,
    lowPriorityQueriesMax: 1000,
    eventStreamsMax: 100,
    jobsMax: 10_000,
    hostsMax: 1_000_000,
    selectionsMax: 1000,
    writeWaitMsMax: 2000,
    connectionsMax: 20_000,
    seriesMax: 4_000_000,
    prefixesMax: 1_000_000,
    unitMismatchesMax: 1000,
    healthPairsMax: 2_000_000,
    idleTimeoutSec: 120,
    requestTimeoutSec: 60,
    requestsPerSecondMax: 0,
    requestBurstMax: 1000,
    callersMax: 10_000,
    tokensCachedMax: 10_000,
    tokenBytesMax: 8192,
    failedLoginsMax: 20,
    lockOutSec: 300,
    natsPendingBytesMax: 64 * MIB,
    natsMessageBytesMax: 8 * MIB,
    configChangesMax: 32,
  },
  nats: NATS_DEFAULTS,
  auth: AUTH_DEFAULTS,
  transport: TRANSPORT_DEFAULTS,
  backend: BACKEND_DEFAULTS,
  web: WEB_DEFAULTS,
  watchesConfig: true,
});

/** Freezes a plain value and all that hangs below it; returns the same value. */
export function freezeDeep<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) freezeDeep(child);
  }
  return value;
}
