import {
  ANY_METRIC,
  namedRules,
  type MetricRule,
  type MetricSources,
} from '../../src/config/metric-rules.js';

/** Metric indexes are 16-bit in a series record. */
export const METRICS_MAX = 65_535;

/** How series of a metric are stored and combined. An index never stands for another name or step. */
export interface Metric extends MetricRule {
  readonly index: number;
  readonly name: string;
  /** Of this cluster only; '' = of all that have none of this name of their own. */
  readonly cluster: string;
}

/**
 * The metrics of a shard: those configured, and with a `*` metric any other that is met. A cluster that a
 * cluster.json describes has those listed there for itself, with its own steps and strategies.
 */
export class Metrics {
  readonly #byIndex: Metric[] = [];
  /** Those of no cluster of their own. */
  #shared = new Map<string, Metric>();
  #own = new Map<string, Map<string, Metric>>();
  /** By cluster and metric: sub-clusters that do not have it. */
  #removedIn = new Map<string, Map<string, ReadonlySet<string>>>();
  #any: MetricRule | undefined;
  /** All that are taken of some cluster. */
  #taken = new Set<string>();

  constructor(sources: MetricSources) {
    for (const [name, rule] of namedRules(sources, '')) this.#addShared(name, rule);
    for (const { name: cluster } of sources.clusters) {
      const own = new Map<string, Metric>();
      for (const [name, rule] of namedRules(sources, cluster)) {
        const metric = this.#add(cluster, name, rule);
        if (metric) own.set(name, metric);
      }
      this.#own.set(cluster, own);
    }
    this.#readRest(sources);
  }

  #readRest({ metrics, clusters }: MetricSources): void {
    const any = metrics[ANY_METRIC];
    this.#any = any && { stepSec: any.frequency, aggregation: any.aggregation };
    this.#removedIn = new Map();
    for (const cluster of clusters) {
      const removed = Object.entries(cluster.metrics).filter(
        ([, told]) => told.removedIn.length > 0,
      );
      if (removed.length === 0) continue;
      const sets = removed.map(([name, told]) => [name, new Set(told.removedIn)] as const);
      this.#removedIn.set(cluster.name, new Map(sets));
    }
    this.#taken = new Set(this.#shared.keys());
    for (const own of this.#own.values()) for (const name of own.keys()) this.#taken.add(name);
  }

  /** Whether lines of this metric are stored for some cluster. Remembers nothing. */
  isKnown(name: string): boolean {
    return this.#any !== undefined || this.#taken.has(name);
  }

  /** The same for one cluster. */
  isTaken(name: string, cluster: string): boolean {
    return this.#any !== undefined || this.find(name, cluster) !== undefined;
  }

  /** Names of the sub-clusters of a cluster that do not have the metric; undefined = all have it. */
  removedIn(name: string, cluster: string): ReadonlySet<string> | undefined {
    return this.#removedIn.get(cluster)?.get(name);
  }

  /** A metric that is configured or was stored before. */
  find(name: string, cluster: string): Metric | undefined {
    return this.#own.get(cluster)?.get(name) ?? this.#shared.get(name);
  }

  /** The same, met for the first time or not; undefined if unknown or if there are too many. */
  intern(name: string, cluster: string): Metric | undefined {
    const known = this.find(name, cluster);
    if (known || !this.#any) return known;
    return this.#addShared(name, this.#any);
  }

  /** Names of all that `find` has for a cluster. */
  namesOf(cluster: string): ReadonlySet<string> {
    return new Set([...this.#shared.keys(), ...(this.#own.get(cluster)?.keys() ?? [])]);
  }

  /** All of them, by index. */
  all(): readonly Metric[] {
    return this.#byIndex;
  }

  at(index: number): Metric {
    return this.#byIndex[index]!;
  }

  #addShared(name: string, rule: MetricRule): Metric | undefined {
    const metric = this.#add('', name, rule);
    if (metric) this.#shared.set(name, metric);
    return metric;
  }

  #add(cluster: string, name: string, { stepSec, aggregation }: MetricRule): Metric | undefined {
    if (this.#byIndex.length >= METRICS_MAX) return undefined;
    const metric: Metric = { index: this.#byIndex.length, name, cluster, stepSec, aggregation };
    this.#byIndex.push(metric);
    return metric;
  }
}
