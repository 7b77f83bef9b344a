import { metricFamily } from '../http/metric-family.js';
import { HOST_STATES, METRIC_STATES } from '../model/health.js';
import type { ClusterState } from './cluster-states.js';

/** Clusters with samples of their own: names of clusters come with lines, and may be many. */
export const CLUSTERS_MAX = 1000;

/** Since the start: hosts that came into a state, by cluster. */
export class ChangeCounts {
  readonly #counts = new Map<string, number[]>();

  add(cluster: string, state: number): void {
    const isKnown = this.#counts.has(cluster) || this.#counts.size < CLUSTERS_MAX;
    // What is beyond has no name.
    const name = isKnown ? cluster : '';
    let counts = this.#counts.get(name);
    if (!counts) this.#counts.set(name, (counts = HOST_STATES.map(() => 0)));
    counts[state]!++;
  }

  samples(): string[] {
    return [...this.#counts].flatMap(([cluster, counts]) =>
      samplesOf(cluster, HOST_STATES, counts),
    );
  }
}

/** What there is to tell of checks. */
export interface HealthNumbers {
  readonly clusters: readonly ClusterState[];
  readonly changes: ChangeCounts;
  readonly checks: number;
  /** Of the last check of the slowest shard. */
  readonly checkSeconds: number;
  readonly notJudged: number;
  readonly streams: number;
  /** Where changes are published. */
  readonly published?: {
    readonly count: number;
    readonly dropped: Readonly<Record<string, number>>;
  };
}

/** Families in the Prometheus text format. */
export function healthMetrics(numbers: HealthNumbers): string {
  const { clusters, changes, checks, checkSeconds, notJudged, streams, published } = numbers;
  const listed = clusters.slice(0, CLUSTERS_MAX);
  const hosts = listed.flatMap((one) => samplesOf(one.name, HOST_STATES, one.hosts));
  const metrics = listed.flatMap((one) => samplesOf(one.name, METRIC_STATES, one.metrics));
  const changed = changes.samples();
  const byState = 'by cluster and state';
  const families = [
    metricFamily('health_hosts', 'gauge', `hosts that are judged, ${byState}`, hosts),
    metricFamily('health_metrics', 'gauge', `metrics of hosts, ${byState}`, metrics),
    metricFamily('health_changes_total', 'counter', `hosts that changed, ${byState}`, changed),
    metricFamily('health_checks_total', 'counter', 'checks of all shards', checks),
    metricFamily(
      'health_check_seconds',
      'gauge',
      'what the last check took of the slowest shard',
      checkSeconds,
    ),
    metricFamily(
      'health_not_judged',
      'gauge',
      'hosts and metrics beyond health-pairs-max',
      notJudged,
    ),
    metricFamily('health_event_streams', 'gauge', 'clients that are told of changes', streams),
  ];
  if (published) {
    const { count, dropped } = published;
    const byReason = Object.entries(dropped).map(([reason, n]) => `{reason="${reason}"} ${n}`);
    families.push(
      metricFamily('health_published_total', 'counter', 'changes published on NATS', count),
      metricFamily(
        'health_dropped_total',
        'counter',
        'changes that were not published, by reason',
        byReason,
      ),
    );
  }
  return families.join('');
}

function samplesOf(
  cluster: string,
  states: readonly string[],
  counts: readonly number[],
): string[] {
  const name = escapeLabel(cluster);
  return states.map((state, i) => `{cluster="${name}",state="${state}"} ${counts[i]!}`);
}

function escapeLabel(text: string): string {
  return text.replace(/[\\"\n]/g, (found) => (found === '\n' ? '\\n' : `\\${found}`));
}
