import type { HostState } from '../model/health.js';
import type { GroupHealth } from '../protocol/health.js';

/** A cluster or a sub-cluster. Counts are in the order of HOST_STATES and METRIC_STATES. */
export interface GroupState {
  readonly name: string;
  readonly state: HostState;
  readonly sinceSec: number;
  readonly hosts: readonly number[];
  readonly metrics: readonly number[];
}

export interface ClusterState extends GroupState {
  /** In the order of their names; hosts that are of none are counted in the cluster only. */
  readonly subClusters: readonly GroupState[];
}

interface Known {
  readonly state: HostState;
  readonly sinceSec: number;
}

/** Sums up what the shards tell of their hosts, and remembers since when a state holds. */
export class ClusterStates {
  #clusters: readonly ClusterState[] = [];
  #known = new Map<string, Known>();

  /** In the order of their names. */
  get clusters(): readonly ClusterState[] {
    return this.#clusters;
  }

  /** What all shards have told last. */
  update(groups: readonly GroupHealth[]): void {
    const before = this.#known;
    this.#known = new Map();
    const clusters = new Map<string, Map<string, Total>>();
    for (const group of groups) {
      let subClusters = clusters.get(group.cluster);
      if (!subClusters) clusters.set(group.cluster, (subClusters = new Map()));
      let total = subClusters.get(group.subCluster);
      if (!total) subClusters.set(group.subCluster, (total = new Total()));
      total.add(group);
    }
    this.#clusters = sorted(clusters).map(([cluster, subClusters]) => {
      const total = new Total();
      for (const one of subClusters.values()) total.add(one);
      const named = sorted(subClusters).filter(([name]) => name !== '');
      return {
        ...this.#stateOf(cluster, `${cluster}\n`, total, before),
        subClusters: named.map(([name, one]) =>
          this.#stateOf(name, `${cluster}\n${name}`, one, before),
        ),
      };
    });
  }

  #stateOf(
    name: string,
    key: string,
    total: Total,
    before: ReadonlyMap<string, Known>,
  ): GroupState {
    const state = total.state;
    const known = before.get(key);
    const sinceSec = known?.state === state ? known.sinceSec : total.sinceSec(known?.state);
    this.#known.set(key, { state, sinceSec });
    return { name, state, sinceSec, hosts: total.hosts, metrics: total.metrics };
  }
}

/** Hosts of several shards or sub-clusters. */
class Total {
  readonly hosts = [0, 0, 0];
  readonly metrics = [0, 0, 0, 0];
  newestSec = 0;
  /** 0 = there are none. */
  notFullSec = 0;
  notFailedSec = 0;

  add(other: Omit<GroupHealth, 'cluster' | 'subCluster'>): void {
    other.hosts.forEach((count, i) => (this.hosts[i]! += count));
    other.metrics.forEach((count, i) => (this.metrics[i]! += count));
    this.newestSec = Math.max(this.newestSec, other.newestSec);
    this.notFullSec = oldest(this.notFullSec, other.notFullSec);
    this.notFailedSec = oldest(this.notFailedSec, other.notFailedSec);
  }

  get state(): HostState {
    const [full, partial, failed] = this.hosts as [number, number, number];
    if (partial === 0 && failed === 0) return 'full';
    return full === 0 && partial === 0 ? 'failed' : 'partial';
  }

  /** As of a host: since the last one became so, or the first one that differs. */
  sinceSec(previous: HostState | undefined): number {
    if (this.state !== 'partial') return this.newestSec;
    return previous === 'failed' ? this.notFailedSec : this.notFullSec;
  }
}

function oldest(a: number, b: number): number {
  return a === 0 || b === 0 ? a + b : Math.min(a, b);
}

function sorted<Value>(values: ReadonlyMap<string, Value>): [string, Value][] {
  return [...values].sort(([a], [b]) => (a < b ? -1 : 1));
}
