import type { ResampleAlgorithm } from './query-request.js';

/** What series of a group become; null in a selection = the metric's own strategy. */
export const AGGREGATES = ['sum', 'avg', 'min', 'max', 'count'] as const;
export type Aggregate = (typeof AGGREGATES)[number];

/** What results may be grouped by. */
export const GROUP_KEYS = ['cluster', 'sub-cluster', 'host', 'type', 'id'] as const;
export type GroupKey = (typeof GROUP_KEYS)[number];

/** A request of `POST /api/v2/query` with all defaults filled in. */
export interface SelectRequest {
  /** Names, at least one. */
  readonly clusters: readonly string[];
  readonly fromSec: number;
  /** Exclusive. */
  readonly toSec: number;
  /** Both ends were given as points in time: the same text always means the same range. */
  readonly isFixed: boolean;
  readonly select: readonly Selection[];
  /** Whether the archive is asked as well; undefined = where memory does not have it all. */
  readonly archive: boolean | undefined;
}

/** Series that are asked for, and what is to be made of them. */
export interface Selection {
  /** Names and globs. */
  readonly metrics: readonly string[];
  /** Host lists (`a[0100-0185]`), names and globs; null = all hosts. */
  readonly hosts: readonly string[] | null;
  /** Only hosts of these sub-clusters, `hosts` is null then; null = of all. */
  readonly subClusters: readonly string[] | null;
  /** `node`, or a type such as `hwthread`. */
  readonly scope: string;
  /** Sub-type below the scope such as `filesystem`, '' = none. */
  readonly subScope: string;
  /** Ids of the scope; of `node` those of the hardware threads to take. null = all. */
  readonly ids: readonly string[] | null;
  readonly subIds: readonly string[] | null;
  readonly aggregate: Aggregate | null;
  /** null = each unit for itself, [] = all in one. Not null where `aggregate` is not. */
  readonly by: readonly GroupKey[] | null;
  /** Seconds between points, 0 = the metric's. At most one of it and `points` is not 0. */
  readonly stepSec: number;
  /** Points at most, 0 = not asked. */
  readonly points: number;
  /** '' = what is configured. */
  readonly resample: ResampleAlgorithm | '';
  /** Unit of the answer, '' = the metric's. */
  readonly unit: string;
  /** Names of statistics, such as `avg` or `p95`. */
  readonly stats: readonly string[];
  readonly data: boolean;
  /** Aggregates are missing wherever one child is. */
  readonly missingAsNull: boolean;
}

/** A request of `POST /api/v2/job-stats`. */
export interface JobStatsRequest {
  readonly jobs: readonly JobRange[];
  readonly stats: readonly string[];
  /** Whether each host's statistics are answered, too. */
  readonly byHost: boolean;
  /** Whether the archive is asked as well; undefined = for jobs of which memory does not have it all. */
  readonly archive: boolean | undefined;
}

export interface JobRange {
  /** As given. */
  readonly id: string | number;
  readonly cluster: string;
  /** Names, expanded. */
  readonly hosts: readonly string[];
  readonly fromSec: number;
  /** Exclusive. */
  readonly toSec: number;
  /** Both ends were given as points in time. */
  readonly isFixed: boolean;
  /** Names and globs; null = those with a footprint in cluster.json. */
  readonly metrics: readonly string[] | null;
  /** Hardware threads of the job on each host, null = all. */
  readonly ids: readonly string[] | null;
}
