/** Types of levels with a place in a topology, the coarsest first. Accelerators are below the node only. */
export const TYPES_BY_COARSENESS = [
  'node',
  'socket',
  'die',
  'memoryDomain',
  'llc',
  'core',
  'hwthread',
] as const;
export type TopologyType = (typeof TYPES_BY_COARSENESS)[number];

/** All types that the tag `type` has; a level of any other below a host is of a sub-type. */
export const LEVEL_TYPES: readonly string[] = [...TYPES_BY_COARSENESS, 'accelerator'];

/** What a cluster.json of cc-backend tells of a cluster, as far as the store uses it. */
export interface ClusterDescription {
  readonly name: string;
  /** By metric. */
  readonly metrics: Readonly<Record<string, ClusterMetric>>;
  readonly subClusters: readonly SubCluster[];
}

export interface ClusterMetric {
  /** As written, such as `GB/s`; '' = none. */
  readonly unit: string;
  /** Level that collectors send it at; `node` if the file says nothing. */
  readonly scope: string;
  /** 0 = the file does not say. */
  readonly stepSec: number;
  readonly aggregation: 'sum' | 'avg' | null;
  /** Statistic that stands for a job in lists; '' = none. */
  readonly footprint: '' | 'avg' | 'min' | 'max';
  /** What the metric says of energy; '' = nothing. */
  readonly energy: '' | 'power' | 'energy';
  /** Sub-clusters that do not have it. */
  readonly removedIn: readonly string[];
}

export interface SubCluster {
  readonly name: string;
  /** Host list as written, such as `f[0101-0188,0201-0288]`, or `*`; '' = none that can be read. */
  readonly nodes: string;
  readonly topology: TopologyLists;
}

/** Ids of hardware threads: of the node, and of each unit of it, by the unit's id. */
export interface TopologyLists {
  readonly node: readonly number[];
  readonly socket: readonly (readonly number[])[];
  readonly memoryDomain: readonly (readonly number[])[];
  readonly die: readonly (readonly number[])[];
  readonly core: readonly (readonly number[])[];
  /** Ids of accelerators, such as `00000000:49:00.0`. */
  readonly accelerators: readonly string[];
}
