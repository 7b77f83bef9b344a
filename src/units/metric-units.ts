import type { StoreConfig } from '../config/config.js';

/** The configured metric that stands for every other. */
const ANY = '*';

/** Which unit a metric has: what cluster.json says of the cluster, else what the configuration says. */
export class MetricUnits {
  readonly #byCluster: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly #byMetric: ReadonlyMap<string, string>;

  constructor({ metrics, clusters }: Pick<StoreConfig, 'metrics' | 'clusters'>) {
    this.#byMetric = new Map(
      Object.entries(metrics).map(([name, { unit }]) => [name, (unit ?? '').trim()]),
    );
    this.#byCluster = new Map(
      clusters.map((cluster) => [
        cluster.name,
        new Map(Object.entries(cluster.metrics).map(([name, { unit }]) => [name, unit.trim()])),
      ]),
    );
  }

  /** As written; '' = none is known. It need not be one that `parseUnit` understands. */
  unitOf(cluster: string, metric: string): string {
    const ofCluster = this.#byCluster.get(cluster)?.get(metric);
    if (ofCluster) return ofCluster;
    return this.#byMetric.get(metric) ?? this.#byMetric.get(ANY) ?? '';
  }
}
