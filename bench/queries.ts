import type { BenchQuery } from './check.js';
import { PART_METRICS } from './workload.js';

/** The fourth, as it is: other forms of it are compared with it. */
export const JOB_QUERY = 'q4 job of 16 hosts, 4 h';

/** The five reference queries, and the fourth for its statistics only and with fewer points. */
export function referenceQueries(fromSec: number, toSec: number): Record<string, BenchQuery> {
  const threads = Array.from({ length: 128 }, (_, i) => String(i));
  const job = Array.from({ length: 16 }, (_, host) =>
    PART_METRICS.map((metric) => ({
      metric,
      host: `a${String(100 + host).padStart(4, '0')}`,
      type: 'socket',
      aggreg: false,
      'type-ids': ['0', '1'],
      resolution: 0,
    })),
  ).flat();
  const all = { cluster: 'alex', to: toSec };
  const thread = { host: 'a0100', type: 'hwthread' };
  return {
    'q1 one series': {
      ...all,
      from: fromSec,
      queries: [{ ...thread, metric: 'cpu_load', 'type-ids': ['0'] }],
    },
    'q2 sum of 128 hwthreads': {
      ...all,
      from: fromSec,
      queries: [{ ...thread, metric: 'flops_any', aggreg: true, 'type-ids': threads }],
    },
    'q3 all nodes, last hour': {
      ...all,
      from: Math.max(fromSec, toSec - 3600),
      'for-all-nodes': ['mem_used', 'net_bytes_in', 'cpu_irq'],
    },
    [JOB_QUERY]: { ...all, from: Math.max(fromSec, toSec - 4 * 3600), queries: job },
    'q4 statistics only': {
      ...all,
      from: Math.max(fromSec, toSec - 4 * 3600),
      'with-data': false,
      queries: job,
    },
    'q4 resampled to 240 s': {
      ...all,
      from: Math.max(fromSec, toSec - 4 * 3600),
      'resample-algo': 'minmaxlttb',
      queries: job.map((item) => ({ ...item, resolution: 240 })),
    },
    'q5 128 hwthreads, 2 h': {
      ...all,
      from: Math.max(fromSec, toSec - 2 * 3600),
      queries: [{ host: 'a0101', type: 'hwthread', metric: 'cpu_user', 'type-ids': threads }],
    },
  };
}
