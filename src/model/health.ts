/** States of a metric of a host, the worse behind the better. A number of a state is its index. */
export const METRIC_STATES = ['full', 'stuck', 'degraded', 'missing'] as const;
export type MetricState = (typeof METRIC_STATES)[number];

/** States of a host, a sub-cluster and a cluster. */
export const HOST_STATES = ['full', 'partial', 'failed'] as const;
export type HostState = (typeof HOST_STATES)[number];

/** How much a page of states tells: all of it has the counts of clusters. */
export const HEALTH_DETAILS = ['clusters', 'hosts', 'metrics'] as const;
export type HealthDetail = (typeof HEALTH_DETAILS)[number];

/** A page of the states of hosts. An empty text or list asks for all. */
export interface HealthPageRequest {
  readonly detail: HealthDetail;
  readonly cluster: string;
  readonly subCluster: string;
  /** Host list or pattern. */
  readonly hosts: string;
  readonly states: readonly HostState[];
  readonly metricStates: readonly MetricState[];
  /** Name or pattern. */
  readonly metric: string;
  /** Cluster and host of the entry before the page; empty = the page is the first. */
  readonly after: readonly string[];
  readonly limit: number;
  /** Only these; unset = all. */
  readonly clusters?: readonly string[];
}

/** A host on a page: what it is ordered by, and all there is to tell as JSON text. */
export interface HealthEntry {
  readonly cluster: string;
  readonly host: string;
  readonly text: string;
}

/** Entries in the order of cluster and host, and the key to go on after; null = there are no more. */
export interface HealthPage {
  readonly entries: readonly HealthEntry[];
  readonly next: readonly string[] | null;
}
