import {
  ANY_METRIC,
  namedRules,
  type MetricRule,
  type MetricSources,
} from '../../src/config/metric-rules.js';
import { StoreError } from '../../src/model/errors.js';

/** Metric indexes are 16-bit in a series record. */
export const METRICS_MAX = 65_535;

/** No index is left for some. */
export const TOO_MANY_METRICS = `there are ${METRICS_MAX} metrics, the most that can be told apart`;

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
  /** Grows with each configuration. */
  version = 0;
  readonly #byIndex: Metric[] = [];
  /** By cluster, name and step: what was a metric once has its index for good. */
  readonly #indexes = new Map<string, number>();
  /** Those of no cluster of their own. */
  #shared = new Map<string, Metric>();
  #own = new Map<string, Map<string, Metric>>();
  /** By cluster and metric: sub-clusters that do not have it. */
  #removedIn = new Map<string, Map<string, ReadonlySet<string>>>();
  #any: MetricRule | undefined;
  /** All that are taken of some cluster. */
  #taken = new Set<string>();
  /** Not configured any more: what is stored of them can be asked for, and nothing is added. */
  readonly #retired = new Set<Metric>();

  constructor(sources: MetricSources) {
    this.reconfigure(sources);
  }

  /**
   * Metrics are as configured from now on, and those that are not configured any more are kept for what is
   * stored of them. Series of metrics that changed have to be moved to those of today by the caller.
   * Returns why some could not be taken.
   */
  reconfigure(sources: MetricSources): string[] {
    const { metrics, clusters } = sources;
    const any = metrics[ANY_METRIC];
    this.#any = any && { stepSec: any.frequency, aggregation: any.aggregation };
    this.version++;
    this.#retired.clear();
    const problems: string[] = [];
    const before = this.#own;
    this.#shared = this.#renewed('', this.#shared, namedRules(sources, ''), problems);
    this.#own = new Map();
    const names = new Set([...before.keys(), ...clusters.map(({ name }) => name)]);
    for (const cluster of names) {
      const rules = namedRules(sources, cluster);
      const own = this.#renewed(cluster, before.get(cluster) ?? new Map(), rules, problems);
      if (own.size > 0) this.#own.set(cluster, own);
    }
    this.#readRemoved(sources);
    return problems;
  }

  /** Metrics of a cluster by new rules; of those without one, what nothing else stands for is retired. */
  #renewed(
    cluster: string,
    before: ReadonlyMap<string, Metric>,
    rules: ReadonlyMap<string, MetricRule>,
    problems: string[],
  ): Map<string, Metric> {
    const renewed = new Map<string, Metric>();
    const renew = (name: string, rule: MetricRule): void => {
      const metric = this.#add(cluster, name, rule) ?? before.get(name);
      if (metric) renewed.set(name, metric);
      if (metric?.stepSec !== rule.stepSec) problems.push(`metric ${name}: ${TOO_MANY_METRICS}`);
    };
    for (const [name, rule] of rules) renew(name, rule);
    for (const [name, metric] of before) {
      if (rules.has(name)) continue;
      // Those of a cluster of their own are as all others are then.
      const isOther = cluster !== '' && (this.#any !== undefined || this.#takesShared(name));
      if (cluster === '' && this.#any) renew(name, this.#any);
      else if (!isOther) {
        renewed.set(name, metric);
        this.#retired.add(metric);
      }
    }
    return renewed;
  }

  #takesShared(name: string): boolean {
    const metric = this.#shared.get(name);
    return metric !== undefined && !this.#retired.has(metric);
  }

  #readRemoved({ clusters }: MetricSources): void {
    this.#removedIn = new Map();
    for (const cluster of clusters) {
      const removed = Object.entries(cluster.metrics).filter(
        ([, told]) => told.removedIn.length > 0,
      );
      if (removed.length === 0) continue;
      const sets = removed.map(([name, told]) => [name, new Set(told.removedIn)] as const);
      this.#removedIn.set(cluster.name, new Map(sets));
    }
    const all = [this.#shared, ...this.#own.values()].flatMap((named) => [...named.values()]);
    const taken = all.filter((metric) => !this.#retired.has(metric));
    this.#taken = new Set(taken.map(({ name }) => name));
  }

  /** Whether lines of this metric are stored for some cluster. Remembers nothing. */
  isKnown(name: string): boolean {
    return this.#any !== undefined || this.#taken.has(name);
  }

  /** The same for one cluster. */
  isTaken(name: string, cluster: string): boolean {
    if (this.#any) return true;
    const metric = this.find(name, cluster);
    return metric !== undefined && !this.#retired.has(metric);
  }

  /** Names of the sub-clusters of a cluster that do not have the metric; undefined = all have it. */
  removedIn(name: string, cluster: string): ReadonlySet<string> | undefined {
    return this.#removedIn.get(cluster)?.get(name);
  }

  /** A metric that is configured or was stored before. */
  find(name: string, cluster: string): Metric | undefined {
    return this.#own.get(cluster)?.get(name) ?? this.#shared.get(name);
  }

  /** Throws if a metric that a request has begun with is not what it was: its series are elsewhere now. */
  checkSame({ name, index }: Metric, cluster: string): void {
    if (this.find(name, cluster)?.index === index) return;
    const error = `metric ${name} of ${cluster} was changed while it was read; ask again in a moment`;
    throw new StoreError('shard-unavailable', error);
  }

  /** As `find`, of one met for the first time or not; undefined if unknown or if there are too many. */
  intern(name: string, cluster: string): Metric | undefined {
    const known = this.find(name, cluster);
    if (known || !this.#any) return known;
    const metric = this.#add('', name, this.#any);
    if (metric) this.#shared.set(name, metric);
    return metric;
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

  #add(cluster: string, name: string, { stepSec, aggregation }: MetricRule): Metric | undefined {
    const key = `${cluster}\n${stepSec}\n${name}`;
    const index = this.#indexes.get(key) ?? this.#byIndex.length;
    if (index >= METRICS_MAX) return undefined;
    const known = this.#byIndex[index];
    if (known?.aggregation === aggregation) return known;
    // Requests in work go on with the strategy that they have begun with.
    const metric: Metric = { index, name, cluster, stepSec, aggregation };
    this.#byIndex[index] = metric;
    this.#indexes.set(key, index);
    return metric;
  }
}
