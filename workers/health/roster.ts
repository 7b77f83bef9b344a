import type { StoreConfig } from '../../src/config/config.js';
import { CLUSTER_HOSTS_MAX, HostSet } from '../../src/model/host-list.js';
import type { Metrics } from '../engine/metrics.js';
import type { Topologies } from '../engine/topology.js';
import type { MetricNames } from './metric-names.js';

/** What is expected of the hosts of a sub-cluster, or of those of a cluster that are of none (''). */
export class Group {
  readonly cluster: string;
  readonly subCluster: string;
  /** Numbers of metrics, expected before there is a sample. */
  readonly expected: readonly number[];
  readonly #expected: ReadonlySet<number>;
  readonly #judged = new Map<number, boolean>();
  readonly #isTaken: (id: number) => boolean;

  constructor(
    cluster: string,
    subCluster: string,
    expected: readonly number[],
    isTaken: (id: number) => boolean,
  ) {
    this.cluster = cluster;
    this.subCluster = subCluster;
    this.expected = expected;
    this.#expected = new Set(expected);
    this.#isTaken = isTaken;
  }

  isExpected(id: number): boolean {
    return this.#expected.has(id);
  }

  /** Whether samples of a metric are taken: what is left of another one is nobody's loss. */
  isJudged(id: number): boolean {
    let isJudged = this.#judged.get(id);
    if (isJudged === undefined) this.#judged.set(id, (isJudged = this.#isTaken(id)));
    return isJudged;
  }
}

export interface RosterParts {
  readonly metrics: Metrics;
  readonly topologies: Topologies;
  readonly names: MetricNames;
  /** Changed in place. */
  readonly store: Pick<StoreConfig, 'clusters'>;
}

/** Which hosts and metrics there should be, by cluster.json files. */
export class Roster {
  readonly #parts: RosterParts;
  readonly #groups = new Map<string, Group>();

  constructor(parts: RosterParts) {
    this.#parts = parts;
  }

  /** The configuration has changed. */
  renew(): void {
    this.#groups.clear();
  }

  /** Hosts that lists name, in no order; one may come twice. Those of patterns are known when they send. */
  *listed(): Generator<[cluster: string, host: string]> {
    for (const { name, metrics, subClusters } of this.#parts.store.clusters) {
      if (Object.keys(metrics).length === 0) continue;
      for (const { nodes } of subClusters) {
        if (nodes === '') continue;
        for (const host of HostSet.parse([nodes], CLUSTER_HOSTS_MAX).exactNames) yield [name, host];
      }
    }
  }

  /** A host that is in no list of its cluster, though there are some, is judged by what it sends. */
  isExpected({ cluster, subCluster }: Group): boolean {
    return subCluster !== '' || !this.#parts.topologies.describes(cluster);
  }

  groupOf(cluster: string, host: string): Group {
    const subCluster = this.#parts.topologies.subClusterOf(cluster, host);
    const key = `${cluster}\n${subCluster}`;
    let group = this.#groups.get(key);
    if (!group) this.#groups.set(key, (group = this.#makeGroup(cluster, subCluster)));
    return group;
  }

  #makeGroup(cluster: string, subCluster: string): Group {
    const { metrics, names, store } = this.#parts;
    const described = store.clusters.find(({ name }) => name === cluster)?.metrics ?? {};
    const expected =
      subCluster === ''
        ? []
        : Object.entries(described)
            .filter(([, { removedIn }]) => !removedIn.includes(subCluster))
            .map(([name]) => names.of(name));
    return new Group(cluster, subCluster, expected, (id) => {
      const name = names.nameOf(id);
      const isRemoved = metrics.removedIn(name, cluster)?.has(subCluster) === true;
      return metrics.isTaken(name, cluster) && !isRemoved;
    });
  }
}
