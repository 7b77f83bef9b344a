import type { OutputForm } from '../../workers/output/forms.js';
import type { Aggregate, JobStatsRequest, SelectRequest } from '../model/selection.js';

/** A selection, front to shard. */
export interface SelectTask {
  readonly id: number;
  readonly select: SelectRequest;
  readonly form: OutputForm;
  /**
   * Other shards have a share: groups that are spread over hosts are answered as partial groups, and
   * where results of each host end is told.
   */
  readonly isShared: boolean;
  /** Groups to be finished: the parts of all shards. Then nothing else is answered. */
  readonly finish: readonly PartialGroup[] | undefined;
  /** It is worked on when nothing else is to be done. */
  readonly isLow?: boolean;
}

/** Statistics of jobs, front to shard. */
export interface JobStatsTask {
  readonly id: number;
  readonly jobStats: JobStatsRequest;
  /** Other shards have a share: what is found is answered as it is, not as text. */
  readonly isShared: boolean;
  /** Shares of all shards, to be answered as text. Then nothing else is. */
  readonly finish: readonly JobStatsShare[] | undefined;
  /** It is worked on when nothing else is to be done. */
  readonly isLow?: boolean;
}

/** What a shard has of jobs. */
export interface JobStatsShare {
  readonly metrics: readonly JobMetric[];
  /** JOB_ROW_FIELDS each: job, metric (index in `metrics`), host (index in the job's; -n = all n that have it), then a summary. */
  readonly rows: Float64Array;
  /** Why something of them is missing. */
  readonly problems: readonly JobProblem[];
}

export interface JobProblem {
  /** Index of the job, and of the host in it; -1 = it is not about a host. */
  readonly job: number;
  readonly metric: string;
  readonly host: number;
  readonly error: string;
}

export interface JobMetric {
  readonly name: string;
  readonly stepSec: number;
}

/** Fields of a row before its summary, and those of a summary. */
export const JOB_ROW_NAMES = 3;
export const JOB_ROW_SUMMARY = 12;
export const JOB_ROW_FIELDS = 15;

/** What identifies a group in the answer: the keys of its results. */
export interface GroupNames {
  readonly cluster: string;
  readonly subCluster: string;
  readonly host: string;
  readonly type: string;
  readonly id: string;
  readonly subId: string;
}

/** A group as one shard has it: to be put together with its parts of other shards. */
export interface PartialGroup extends GroupNames {
  readonly select: number;
  readonly metric: string;
  readonly stepSec: number;
  readonly operation: Aggregate;
  readonly seriesCount: number;
  readonly members: number;
  /** First slot of the values. */
  readonly firstSlot: number;
  /** Sums (0 where there is none), or extremes (NaN where there is none). */
  readonly values: Float64Array;
  readonly contributors: Uint32Array;
}

/** What came of a selection in a shard, with its last piece. */
export interface SelectSummary {
  /** Ends of the results of one host and metric in the whole text, with what they are ordered by. */
  readonly marks: readonly ResultMark[];
  readonly partials: readonly PartialGroup[];
  /** By selection: results there were. */
  readonly results: readonly number[];
  /** Why there is nothing, or not all: by selection, a few at most. */
  readonly problems: readonly SelectProblem[];
  readonly points: number;
}

export interface ResultMark {
  readonly key: string;
  readonly end: number;
}

export interface SelectProblem {
  readonly select: number;
  readonly error: string;
  /** Only of interest where no shard has a result: then what all shards say is put together. */
  readonly absence?: Absence;
}

/** What a shard has instead of a metric that it has nothing of. */
export interface Absence {
  /** A name or a pattern. */
  readonly metric: string;
  /** What there is nothing of. */
  readonly what: string;
  /** Hosts that are meant and known, or what of them was looked at, and the types that have the metric. */
  readonly hosts: number;
  readonly lookedAt: number;
  readonly types: readonly string[];
}

export function absenceText({ what, hosts, lookedAt, types }: Omit<Absence, 'metric'>): string {
  if (hosts === 0) return `${what}: none of these hosts is known`;
  if (types.length > 0) return `${what}: it is stored at ${types.toSorted().join(', ')}`;
  return `${what}: the hosts looked at (${lookedAt} of ${hosts}) do not have it`;
}
