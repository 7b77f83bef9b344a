/** Everything that can be set, in one readonly interface. `parseConfig` makes it. */
export interface Config {
  readonly listen: { readonly host: string; readonly port: number };
  /** `auto`: uWebSockets.js where its binary loads, else node:http. */
  readonly httpAdapter: 'auto' | 'uws' | 'node';
  readonly logLevel: 'debug' | 'info' | 'warn' | 'err' | 'crit';
  readonly store: StoreConfig;
  readonly limits: Limits;
}

/** The part of the configuration that the shards get. */
export interface StoreConfig {
  /** Worker threads that own series; default cores - 1, at least 1. */
  readonly shardCount: number;
  /** Metrics by name; the name `*` stands for every metric not listed. */
  readonly metrics: Readonly<Record<string, MetricConfig>>;
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
}

export interface MetricConfig {
  /** Seconds between samples. */
  readonly frequency: number;
  /** How children combine; null = never. */
  readonly aggregation: 'sum' | 'avg' | null;
}

/** Every `…Max` has a test that reaches it and an answer that names it. */
export interface Limits {
  readonly bodyBytesMax: number;
  readonly queryBodyBytesMax: number;
  readonly lineBytesMax: number;
  readonly queriesMax: number;
  /** Series one request may touch. */
  readonly seriesPerQueryMax: number;
  /** Points one request may return. */
  readonly pointsMax: number;
  readonly queryTimeMsMax: number;
  /** How long a write waits for room before 503. */
  readonly writeWaitMsMax: number;
  readonly connectionsMax: number;
  /** Over all shards. */
  readonly seriesMax: number;
  /** Raw prefixes remembered per shard. */
  readonly prefixesMax: number;
  readonly idleTimeoutSec: number;
}
