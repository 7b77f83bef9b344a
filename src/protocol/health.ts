import type { HostState, MetricState } from '../model/health.js';

/** Metrics that a change of a host lists at most: a host may have thousands. */
export const CHANGED_METRICS_MAX = 100;
/** Hosts in one message at most: the front has other things to do between two of them. */
export const CHANGED_HOSTS_MAX = 200;

/** Shard to front: what a check has found so far, or what it came to. */
export interface HealthReport {
  /** When the check began. */
  readonly checkedSec: number;
  readonly changes?: readonly HostChange[];
  /** The last of a check. */
  readonly done?: CheckSummary;
}

export interface CheckSummary {
  readonly checkedSec: number;
  /** That the shard did nothing else. */
  readonly milliseconds: number;
  readonly longestTurnMs: number;
  /** Hosts, and metrics of hosts, that there was no room for. */
  readonly notJudged: number;
  /** The first of a shard that was started: what it knew before is not known any more. */
  readonly isFirst: boolean;
  /** All of them, if one has changed. */
  readonly groups?: readonly GroupHealth[];
}

/** Hosts of a sub-cluster in one shard, or those of a cluster that are of none (''). */
export interface GroupHealth {
  readonly cluster: string;
  readonly subCluster: string;
  /** Counts in the order of HOST_STATES and METRIC_STATES. */
  readonly hosts: readonly number[];
  readonly metrics: readonly number[];
  /** The newest second since which a host is in its state. */
  readonly newestSec: number;
  /** The oldest one of hosts that are not full, and of those that are not failed; 0 = there are none. */
  readonly notFullSec: number;
  readonly notFailedSec: number;
}

/** A host of which a check found something else than the one before. */
export interface HostChange {
  readonly cluster: string;
  readonly host: string;
  readonly subCluster: string;
  /** null: it is not expected any more, and has no samples. */
  readonly state: HostState | null;
  /** null: it is new. */
  readonly previous: HostState | null;
  readonly sinceSec: number;
  readonly isFlapping: boolean;
  /** Those that changed, at most {@link CHANGED_METRICS_MAX}. */
  readonly metrics: readonly MetricChange[];
  readonly metricsNotListed: number;
}

export interface MetricChange {
  readonly metric: string;
  readonly state: MetricState;
  /** null: it is new. */
  readonly previous: MetricState | null;
  readonly sinceSec: number;
}
