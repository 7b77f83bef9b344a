import type { BenchQuery } from '../check.js';
import { PART_METRICS } from '../workload.js';
import { CLUSTER, hostName, type Shape } from './workload.js';

const JOB_HOSTS = 8;
const SOCKETS = ['0', '1'];

/**
 * The reference queries for hosts of any number, over `[fromSec, untilSec)`: one series, the sum of a
 * host's threads, three metrics of all hosts, and the statistics of a job of up to eight hosts.
 */
export function questions(
  shape: Shape,
  fromSec: number,
  untilSec: number,
): Record<'q1' | 'q2' | 'q3' | 'q4Stats', BenchQuery> {
  const all = { cluster: CLUSTER, from: fromSec, to: untilSec };
  const last = hostName(shape.hosts - 1);
  const threads = Array.from({ length: shape.threads }, (_, i) => String(i));
  const thread = { host: last, type: 'hwthread' };
  return {
    q1: { ...all, queries: [{ ...thread, metric: 'cpu_load', 'type-ids': ['0'] }] },
    q2: {
      ...all,
      queries: [{ ...thread, metric: 'flops_any', aggreg: true, 'type-ids': threads }],
    },
    q3: { ...all, 'for-all-nodes': ['cpu_load', 'clock', 'ipc'] },
    q4Stats: { ...all, 'with-data': false, queries: jobItems(shape) },
  };
}

function jobItems(shape: Shape): NonNullable<BenchQuery['queries']> {
  return Array.from({ length: Math.min(JOB_HOSTS, shape.hosts) }, (_, host) =>
    PART_METRICS.map((metric) => ({
      metric,
      host: hostName(host),
      type: 'socket',
      aggreg: false,
      'type-ids': SOCKETS,
      resolution: 0,
    })),
  ).flat();
}

/** Series whose statistics `q4Stats` asks for. */
export function jobSeries(shape: Shape): number {
  return jobItems(shape).length * SOCKETS.length;
}
