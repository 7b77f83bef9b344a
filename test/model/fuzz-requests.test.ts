import fc from 'fast-check';
import t, { type Test } from 'tap';
import { StoreError } from '../../src/model/errors.js';
import { parseJobStatsRequest } from '../../src/model/parse-job-stats.js';
import { parseSelectRequest } from '../../src/model/parse-selection.js';
import type { JobStatsRequest, SelectRequest } from '../../src/model/selection.js';
import { seed } from '../helpers/random.js';
import { jobsBody, mutated, NOW, selectBody } from './arbitrary-requests.js';

const RUNS = Number(process.env['RUNS']) || 1000;
const TIME_MS_MAX = 100;
const LIMITS = { selectionsMax: 20, jobsMax: 20, hostsMax: 5000 };

/** What is wrong with the outcome, '' = nothing. */
type Judge = (text: string) => string;

function judge<Request>(
  parse: (text: string) => Request,
  problemOf: (request: Request) => string,
): Judge {
  const attempt = (text: string): string => {
    try {
      return problemOf(parse(text));
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'bad-request') return String(error);
      return error.message.length > 2000 ? `a long message: ${error.message}` : '';
    }
  };
  return (text) => {
    // Other processes may have had the core: what is slow is slow again.
    let leastMs = Infinity;
    for (let i = 0; i < 3; i++) {
      const start = performance.now();
      const problem = attempt(text);
      if (problem) return problem;
      leastMs = Math.min(leastMs, performance.now() - start);
      if (leastMs < TIME_MS_MAX) return '';
    }
    return `takes ${leastMs} ms`;
  };
}

const judgeSelect = judge(
  (text) => parseSelectRequest(text, NOW, LIMITS),
  ({ clusters, fromSec, toSec, select, archive, isFixed }: SelectRequest) => {
    if (clusters.length === 0 || clusters.includes('')) return 'no cluster';
    if (!Number.isSafeInteger(fromSec) || !Number.isSafeInteger(toSec)) return 'no whole seconds';
    if (fromSec < 0 || fromSec >= toSec) return 'no range';
    const isAsked = archive === undefined || typeof archive === 'boolean';
    if (!isAsked || typeof isFixed !== 'boolean') return 'no boolean';
    if (select.length === 0 || select.length > LIMITS.selectionsMax) return 'selections';
    const ids = select.flatMap(({ ids, subIds }) => [...(ids ?? []), ...(subIds ?? [])]);
    if (ids.length > 65_536 || !ids.every((id) => typeof id === 'string')) return 'ids';
    for (const item of select) {
      if (item.metrics.length === 0 || item.metrics.includes('')) return 'metrics';
      if (item.scope === '') return 'scope';
      if (item.aggregate !== null && item.by === null) return 'by';
      if (item.stepSec !== 0 && item.points !== 0) return 'step and points';
      if (!item.data && item.stats.length === 0) return 'nothing to answer';
      if (item.hosts !== null && item.subClusters !== null) return 'hosts';
    }
    return '';
  },
);

const judgeJobs = judge(
  (text) => parseJobStatsRequest(text, NOW, LIMITS),
  ({ jobs }: JobStatsRequest) => {
    if (jobs.length > LIMITS.jobsMax) return 'jobs';
    let hosts = 0;
    for (const job of jobs) {
      if (job.fromSec >= job.toSec) return 'no range';
      if (job.hosts.length === 0 || job.cluster === '') return 'no hosts';
      hosts += job.hosts.length;
    }
    return hosts > LIMITS.hostsMax ? 'hosts' : '';
  },
);

function check(t: Test, texts: fc.Arbitrary<string>, judges: readonly Judge[]): void {
  let count = 0;
  const property = fc.property(texts, (text) => {
    count++;
    for (const judge of judges) {
      const problem = judge(text);
      if (problem) throw new Error(problem);
    }
  });
  const { failed, errorInstance, counterexample } = fc.check(property, { seed, numRuns: RUNS });
  if (failed) t.fail(String(errorInstance), { seed, counterexample });
  t.equal(count >= RUNS, true, `${count} requests`);
}

const asText = (body: unknown): string => JSON.stringify(body);

t.test(`any text, seed ${seed}`, (t) => {
  check(t, fc.string({ unit: 'binary' }), [judgeSelect, judgeJobs]);
  check(t, fc.json(), [judgeSelect, judgeJobs]);
  t.end();
});

t.test(`requests that are almost right, seed ${seed}`, (t) => {
  check(t, selectBody.map(asText), [judgeSelect]);
  check(t, jobsBody.map(asText), [judgeJobs]);
  t.end();
});

t.test(`requests with changed characters, seed ${seed}`, (t) => {
  check(t, mutated(selectBody), [judgeSelect]);
  check(t, mutated(jobsBody), [judgeJobs]);
  t.end();
});

t.test('many of the requests are good', (t) => {
  let good = 0;
  const samples = fc.sample(selectBody, { seed, numRuns: 1000 });
  for (const body of samples) {
    try {
      parseSelectRequest(asText(body), NOW, LIMITS);
      good++;
    } catch {
      // As most are meant to be.
    }
  }
  t.ok(good > 20, `${good} of 1000`);
  t.end();
});
