import { LEVEL_TYPES } from './cluster.js';

/** What of the store can be listed. */
export const CATALOGUE_KINDS = ['clusters', 'metrics', 'hosts', 'series'] as const;
export type CatalogueKind = (typeof CATALOGUE_KINDS)[number];

/** Entries of a page at most, and where a request does not say. */
export const PAGE_ENTRIES_MAX = 10_000;
export const PAGE_ENTRIES_DEFAULT = 1000;
/** Names that the host list of a request may stand for. */
export const LISTED_HOSTS_MAX = 10_000;

/** A page of a list that is asked for. An empty text asks for all. */
export interface CatalogueRequest {
  readonly kind: CatalogueKind;
  readonly cluster: string;
  /**
   * Pattern of clusters, metrics, or paths of series: names of levels, as in selectors, and the metric
   * with slashes between, such as `alex/a0100/clock` and `alex/a0100/hwthread7/clock`.
   */
  readonly match: string;
  /** Host list or pattern. */
  readonly hosts: string;
  /** Name or pattern; of series only. */
  readonly metric: string;
  /** Type of levels; of series only. */
  readonly type: string;
  readonly subCluster: string;
  /** Key of the entry before the page; empty = the page is the first. */
  readonly after: readonly string[];
  readonly limit: number;
  /** Only these; unset = all. */
  readonly clusters?: readonly string[];
  /** It is worked on when nothing else is to be done. */
  readonly isLow?: boolean;
}

/** Entries in the order of their keys, and the key to go on after; null = there are no more. */
export interface CataloguePage {
  readonly entries: readonly CatalogueEntry[];
  readonly next: readonly string[] | null;
}

/** Time of samples in memory, in Unix seconds; null = there are none. */
export interface Span {
  readonly firstSec: number | null;
  readonly lastSec: number | null;
}

export interface ClusterEntry extends Span {
  readonly name: string;
  readonly hostCount: number;
  readonly seriesCount: number;
  /** There is a cluster.json of it. */
  readonly isDescribed: boolean;
  readonly subClusters: readonly { readonly name: string; readonly nodes: string }[];
}

/** A metric of a cluster. */
export interface MetricEntry extends Span {
  readonly cluster: string;
  readonly name: string;
  /** '' = none is known. */
  readonly unit: string;
  readonly stepSec: number;
  readonly aggregation: 'sum' | 'avg' | null;
  /** Types of levels it is stored at, the coarsest first. */
  readonly scopes: readonly string[];
  /** Types below these, such as `filesystem`, in sorted order. */
  readonly subTypes: readonly string[];
  /** Statistic that stands for a job; '' = none. */
  readonly footprint: string;
  readonly seriesCount: number;
}

export interface HostEntry extends Span {
  readonly cluster: string;
  readonly name: string;
  /** '' = of none. */
  readonly subCluster: string;
  readonly seriesCount: number;
}

export interface SeriesEntry extends Span {
  readonly cluster: string;
  readonly host: string;
  /** `node` for what the host itself has. */
  readonly type: string;
  readonly id: string;
  readonly subType: string;
  readonly subId: string;
  readonly metric: string;
  readonly unit: string;
  readonly stepSec: number;
}

export type CatalogueEntry = ClusterEntry | MetricEntry | HostEntry | SeriesEntry;

/** Parts of a key by kind: what entries are ordered by, and are the same entry if equal. */
export const KEY_PARTS: Readonly<Record<CatalogueKind, readonly string[]>> = {
  clusters: ['name'],
  metrics: ['cluster', 'name'],
  hosts: ['cluster', 'name'],
  series: ['cluster', 'host', 'type', 'id', 'subType', 'subId', 'metric'],
};

export function keyOf(kind: CatalogueKind, entry: CatalogueEntry): string[] {
  const fields = entry as unknown as Readonly<Record<string, string>>;
  return KEY_PARTS[kind].map((name) => fields[name]!);
}

/** Below 0 if `a` comes first; part by part, by UTF-16 units. A key's own beginning comes before it. */
export function compareKeys(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    if (a[i]! !== b[i]!) return a[i]! < b[i]! ? -1 : 1;
  }
  return a.length - b.length;
}

/** The span of both together. */
export function joinSpans(a: Span, b: Span): Span {
  return {
    firstSec: knownOf(a.firstSec, b.firstSec, Math.min),
    lastSec: knownOf(a.lastSec, b.lastSec, Math.max),
  };
}

function knownOf(
  a: number | null,
  b: number | null,
  choose: (a: number, b: number) => number,
): number | null {
  return a === null || b === null ? (a ?? b) : choose(a, b);
}

/** Types of levels, the coarsest first; such as nobody knows come last. */
export function sortScopes(scopes: Iterable<string>): string[] {
  const rankOf = (scope: string): number => {
    const rank = LEVEL_TYPES.indexOf(scope);
    return rank < 0 ? LEVEL_TYPES.length : rank;
  };
  return [...new Set(scopes)].sort((a, b) => rankOf(a) - rankOf(b) || (a < b ? -1 : 1));
}
