import type { ProgramPart } from '../http/program-part.js';
import type { Traffic } from '../http/server.js';
import type { ShardStatus, Store } from '../routing/store.js';
import type { RequestTimes } from '../http/request-times.js';

/** Where the store's own numbers are. */
export interface TotalsSources {
  readonly store: Pick<Store, 'status'>;
  readonly requests: RequestTimes;
  readonly traffic: Traffic;
  /** Others may come when the program has started. */
  readonly parts: readonly ProgramPart[];
}

/** What was counted up to one moment: rates are differences of two of them. */
export interface Totals {
  /** By the clock of `performance.now()`. */
  readonly atMs: number;
  readonly shards: readonly ShardStatus[];
  readonly requests: number;
  readonly queries: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** Words of histograms. */
  readonly writeTimes: Float64Array;
  readonly queryTimes: Float64Array;
  /** NaN where nothing reads NATS. */
  readonly natsLines: number;
  readonly cpuSec: number;
  readonly residentBytes: number;
}

/** Reads all counters; takes some 100 µs, most of it for resident memory and the counters of shards. */
export function readTotals(sources: TotalsSources): Totals {
  const { store, requests, traffic, parts } = sources;
  const { user, system } = process.cpuUsage();
  const nats = parts.find((part) => part.linesTotal);
  return {
    atMs: performance.now(),
    shards: store.status().shards,
    requests: requests.count,
    queries: requests.queryCount(),
    receivedBytes: traffic.bodyBytesReceived,
    sentBytes: traffic.bodyBytesSent,
    writeTimes: requests.writes(),
    queryTimes: requests.queries(),
    natsLines: nats?.linesTotal?.() ?? NaN,
    cpuSec: (user + system) / 1e6,
    residentBytes: process.memoryUsage.rss(),
  };
}
