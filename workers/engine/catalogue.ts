import type { StoreConfig } from '../../src/config/config.js';
import {
  compareKeys,
  LISTED_HOSTS_MAX,
  type CatalogueEntry,
  type CatalogueRequest,
  type ClusterEntry,
  type HostEntry,
  type MetricEntry,
  type SeriesEntry,
} from '../../src/model/catalogue.js';
import { globMatcher } from '../../src/model/glob.js';
import { HostSet } from '../../src/model/host-list.js';
import type { Kernel } from '../kernel/kernel.js';
import { SERIES_LAST_SLOT, SERIES_STAGGER, SERIES_STEP } from '../kernel/layout.js';
import { Turns, type TurnPace } from '../turns.js';
import type { Engine } from './engine.js';
import { firstSlotOf, NO_SLOT } from './first-slot.js';
import type { Level } from './level-tree.js';
import { MetricSummaries } from './metric-summaries.js';
import { partsOf, type LevelParts } from './level-parts.js';
import { SeriesTotal } from './series-total.js';
import { SmallestEntries } from './smallest-entries.js';
import type { Topologies } from './topology.js';

export interface CatalogueParts {
  readonly engine: Engine;
  readonly kernel: Kernel;
  readonly topologies: Topologies;
  readonly store: Pick<StoreConfig, 'clusters'>;
  readonly unitOf: (cluster: string, metric: string) => string;
  /** For a list that has low priority. */
  readonly lowTurns: () => TurnPace;
}

/** Called for a series; with numbers, since there may be millions of them. */
type Visit = (
  level: Level,
  metricIndex: number,
  stepSec: number,
  firstSec: number,
  lastSec: number,
) => void;

/**
 * Lists what a shard holds. A list may take a look at each of millions of series, so it is made in
 * turns, between which series may come and go, and one list after the other: no number of requests
 * takes more of the shard's time than one does.
 */
export class Catalogue {
  readonly #parts: CatalogueParts;
  #last: Promise<unknown> = Promise.resolve();
  /** Of low priority: they have a line of their own, so that nobody waits for them. */
  #lastLow: Promise<unknown> = Promise.resolve();

  constructor(parts: CatalogueParts) {
    this.#parts = parts;
  }

  /** The first entries behind `after` in the order of their keys, one more than the page has, if there are. */
  list(request: CatalogueRequest): Promise<CatalogueEntry[]> {
    const before = request.isLow ? this.#lastLow : this.#last;
    const listed = before.then(() => new Listing(this.#parts, request).list());
    const isDone = listed.catch(() => undefined);
    if (request.isLow) this.#lastLow = isDone;
    else this.#last = isDone;
    return listed;
  }
}

/** One list in the making. */
class Listing {
  readonly #parts: CatalogueParts;
  readonly #request: CatalogueRequest;
  readonly #turns: Turns;
  readonly #entriesMax: number;
  readonly #entries: CatalogueEntry[] = [];
  /** undefined = all. */
  readonly #hostSet: HostSet | undefined;

  constructor(parts: CatalogueParts, request: CatalogueRequest) {
    this.#parts = parts;
    this.#request = request;
    this.#turns = new Turns(request.isLow ? parts.lowTurns() : undefined);
    this.#entriesMax = request.limit + 1;
    const { hosts } = request;
    if (hosts !== '') this.#hostSet = HostSet.parse([hosts], LISTED_HOSTS_MAX);
  }

  async list(): Promise<CatalogueEntry[]> {
    if (this.#request.isLow) await this.#turns.next();
    switch (this.#request.kind) {
      case 'clusters':
        await this.#listClusters();
        break;
      case 'metrics':
        await this.#listMetrics();
        break;
      case 'hosts':
        await this.#listHosts();
        break;
      case 'series':
        await this.#listSeries();
    }
    return this.#entries;
  }

  get #isFull(): boolean {
    return this.#entries.length >= this.#entriesMax;
  }

  async #listClusters(): Promise<void> {
    const matches = matcher(this.#request.match);
    for (const name of this.#clusters()) {
      if (this.#isFull) return;
      if (!matches(name) || !this.#isBehind([name])) continue;
      let hostCount = 0;
      const total = new SeriesTotal();
      for (const host of this.#parts.engine.tree.hosts(name).names) {
        const before = total.seriesCount;
        await this.#eachSeries(name, host, (_level, _metric, _step, firstSec, lastSec) =>
          total.add(firstSec, lastSec),
        );
        if (total.seriesCount > before) hostCount++;
      }
      if (hostCount === 0) continue;
      const entry: ClusterEntry = {
        name,
        hostCount,
        isDescribed: false,
        subClusters: [],
        ...total.toData(),
      };
      this.#entries.push(entry);
    }
  }

  async #listMetrics(): Promise<void> {
    const { engine, store, unitOf } = this.#parts;
    const matches = matcher(this.#request.match);
    for (const cluster of this.#clusters()) {
      if (this.#isFull) return;
      const summaries = new MetricSummaries(engine.metrics, cluster, (name) => {
        return matches(name) && this.#isBehind([cluster, name]);
      });
      for (const host of engine.tree.hosts(cluster).names) {
        await this.#eachSeries(cluster, host, (level, metricIndex, _step, firstSec, lastSec) =>
          summaries.add(metricIndex, level, firstSec, lastSec),
        );
      }
      const described = store.clusters.find(({ name }) => name === cluster)?.metrics ?? {};
      for (const [metric, summary] of summaries.sorted()) {
        if (this.#isFull) return;
        const { name, stepSec, aggregation } = metric;
        const footprint = Object.hasOwn(described, name) ? described[name]!.footprint : '';
        const unit = unitOf(cluster, name);
        const entry: MetricEntry = {
          cluster,
          name,
          unit,
          stepSec,
          aggregation,
          footprint,
          ...summary,
        };
        this.#entries.push(entry);
      }
    }
  }

  async #listHosts(): Promise<void> {
    for (const cluster of this.#clusters()) {
      for await (const name of this.#hosts(cluster)) {
        if (this.#isFull) return;
        if (!this.#isBehind([cluster, name])) continue;
        const total = new SeriesTotal();
        await this.#eachSeries(cluster, name, (_level, _metric, _step, firstSec, lastSec) =>
          total.add(firstSec, lastSec),
        );
        if (total.seriesCount === 0) continue;
        const subCluster = this.#parts.topologies.subClusterOf(cluster, name);
        const entry: HostEntry = { cluster, name, subCluster, ...total.toData() };
        this.#entries.push(entry);
      }
    }
  }

  async #listSeries(): Promise<void> {
    const isWanted = this.#seriesFilter();
    const { engine, unitOf } = this.#parts;
    for (const cluster of this.#clusters()) {
      for await (const host of this.#hosts(cluster)) {
        if (this.#isFull) return;
        // The series of a host have no order, and may be many more than fit on a page.
        const found = new SmallestEntries('series', this.#entriesMax - this.#entries.length);
        let parts: LevelParts | undefined;
        let last: Level | undefined;
        await this.#eachSeries(cluster, host, (level, metricIndex, stepSec, firstSec, lastSec) => {
          if (level !== last) parts = partsOf((last = level));
          const { type, id, subType, subId, path } = parts!;
          const metric = engine.metrics.at(metricIndex).name;
          if (!isWanted(cluster, host, type, path, metric)) return;
          if (!this.#isBehind([cluster, host, type, id, subType, subId, metric])) return;
          const unit = unitOf(cluster, metric);
          const names = { cluster, host, type, id, subType, subId, metric };
          found.add({ ...names, unit, stepSec, firstSec, lastSec } satisfies SeriesEntry);
        });
        this.#entries.push(...found.sorted());
      }
    }
  }

  /** Whether a series is asked for, by what names it. */
  #seriesFilter(): (
    cluster: string,
    host: string,
    type: string,
    path: string,
    metric: string,
  ) => boolean {
    const { type: wantedType, metric: wantedMetric, match } = this.#request;
    const isMetric = matcher(wantedMetric);
    const isPath = matcher(match);
    return (cluster, host, type, path, metric) =>
      (wantedType === '' || type === wantedType) &&
      isMetric(metric) &&
      (match === '' || isPath(`${cluster}/${host}/${path}${metric}`));
  }

  /** Clusters that are asked for, in sorted order. */
  #clusters(): string[] {
    const { cluster, clusters } = this.#request;
    const known = this.#parts.engine.tree.root.children;
    const names =
      cluster === '' ? [...(known?.keys() ?? [])] : known?.has(cluster) ? [cluster] : [];
    const allowed = names.filter((name) => clusters?.includes(name) ?? true);
    return allowed.sort().filter((name) => !this.#isBefore([name]));
  }

  /**
   * Hosts of a cluster that are asked for, in sorted order, from the one to go on after. Patterns may be
   * many: looking for hosts takes turns as well.
   */
  async *#hosts(cluster: string): AsyncGenerator<string> {
    const { subCluster } = this.#request;
    const { engine, topologies } = this.#parts;
    for (const host of engine.tree.hosts(cluster).names) {
      if (this.#turns.isOver) await this.#turns.next();
      if (this.#isBefore([cluster, host]) || this.#hostSet?.has(host) === false) continue;
      if (subCluster !== '' && topologies.subClusterOf(cluster, host) !== subCluster) continue;
      yield host;
    }
  }

  /** Calls back for each series of a host that holds something, in turns. */
  async #eachSeries(cluster: string, host: string, visit: Visit): Promise<void> {
    const { engine, kernel } = this.#parts;
    const top = engine.tree.find([cluster, host]);
    if (!top) return;
    for (const level of levelsAt(top)) {
      const words = engine.words();
      // Read anew at each level: what was here before a turn may be freed behind it.
      for (const series of level.series) {
        const slot = firstSlotOf(kernel, words, series);
        if (slot === NO_SLOT) continue;
        const stepSec = words[(series + SERIES_STEP) >>> 2]!;
        const metricIndex = words[(series + SERIES_STAGGER) >>> 2]! >>> 16;
        const lastSec = words[(series + SERIES_LAST_SLOT) >>> 2]! * stepSec;
        visit(level, metricIndex, stepSec, slot * stepSec, lastSec);
      }
      if (this.#turns.isOver) await this.#turns.next();
    }
  }

  /** Whether a key is behind the one to go on after. */
  #isBehind(key: readonly string[]): boolean {
    const { after } = this.#request;
    return after.length === 0 || compareKeys(key, after) > 0;
  }

  /** Whether all keys that begin with these parts come before the one to go on after. */
  #isBefore(parts: readonly string[]): boolean {
    return compareKeys(parts, this.#request.after.slice(0, parts.length)) < 0;
  }
}

/** Without a pattern all is wanted. */
function matcher(pattern: string): (text: string) => boolean {
  return pattern === '' ? () => true : globMatcher(pattern);
}

/** A level and all below it. Levels that come and go between turns are seen or not. */
function* levelsAt(level: Level): Generator<Level> {
  yield level;
  for (const child of level.children?.values() ?? []) yield* levelsAt(child);
}
