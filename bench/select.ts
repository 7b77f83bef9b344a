import type { TestServer } from '../test/helpers/server.js';
import type { Written } from './check.js';
import { closedLoop, postRequest, type LoopResult } from './client.js';
import { timeExports } from './exports.js';
import { duringLoad, type LoadTask } from './load.js';
import { timeIngestBesidePages } from './pages.js';
import type { Plan } from './plan.js';
import { checkAggregate, checkJobStats } from './select-check.js';
import { aggregateRequest, jobRequest } from './select-requests.js';
import { loopRow, type Row } from './table.js';
import { PART_METRICS } from './workload.js';

/** What is in the store; `task` writes what comes behind it, without an end. */
export interface Loaded {
  readonly plan: Plan;
  readonly server: TestServer;
  readonly written: Written;
  readonly task: LoadTask;
}

const QUERY_PATH = '/api/v2/query';
const JOBS_PATH = '/api/v2/job-stats';
const HOUR_SEC = 3600;
/** Rounds that are still to come of the hour that is asked for while it is written. */
const ROUNDS_AHEAD = 2;
const JOB_REQUESTS_MIN = 5;

/** What only the newer interface answers. Returns the first round that was not written, too. */
export async function timeSelections(
  loaded: Loaded,
): Promise<{ readonly rows: readonly Row[]; readonly endRound: number }> {
  const aggregates = await timeAggregates(loaded);
  const jobs = await timeJobs(loaded);
  const task = { ...loaded.task, firstRound: aggregates.endRound };
  const exports = await timeExports({ ...loaded, task });
  const pages = await timeIngestBesidePages({
    ...loaded,
    task: { ...loaded.task, firstRound: exports.endRound },
  });
  const rows = [...aggregates.rows, ...jobs, ...exports.rows, ...pages.rows];
  return { rows, endRound: pages.endRound };
}

/** One metric over all hardware threads: the first time, again, and while samples come in. */
async function timeAggregates(
  loaded: Loaded,
): Promise<{ readonly rows: Row[]; readonly endRound: number }> {
  const { written, task, server } = loaded;
  const toSec = task.startSec + task.firstRound * task.stepSec;
  const range = { from: toSec - HOUR_SEC, to: toSec };
  // Nothing is known of a metric before it is asked for.
  const first: number[] = [];
  for (const metric of PART_METRICS) {
    const request = aggregateRequest(metric, range.from, range.to);
    let coldBytes = 0;
    const cold = await one(server.port, QUERY_PATH, request, (bytes) => (coldBytes = bytes));
    first.push(cold.p50Ms);
    const { json, text } = await server.post(QUERY_PATH, request);
    checkAggregate(written, metric, range, json);
    if (Buffer.byteLength(text) !== coldBytes) {
      throw new Error(`${metric} of all hosts: two answers to one request`);
    }
  }
  const what = `one metric of ${written.batches.length} hosts' hwthreads, 1 h`;
  const others = first.slice(1).sort((a, b) => a - b);
  const metric = PART_METRICS[0]!;
  const request = aggregateRequest(metric, range.from, range.to);
  const again = await loop(loaded, QUERY_PATH, request);
  const aheadSec = ROUNDS_AHEAD * task.stepSec;
  const moving = { from: range.from + aheadSec, to: range.to + aheadSec };
  // Sixty times as fast as the collectors send: a round a second.
  const linesPerSec = written.batches.reduce((sum, { lineCount }) => sum + lineCount, 0);
  const { value: beside, load } = await duringLoad({ ...task, linesPerSec }, () =>
    loop(loaded, QUERY_PATH, aggregateRequest(metric, moving.from, moving.to), ROUNDS_AHEAD + 1),
  );
  const { json } = await server.post(QUERY_PATH, aggregateRequest(metric, moving.from, moving.to));
  checkAggregate(written, metric, moving, json);
  const rows = [
    { what: `${what}, the first request`, value: first[0]!, unit: 'ms' },
    { what: '  the first of another metric', value: others[others.length >>> 1]!, unit: 'ms' },
    loopRow('  again', again, again.requests, 'requests'),
    loopRow('  again, a round a second', beside, beside.requests, 'requests'),
  ];
  return { rows, endRound: load.endRound };
}

async function timeJobs({ plan, server, written, task }: Loaded): Promise<Row[]> {
  const untilSec = task.startSec + task.firstRound * task.stepSec;
  const request = jobRequest(written.batches, task.startSec, untilSec, task.stepSec);
  const { status, json, text } = await server.post(JOBS_PATH, request);
  if (status !== 200) throw new Error(`jobs: status ${status}: ${text.slice(0, 300)}`);
  checkJobStats(written, request, json);
  const bytes = postRequest(JOBS_PATH, JSON.stringify(request));
  const until = performance.now() + plan.querySec * 1000;
  let sent = 0;
  const result = await closedLoop(server.port, 1, () =>
    performance.now() < until || sent < JOB_REQUESTS_MIN
      ? (sent++, { bytes, onAnswer: (got) => sameLength('jobs', got, Buffer.byteLength(text)) })
      : undefined,
  );
  const { jobs, metrics } = request;
  const what = `${jobs.length} jobs × ${jobs[0]!.hosts.length} hosts × ${metrics.length} metrics`;
  return [{ what, value: result.p50Ms, unit: 'ms', p50Ms: result.p50Ms, p99Ms: result.p99Ms }];
}

function sameLength(what: string, got: number, wanted: number): void {
  if (got !== wanted) throw new Error(`${what}: ${got} bytes, not ${wanted}`);
}

function one(
  port: number,
  path: string,
  body: object,
  onAnswer: (bytes: number) => void,
): Promise<LoopResult> {
  let isSent = false;
  return closedLoop(port, 1, () => {
    if (isSent) return undefined;
    isSent = true;
    return { bytes: postRequest(path, JSON.stringify(body)), onAnswer };
  });
}

/** One connection; at least `seconds`. */
function loop(
  { plan, server }: Loaded,
  path: string,
  body: object,
  seconds = 0,
): Promise<LoopResult> {
  const bytes = postRequest(path, JSON.stringify(body));
  const until = performance.now() + Math.max(plan.querySec, seconds) * 1000;
  return closedLoop(server.port, 1, () => (performance.now() < until ? { bytes } : undefined));
}
