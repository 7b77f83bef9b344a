import type { StoreConfig } from '../config/config.js';
import {
  compareKeys,
  joinSpans,
  keyOf,
  sortScopes,
  type CatalogueEntry,
  type CatalogueKind,
  type CataloguePage,
  type CatalogueRequest,
  type ClusterEntry,
  type MetricEntry,
} from '../model/catalogue.js';
import { StoreError } from '../model/errors.js';
import { globMatcher } from '../model/glob.js';
import { PagesUnderWay } from './pages-under-way.js';
import { WaitingLine } from './waiting-line.js';

/** Has every shard list what it holds, and makes one page of it. */
export class Catalogue {
  #clusters: StoreConfig['clusters'];
  readonly #listOnAll: (request: CatalogueRequest) => Promise<CatalogueEntry[][]>;
  readonly #lowLine: WaitingLine;
  readonly #underWay = new PagesUnderWay('lists');

  /** `waitMsMax`: how long a page of low priority waits for those before it. */
  constructor(
    clusters: StoreConfig['clusters'],
    listOnAll: (request: CatalogueRequest) => Promise<CatalogueEntry[][]>,
    waitMsMax: () => number = () => Infinity,
  ) {
    this.#clusters = clusters;
    this.#listOnAll = listOnAll;
    // Whoever asks for them bounds how many they are.
    this.#lowLine = new WaitingLine({
      what: 'lists of low priority',
      waitingMax: Infinity,
      waitMsMax,
    });
  }

  /** What is described from now on. */
  describe(clusters: StoreConfig['clusters']): void {
    this.#clusters = clusters;
  }

  /** Rejects with StoreError. */
  async page(request: CatalogueRequest): Promise<CataloguePage> {
    checkSubCluster(this.#clusters, request);
    return this.#underWay.run(() => this.#page(request));
  }

  /** The same of low priority: one after the other, so that shards have the room for others. */
  async lowPage(request: CatalogueRequest): Promise<CataloguePage> {
    checkSubCluster(this.#clusters, request);
    return (await this.#lowLine.run(() => this.#page(request)))!;
  }

  async #page(request: CatalogueRequest): Promise<CataloguePage> {
    const lists = await this.#listOnAll(request);
    if (request.kind === 'clusters') lists.push(this.#describedClusters(request));
    return pageOf(request, lists);
  }

  #clustersFor({ clusters }: CatalogueRequest): StoreConfig['clusters'] {
    return this.#clusters.filter(({ name }) => clusters?.includes(name) ?? true);
  }

  /** As a shard would list them that has nothing of them. What a page needs of them is sorted out later. */
  #describedClusters(request: CatalogueRequest): CatalogueEntry[] {
    const { match, after } = request;
    const matches = globMatcher(match === '' ? '*' : match);
    return this.#clustersFor(request)
      .filter(({ name }) => matches(name) && (after.length === 0 || name > after[0]!))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, subClusters }) => ({
        name,
        hostCount: 0,
        seriesCount: 0,
        isDescribed: true,
        subClusters: subClusters.map(({ name: subCluster, nodes }) => ({
          name: subCluster,
          nodes,
        })),
        firstSec: null,
        lastSec: null,
      }));
  }
}

/** A name nobody knows is a mistake, not a list without entries: throws `bad-request`. */
export function checkSubCluster(
  described: StoreConfig['clusters'],
  asked: Pick<CatalogueRequest, 'cluster' | 'subCluster' | 'clusters'>,
): void {
  const { cluster, subCluster, clusters: allowed } = asked;
  if (subCluster === '') return;
  const clusters = described.filter(
    ({ name }) => (allowed?.includes(name) ?? true) && (cluster === '' || name === cluster),
  );
  const names = clusters.flatMap(({ subClusters }) => subClusters.map(({ name }) => name));
  if (names.includes(subCluster)) return;
  const known =
    names.length === 0
      ? 'none is known; name cluster.json files in metricshard.clusters'
      : `known are ${names.slice(0, 20).join(', ')}`;
  const what = `parameter sub-cluster: "${subCluster.slice(0, 60)}" is in no cluster.json`;
  throw new StoreError('bad-request', `${what} of ${cluster || 'any cluster'}; ${known}`);
}

/** The first entries of sorted lists. Each list has one more than a page, where there are more. */
function pageOf(
  { kind, limit }: CatalogueRequest,
  lists: readonly (readonly CatalogueEntry[])[],
): CataloguePage {
  const entries: CatalogueEntry[] = [];
  let lastKey: string[] = [];
  for (const { key, entry } of inOrder(kind, lists)) {
    if (entries.length > 0 && compareKeys(key, lastKey) === 0) {
      entries.push(join(kind, entries.pop()!, entry));
    } else if (entries.length === limit) return { entries, next: lastKey };
    else {
      entries.push(entry);
      lastKey = key;
    }
  }
  return { entries, next: null };
}

interface Keyed {
  readonly key: string[];
  readonly entry: CatalogueEntry;
}

/** Entries of all lists in the order of their keys. Lists are few: their heads are looked at in turn. */
function* inOrder(
  kind: CatalogueKind,
  lists: readonly (readonly CatalogueEntry[])[],
): Generator<Keyed> {
  const heads = lists.map((list) => ({ list, at: 0, key: headKey(kind, list, 0) }));
  for (;;) {
    let first: (typeof heads)[number] | undefined;
    for (const head of heads) {
      if (head.key && (!first || compareKeys(head.key, first.key!) < 0)) first = head;
    }
    if (!first) return;
    yield { key: first.key!, entry: first.list[first.at]! };
    first.key = headKey(kind, first.list, ++first.at);
  }
}

function headKey(
  kind: CatalogueKind,
  list: readonly CatalogueEntry[],
  at: number,
): string[] | undefined {
  return at < list.length ? keyOf(kind, list[at]!) : undefined;
}

/** Two shards' entries of the same: clusters and metrics only, as a host is in one shard. */
function join(kind: CatalogueKind, a: CatalogueEntry, b: CatalogueEntry): CatalogueEntry {
  const span = joinSpans(a, b);
  if (kind === 'metrics') return { ...joinMetrics(a as MetricEntry, b as MetricEntry), ...span };
  if (kind === 'clusters')
    return { ...joinClusters(a as ClusterEntry, b as ClusterEntry), ...span };
  return a;
}

function joinMetrics(a: MetricEntry, b: MetricEntry): MetricEntry {
  return {
    ...a,
    scopes: sortScopes([...a.scopes, ...b.scopes]),
    subTypes: [...new Set([...a.subTypes, ...b.subTypes])].sort(),
    seriesCount: a.seriesCount + b.seriesCount,
  };
}

function joinClusters(a: ClusterEntry, b: ClusterEntry): ClusterEntry {
  return {
    ...(a.isDescribed ? a : b),
    hostCount: a.hostCount + b.hostCount,
    seriesCount: a.seriesCount + b.seriesCount,
  };
}
