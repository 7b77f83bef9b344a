import { getJson } from './api.js';
import { LOW } from './low.js';

/** Entries of a page of a list: enough to look through. */
const PAGE_ENTRIES = 100;
/** The most that the store lists at once: all series of a node, all metrics of a cluster. */
const ENTRIES_MAX = 10_000;

export interface ClusterEntry {
  readonly name: string;
  readonly hostCount: number;
  readonly subClusters: readonly { readonly name: string }[];
}

export interface MetricEntry {
  readonly name: string;
  readonly unit: string;
  readonly stepSec: number;
  readonly aggregation: 'sum' | 'avg' | null;
  readonly scopes: readonly string[];
  readonly subTypes: readonly string[];
  readonly firstSec: number | null;
  readonly lastSec: number | null;
}

export interface HostEntry {
  readonly name: string;
  readonly subCluster: string;
  readonly seriesCount: number;
}

export interface SeriesEntry {
  /** `node` for what the node itself has. */
  readonly type: string;
  readonly id: string;
  readonly subType: string;
  readonly subId: string;
  readonly metric: string;
}

/** Entries, and the `after` of the next page; null = there is none. */
export interface Page<Entry> {
  readonly entries: readonly Entry[];
  readonly next: string | null;
}

export async function listClusters(signal?: AbortSignal): Promise<readonly ClusterEntry[]> {
  const { clusters } = await getJson<{ clusters: readonly ClusterEntry[] }>(
    'api/v2/clusters',
    { limit: ENTRIES_MAX, ...LOW },
    signal,
  );
  return clusters;
}

export async function listMetrics(
  cluster: string,
  signal?: AbortSignal,
): Promise<readonly MetricEntry[]> {
  const parameters = { cluster, limit: ENTRIES_MAX, ...LOW };
  const { metrics } = await getJson<{ metrics: readonly MetricEntry[] }>(
    'api/v2/metrics',
    parameters,
    signal,
  );
  return metrics;
}

/** @param match host list or pattern; '' = all. */
export async function listHosts(
  cluster: string,
  match: string,
  after: string,
  signal: AbortSignal,
  limit = PAGE_ENTRIES,
): Promise<Page<HostEntry>> {
  const { hosts, next } = await getJson<{ hosts: readonly HostEntry[]; next: string | null }>(
    'api/v2/hosts',
    { cluster, match, after, limit, ...LOW },
    signal,
  );
  return { entries: hosts, next };
}

export async function listSeries(
  cluster: string,
  host: string,
  after: string,
  signal: AbortSignal,
): Promise<Page<SeriesEntry>> {
  const { series, next } = await getJson<{ series: readonly SeriesEntry[]; next: string | null }>(
    'api/v2/series',
    { cluster, host, after, limit: ENTRIES_MAX, ...LOW },
    signal,
  );
  return { entries: series, next };
}
