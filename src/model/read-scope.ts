import { TYPES_BY_COARSENESS } from './cluster.js';
import { globMatcher, isGlob } from './glob.js';
import { HostSet } from './host-list.js';
import type { ParsedQuery } from './query-request.js';
import { QueryScope, type ScopedSeries } from './query-scope.js';
import type { JobRange, Selection, SelectRequest } from './selection.js';

/** What is read for a request that asks the archive. Of jobs all name their metrics. */
export type ReadRequest =
  | { readonly query: ParsedQuery }
  | { readonly select: SelectRequest }
  | { readonly jobs: readonly JobRange[] };

/** From `fromSec` until before `toSec`. */
export interface Span {
  readonly fromSec: number;
  readonly toSec: number;
}

/** A series that is needed, and the times of it, in their order and apart from one another. */
export interface NeededSeries<Series> {
  readonly series: Series;
  readonly spans: readonly Span[];
}

/** Which series a request needs of what there is, in memory or in the archive. */
export interface ReadScope {
  readonly clusters: readonly string[];
  /** Series without a sample in the range are part of the answer, too. */
  readonly keepsEmpty: boolean;
  /** All hosts that may be needed; null: they are not named. */
  named(): readonly (readonly [cluster: string, host: string])[] | null;
  /** What files have to be looked at; undefined: nothing of the cluster is needed. */
  spanOf(cluster: string): Span | undefined;
  /** Those of a cluster that are needed, of `all` there are. */
  hostsOf(cluster: string, all: Iterable<string>): readonly string[];
  /** Those of a host's series that are needed. It may be a few more. */
  of<Series extends ScopedSeries>(
    cluster: string,
    host: string,
    series: readonly Series[],
  ): NeededSeries<Series>[];
}

export function makeReadScope(
  request: ReadRequest,
  subClusterOf: (cluster: string, host: string) => string,
): ReadScope {
  if ('query' in request) return new QueryReadScope(request.query);
  if ('select' in request) return new SelectReadScope(request.select, subClusterOf);
  return new JobsReadScope(request.jobs);
}

/** Of a query of the first interface. */
class QueryReadScope implements ReadScope {
  readonly clusters: readonly string[];
  readonly keepsEmpty = false;
  readonly #request: ParsedQuery;
  readonly #scope: QueryScope;

  constructor(request: ParsedQuery) {
    this.#request = request;
    this.#scope = new QueryScope(request);
    this.clusters = [request.cluster];
  }

  named(): ReturnType<ReadScope['named']> {
    return this.#scope.hosts?.map((host) => [this.#request.cluster, host] as const) ?? null;
  }

  spanOf(): Span {
    return this.#request;
  }

  hostsOf(_cluster: string, all: Iterable<string>): readonly string[] {
    return this.#scope.hosts ?? [...all];
  }

  of<Series extends ScopedSeries>(
    _cluster: string,
    host: string,
    series: readonly Series[],
  ): NeededSeries<Series>[] {
    const spans = [this.#request];
    return this.#scope.of(host, series).map((one) => ({ series: one, spans }));
  }
}

/** So many hosts are looked for by name; more of them are looked at one by one. */
const HOSTS_MAX = 1_000_000;

class SelectReadScope implements ReadScope {
  readonly clusters: readonly string[];
  readonly keepsEmpty = true;
  readonly #request: SelectRequest;
  readonly #selections: readonly SelectedSeries[];

  constructor(request: SelectRequest, subClusterOf: (cluster: string, host: string) => string) {
    const { clusters, select } = request;
    this.#request = request;
    this.clusters = clusters;
    this.#selections = select.map((selection) => new SelectedSeries(selection, subClusterOf));
  }

  named(): ReturnType<ReadScope['named']> {
    const names = this.#selections.map(({ hosts }) => hosts?.names);
    if (names.includes(undefined)) return null;
    return this.clusters.flatMap((cluster) =>
      names.flatMap((hosts) => hosts!.map((host) => [cluster, host] as const)),
    );
  }

  spanOf(): Span {
    return this.#request;
  }

  hostsOf(cluster: string, all: Iterable<string>): readonly string[] {
    return [...all].filter((host) => this.#selections.some((one) => one.hasHost(cluster, host)));
  }

  of<Series extends ScopedSeries>(
    cluster: string,
    host: string,
    series: readonly Series[],
  ): NeededSeries<Series>[] {
    const selections = this.#selections.filter((one) => one.hasHost(cluster, host));
    const spans = [this.#request];
    return series
      .filter((one) => selections.some((selection) => selection.needs(one)))
      .map((one) => ({ series: one, spans }));
  }
}

/** What one selection needs. */
class SelectedSeries {
  /** null = all, or those of sub-clusters. */
  readonly hosts: HostSet | null;
  readonly #selection: Selection;
  readonly #subClusterOf: (cluster: string, host: string) => string;
  readonly #hasMetric: (name: string) => boolean;
  readonly #ids: ReadonlySet<string> | null;

  constructor(selection: Selection, subClusterOf: (cluster: string, host: string) => string) {
    this.#selection = selection;
    this.#subClusterOf = subClusterOf;
    this.hosts = selection.hosts && HostSet.parse(selection.hosts, HOSTS_MAX);
    this.#hasMetric = nameMatcher(selection.metrics);
    this.#ids = selection.ids && new Set(selection.ids);
  }

  hasHost(cluster: string, host: string): boolean {
    const { subClusters } = this.#selection;
    if (subClusters) return subClusters.includes(this.#subClusterOf(cluster, host));
    return this.hosts?.has(host) ?? true;
  }

  /** A unit is made of its own samples and, for where it has none, of what is below it. */
  needs({ metric, type, typeId }: ScopedSeries): boolean {
    if (!this.#hasMetric(metric)) return false;
    const { scope } = this.#selection;
    // Ids of a node are those of threads, whose samples may have been sent at any level.
    if (scope === 'node') return true;
    const [wanted, own] = [coarsenessOf(scope), coarsenessOf(type)];
    if (wanted >= 0 && own > wanted) return true;
    const isOfScope = wanted >= 0 ? own === wanted : type === scope;
    return isOfScope && (this.#ids?.has(typeId) ?? true);
  }
}

/** Of jobs, each with its own hosts, metrics and time. */
class JobsReadScope implements ReadScope {
  readonly clusters: readonly string[];
  readonly keepsEmpty = true;
  /** By cluster and host. */
  readonly #jobs = new Map<string, Map<string, JobNeeds[]>>();
  readonly #spans = new Map<string, Span>();

  constructor(jobs: readonly JobRange[]) {
    const byMetrics = new Map<JobRange['metrics'], (name: string) => boolean>();
    for (const { cluster, hosts, metrics, fromSec, toSec } of jobs) {
      // Most jobs of a request share one list.
      const hasMetric = byMetrics.get(metrics) ?? nameMatcher(metrics ?? []);
      byMetrics.set(metrics, hasMetric);
      const ofCluster = this.#jobs.get(cluster) ?? new Map<string, JobNeeds[]>();
      this.#jobs.set(cluster, ofCluster);
      for (const host of hosts) {
        const needs = { fromSec, toSec, hasMetric };
        const others = ofCluster.get(host);
        if (others) others.push(needs);
        else ofCluster.set(host, [needs]);
      }
      const { fromSec: first, toSec: last } = this.#spans.get(cluster) ?? { fromSec, toSec };
      const span = { fromSec: Math.min(first, fromSec), toSec: Math.max(last, toSec) };
      this.#spans.set(cluster, span);
    }
    this.clusters = [...this.#jobs.keys()];
  }

  named(): ReturnType<ReadScope['named']> {
    return [...this.#jobs].flatMap(([cluster, hosts]) =>
      [...hosts.keys()].map((host) => [cluster, host] as const),
    );
  }

  spanOf(cluster: string): Span | undefined {
    return this.#spans.get(cluster);
  }

  hostsOf(cluster: string): readonly string[] {
    return [...(this.#jobs.get(cluster)?.keys() ?? [])];
  }

  of<Series extends ScopedSeries>(
    cluster: string,
    host: string,
    series: readonly Series[],
  ): NeededSeries<Series>[] {
    const jobs = this.#jobs.get(cluster)?.get(host) ?? [];
    const spans = new Map<string, readonly Span[]>();
    return series.flatMap((one) => {
      let needed = spans.get(one.metric);
      if (!needed) {
        needed = joinSpans(jobs.filter(({ hasMetric }) => hasMetric(one.metric)));
        spans.set(one.metric, needed);
      }
      return needed.length === 0 ? [] : [{ series: one, spans: needed }];
    });
  }
}

interface JobNeeds extends Span {
  readonly hasMetric: (name: string) => boolean;
}

/** Whether one of some names and globs means a name; each name is looked at once. */
function nameMatcher(patterns: readonly string[]): (name: string) => boolean {
  const exact = new Set(patterns);
  const globs = patterns.filter(isGlob).map(globMatcher);
  const known = new Map<string, boolean>();
  return (name) => {
    let isMeant = known.get(name);
    if (isMeant === undefined) {
      isMeant = exact.has(name) || globs.some((matches) => matches(name));
      known.set(name, isMeant);
    }
    return isMeant;
  };
}

/** -1 for what has no place in a topology. */
function coarsenessOf(type: string): number {
  const names: readonly string[] = TYPES_BY_COARSENESS;
  // The old name of hwthread.
  return names.indexOf(type === 'cpu' ? 'hwthread' : type);
}

/** Spans that overlap or touch become one. */
function joinSpans(spans: readonly Span[]): Span[] {
  const joined: { fromSec: number; toSec: number }[] = [];
  for (const { fromSec, toSec } of spans.toSorted((a, b) => a.fromSec - b.fromSec)) {
    const last = joined.at(-1);
    if (last && fromSec <= last.toSec) last.toSec = Math.max(last.toSec, toSec);
    else joined.push({ fromSec, toSec });
  }
  return joined;
}
