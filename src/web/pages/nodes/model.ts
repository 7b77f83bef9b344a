import { keyOf, type HealthEvent, type NodeHealth, type NodeState } from './states.js';

/** Nodes of a sub-cluster that are shown together. */
export interface Group {
  readonly cluster: string;
  /** '' = of none. */
  readonly subCluster: string;
  /** Positions in `nodes` of the model, in the order of names. */
  readonly indexes: readonly number[];
  readonly counts: Record<NodeState, number>;
}

/** A node that an event changed. */
export interface Change {
  readonly index: number;
  readonly group: Group;
  readonly previous: NodeHealth;
}

/** All nodes that are known, and their state now. An event costs the same however many there are. */
export class HealthModel {
  readonly nodes: NodeHealth[];
  readonly groups: readonly Group[];
  readonly #indexes = new Map<string, number>();
  readonly #groups: Group[] = [];

  /** @param nodes in the order of clusters and names, as the store lists them. */
  constructor(nodes: readonly NodeHealth[]) {
    this.nodes = [...nodes];
    const groups = new Map<string, Group & { indexes: number[] }>();
    for (const [index, node] of nodes.entries()) {
      const { cluster, subCluster, state } = node;
      const key = `${cluster}\n${subCluster}`;
      let group = groups.get(key);
      if (!group) {
        group = { cluster, subCluster, indexes: [], counts: { full: 0, partial: 0, failed: 0 } };
        groups.set(key, group);
      }
      group.indexes.push(index);
      group.counts[state]++;
      this.#indexes.set(keyOf(node), index);
      this.#groups.push(group);
    }
    this.groups = [...groups.values()].sort(
      (a, b) => compare(a.cluster, b.cluster) || compare(a.subCluster, b.subCluster),
    );
  }

  /** undefined: a node that is not known here. */
  apply({ cluster, host, state, sinceSec, isFlapping, timeSec }: HealthEvent): Change | undefined {
    const index = this.#indexes.get(keyOf({ cluster, host }));
    if (index === undefined) return undefined;
    const previous = this.nodes[index]!;
    const lastSec = state === 'full' ? timeSec : previous.lastSec;
    return this.#set(index, { ...previous, state, sinceSec, isFlapping, lastSec });
  }

  /** The same nodes, read anew: what changed; undefined where these are other nodes. */
  refresh(nodes: readonly NodeHealth[]): Change[] | undefined {
    const isSame = (node: NodeHealth, index: number): boolean =>
      keyOf(node) === keyOf(nodes[index]!) && node.subCluster === nodes[index]!.subCluster;
    if (nodes.length !== this.nodes.length || !this.nodes.every(isSame)) return undefined;
    const changes: Change[] = [];
    for (const [index, node] of nodes.entries()) {
      const { state, sinceSec, isFlapping, lastSec } = this.nodes[index]!;
      const isStill =
        state === node.state && sinceSec === node.sinceSec && lastSec === node.lastSec;
      if (!isStill || isFlapping !== node.isFlapping) changes.push(this.#set(index, node));
    }
    return changes;
  }

  indexOf(node: NodeHealth): number | undefined {
    return this.#indexes.get(keyOf(node));
  }

  /** Nodes that are not full, those that failed first, then the newest changes. */
  troubled(): NodeHealth[] {
    const rank = (state: NodeState): number => (state === 'failed' ? 0 : 1);
    return this.nodes
      .filter(({ state }) => state !== 'full')
      .sort((a, b) => rank(a.state) - rank(b.state) || b.sinceSec - a.sinceSec);
  }

  #set(index: number, node: NodeHealth): Change {
    const previous = this.nodes[index]!;
    const group = this.#groups[index]!;
    group.counts[previous.state]--;
    group.counts[node.state]++;
    this.nodes[index] = node;
    return { index, group, previous };
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
