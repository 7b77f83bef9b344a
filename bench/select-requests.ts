import type { WrittenHost } from './check.js';
import { PART_METRICS } from './workload.js';

/** A body of `POST /api/v2/job-stats`, as far as the bench asks. */
export interface JobRequest {
  readonly cluster: string;
  readonly metrics: readonly string[];
  readonly jobs: readonly Job[];
}

interface Job {
  readonly id: number;
  readonly hosts: readonly string[];
  readonly from: number;
  readonly to: number;
}

const JOBS = 500;
const JOB_HOSTS = 16;
const JOB_SEC = 4 * 3600;
const SEED = 12_345;

/** Jobs of 16 hosts of alex and ten metrics over 4 h, each at a time of its own. */
export function jobRequest(
  batches: readonly WrittenHost[],
  fromSec: number,
  toSec: number,
  stepSec: number,
): JobRequest {
  const names = batches.filter(({ cluster }) => cluster === 'alex').map(({ host }) => host);
  const next = randomBelow(SEED);
  const durationSec = Math.min(JOB_SEC, toSec - fromSec);
  const starts = (toSec - fromSec - durationSec) / stepSec + 1;
  const jobs = Array.from({ length: JOBS }, (_, id) => {
    const from = fromSec + next(starts) * stepSec;
    return { id, hosts: someOf(names, next), from, to: from + durationSec };
  });
  return { cluster: 'alex', metrics: PART_METRICS, jobs };
}

/** Neighbours in a list, as batch systems hand out hosts. */
function someOf(names: readonly string[], next: (count: number) => number): string[] {
  const first = next(names.length);
  const count = Math.min(JOB_HOSTS, names.length);
  return Array.from({ length: count }, (_, i) => names[(first + i) % names.length]!);
}

/** xorshift32. */
function randomBelow(seed: number): (count: number) => number {
  let state = seed;
  return (count) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % count;
  };
}

/** A metric over all hardware threads of both clusters, as one series. */
export function aggregateRequest(metric: string, from: number, to: number): object {
  const select = { metric, scope: 'hwthread', by: [] };
  return { cluster: ['alex', 'fritz'], from, to, select };
}

/** All hardware threads one by one: 11 million points a metric in twelve hours. */
export function exportRequest(metrics: readonly string[], from: number, to: number): object {
  const select = { metric: metrics, scope: 'hwthread' };
  return { cluster: ['alex', 'fritz'], from, to, select };
}
