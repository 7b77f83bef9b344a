import { differenceOf, quantileOf } from '../protocol/latency-histogram.js';
import type { ShardStatus } from '../routing/store.js';
import type { Totals } from './totals.js';

/** What is told of the store over time, in the order of a row. NaN stands for what nobody knows. */
export const RATE_NAMES = [
  'linesPerSec',
  'samplesPerSec',
  'ignoredPerSec',
  'rejectedPerSec',
  'requestsPerSec',
  'queriesPerSec',
  'receivedBytesPerSec',
  'sentBytesPerSec',
  'writeMsP50',
  'writeMsP99',
  'queryMsP50',
  'queryMsP99',
  'residentBytes',
  'heapBytes',
  'heapLiveBytes',
  'series',
  'logBytes',
  'natsLinesPerSec',
  'cpuPercent',
] as const;
export type RateName = (typeof RATE_NAMES)[number];
export type Rates = Readonly<Record<RateName, number>>;

/** Of one counter. */
export interface Rate {
  readonly perSec: number;
  readonly total: number;
}

/** Of one shard. */
export interface ShardRates {
  readonly shard: number;
  readonly ready: boolean;
  readonly heapBytes: number;
  readonly heapLiveBytes: number;
  readonly series: number;
  readonly logBytes: number;
  readonly linesPerSec: number;
  readonly queriesPerSec: number;
}

/** What went on between two moments. */
export function ratesBetween(earlier: Totals, later: Totals): Rates {
  const seconds = (later.atMs - earlier.atMs) / 1000;
  const perSec = (from: number, to: number): number => (to - from) / seconds;
  const counted = (matches: (counter: string) => boolean): number =>
    grownBy(earlier, later, matches) / seconds;
  const gauge = (counter: string): number =>
    later.shards.reduce((sum, { counters }) => sum + (counters[counter] ?? 0), 0);
  const writes = differenceOf(later.writeTimes, earlier.writeTimes);
  const queries = differenceOf(later.queryTimes, earlier.queryTimes);
  return {
    linesPerSec: counted((counter) => counter === 'lines_total'),
    samplesPerSec: counted((counter) => counter === 'samples_total'),
    ignoredPerSec: counted((counter) => counter.startsWith('ignored:')),
    rejectedPerSec: counted((counter) => counter.startsWith('rejected:')),
    requestsPerSec: perSec(earlier.requests, later.requests),
    queriesPerSec: perSec(earlier.queries, later.queries),
    receivedBytesPerSec: perSec(earlier.receivedBytes, later.receivedBytes),
    sentBytesPerSec: perSec(earlier.sentBytes, later.sentBytes),
    writeMsP50: 1000 * quantileOf(writes, 0.5),
    writeMsP99: 1000 * quantileOf(writes, 0.99),
    queryMsP50: 1000 * quantileOf(queries, 0.5),
    queryMsP99: 1000 * quantileOf(queries, 0.99),
    residentBytes: later.residentBytes,
    heapBytes: gauge('heap_bytes_current'),
    heapLiveBytes: gauge('heap_live_bytes_current'),
    series: gauge('series_current'),
    logBytes: gauge('log_bytes_current'),
    natsLinesPerSec: perSec(earlier.natsLines, later.natsLines),
    cpuPercent: 100 * perSec(earlier.cpuSec, later.cpuSec),
  };
}

/** Rates of lines by the reason for which they are `ignored` or `rejected`; reasons that never were are left out. */
export function reasonsBetween(
  earlier: Totals,
  later: Totals,
  kind: 'ignored' | 'rejected',
): Readonly<Record<string, Rate>> {
  const seconds = (later.atMs - earlier.atMs) / 1000;
  const reasons: Record<string, Rate> = {};
  for (const counter of Object.keys(later.shards[0]?.counters ?? {})) {
    if (!counter.startsWith(`${kind}:`)) continue;
    const total = later.shards.reduce((sum, { counters }) => sum + (counters[counter] ?? 0), 0);
    if (total === 0) continue;
    const grown = grownBy(earlier, later, (name) => name === counter);
    reasons[counter.slice(kind.length + 1)] = { perSec: grown / seconds, total };
  }
  return reasons;
}

/** The same of each shard. */
export function shardsBetween(earlier: Totals, later: Totals): readonly ShardRates[] {
  const seconds = (later.atMs - earlier.atMs) / 1000;
  return later.shards.map((shard, at) => {
    const { index, ready, counters } = shard;
    const before = earlier.shards[at];
    const rate = (name: string): number => grownOf(before, shard, name) / seconds;
    return {
      shard: index,
      ready,
      heapBytes: counters['heap_bytes_current'] ?? 0,
      heapLiveBytes: counters['heap_live_bytes_current'] ?? 0,
      series: counters['series_current'] ?? 0,
      logBytes: counters['log_bytes_current'] ?? 0,
      linesPerSec: rate('lines_total'),
      queriesPerSec: rate('queries_total'),
    };
  });
}

/** How much some counters have grown over all shards. */
export function grownBy(
  earlier: Totals,
  later: Totals,
  matches: (counter: string) => boolean,
): number {
  let grown = 0;
  later.shards.forEach((shard, at) => {
    for (const counter of Object.keys(shard.counters)) {
      if (matches(counter)) grown += grownOf(earlier.shards[at], shard, counter);
    }
  });
  return grown;
}

/** A shard that was started again counts from 0: what it has then came since. */
function grownOf(earlier: ShardStatus | undefined, later: ShardStatus, counter: string): number {
  const from = earlier?.counters[counter] ?? 0;
  const to = later.counters[counter] ?? 0;
  return to < from ? to : to - from;
}
