export type NodeState = 'full' | 'partial' | 'failed';
export type MetricState = 'full' | 'degraded' | 'missing' | 'stuck';
export const NODE_STATES: readonly NodeState[] = ['failed', 'partial', 'full'];

/** A metric of a node, as `GET /api/v2/health` tells. */
export interface MetricHealth {
  readonly metric: string;
  readonly state: MetricState;
  readonly sinceSec: number;
  readonly isFlapping: boolean;
  readonly series: number;
  readonly lateSeries: number;
  readonly stuckSeries: number;
  /** Of the series that is furthest behind; null = there never was one. */
  readonly last: {
    readonly timeSec: number;
    readonly value: number | null;
    readonly level: string;
  } | null;
}

export interface NodeHealth {
  readonly cluster: string;
  readonly host: string;
  readonly subCluster: string;
  readonly state: NodeState;
  readonly sinceSec: number;
  readonly isFlapping: boolean;
  readonly isExpected: boolean;
  /** Of its newest sample; null = there is none. */
  readonly lastSec: number | null;
  readonly metrics?: readonly MetricHealth[];
}

export interface ClusterHealth {
  readonly cluster: string;
  readonly subClusters: readonly { readonly name: string }[];
}

export interface Health {
  /** null = nothing was checked yet. */
  readonly checkedSec: number | null;
  readonly intervalSec: number;
  readonly clusters: readonly ClusterHealth[];
  readonly hosts: readonly NodeHealth[];
}

/** A node that changed, as `GET /api/v2/health/events` tells. */
export interface HealthEvent {
  readonly timeSec: number;
  readonly cluster: string;
  readonly host: string;
  readonly state: NodeState;
  readonly sinceSec: number;
  readonly isFlapping: boolean;
}

export function keyOf(node: Pick<NodeHealth, 'cluster' | 'host'>): string {
  return `${node.cluster}\n${node.host}`;
}

/** The address of a node's page. */
export function nodeLink({ cluster, host }: Pick<NodeHealth, 'cluster' | 'host'>): string {
  return `nodes?${new URLSearchParams({ cluster, node: host })}`;
}
