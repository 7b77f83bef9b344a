import fc from 'fast-check';
import t, { type Test } from 'tap';
import { StoreError } from '../../src/model/errors.js';
import { parseJobStatsRequest } from '../../src/model/parse-job-stats.js';
import { parseSelectRequest } from '../../src/model/parse-selection.js';
import type { JobStatsRequest, SelectRequest } from '../../src/model/selection.js';
import { seed } from '../helpers/random.js';

const NOW = 1_795_694_400;
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
    if (typeof archive !== 'boolean' || typeof isFixed !== 'boolean') return 'no boolean';
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

const TEXTS = (
  'alex a[0100-0185] a[0-4999] a[0-9][0-9],b* a[ a] * ? 0-63 0-99999999 8-3 1,2 00000000:49:00.0 ' +
  'now -6h -1h30m now- -9999999999w 2026-11-26T12:00:00Z 2026-11-26T12:00:00 1795694400 ' +
  '1795694400000 1e400 node node/filesystem // cpu sum avg host sub-cluster type 5m lttb GB/s ' +
  'p95 p101 skip null __proto__ constructor \ud800 \0  \n'
).split(' ');
const NUMBERS = [0, -0, 1, -1, 1.5, 60, 600, NOW, NOW * 1000, 2 ** 53, 1e308, 5e-324];
const KEYS = (
  'cluster from to select archive metric hosts scope ids sub-scope sub-ids aggregate by step ' +
  'points resample unit stats data missing sub-cluster jobs id metrics by-host toString __proto__'
).split(' ');

const text = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...TEXTS) },
  { weight: 2, arbitrary: fc.string({ unit: fc.constantFrom(...'09-[],*?:/.TZ+mhd an') }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 300 }) },
);
const scalar = fc.oneof(text, fc.constantFrom(...NUMBERS), fc.boolean(), fc.constant(null));
const value = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 2, arbitrary: fc.array(scalar, { maxLength: 5 }) },
  { weight: 1, arbitrary: fc.dictionary(fc.constantFrom(...KEYS), scalar, { maxKeys: 2 }) },
  { weight: 1, arbitrary: fc.jsonValue() },
);

/** An object with good values, of which few are left out or replaced, and perhaps a key too many. */
function mostlyGood(good: Readonly<Record<string, unknown>>): fc.Arbitrary<unknown> {
  const keys = Object.keys(good);
  const kept = fc.oneof(fc.subarray(keys), fc.constant(keys), fc.constant(keys));
  const change = fc.dictionary(fc.constantFrom(...keys), value, { minKeys: 1, maxKeys: 1 });
  const extra = fc.dictionary(fc.constantFrom(...KEYS), value, { minKeys: 1, maxKeys: 1 });
  const none = fc.constant({});
  return fc
    .tuple(kept, fc.oneof(none, none, none, change), fc.oneof(none, none, none, none, extra))
    .map(([keys, change, extra]) => {
      const entries = keys.map((key) => [key, good[key]] as const);
      return { ...Object.fromEntries(entries), ...change, ...extra };
    });
}

const selection = mostlyGood({
  metric: ['flops_any', 'mem_*'],
  hosts: ['a[0100-0103]', 'b*'],
  scope: 'hwthread',
  ids: '0-3',
  aggregate: 'sum',
  by: ['host', 'type'],
  step: '1m',
  resample: 'max',
  unit: 'GB/s',
  stats: ['avg', 'p95'],
  data: true,
  missing: 'skip',
});
const job = mostlyGood({
  id: 4711,
  cluster: 'alex',
  hosts: 'a[0100-0103]',
  from: NOW - 3600,
  to: 'now',
  metrics: ['flops_any'],
  ids: ['0-3'],
});

const selectBody = fc
  .tuple(
    mostlyGood({ cluster: 'alex', from: '-6h', to: 'now', archive: false }),
    fc.oneof(
      selection,
      fc.array(selection, { maxLength: 3 }),
      fc.array(selection, { maxLength: 25 }),
      value,
    ),
  )
  .map(([request, select]) => ({ ...(request as object), select }));
const jobsBody = fc
  .tuple(
    mostlyGood({ cluster: 'alex', from: '-6h', metrics: 'mem_bw', stats: true, 'by-host': true }),
    fc.oneof(fc.array(job, { maxLength: 3 }), fc.array(job, { maxLength: 25 }), value),
  )
  .map(([request, jobs]) => ({ ...(request as object), jobs }));

/** Texts in which a few characters are removed, doubled or replaced. */
function mutated(body: fc.Arbitrary<unknown>): fc.Arbitrary<string> {
  const change = fc.tuple(fc.nat(), fc.nat(8), fc.string({ maxLength: 3 }), fc.boolean());
  return fc.tuple(body, fc.array(change, { minLength: 1, maxLength: 4 })).map(([body, changes]) => {
    let text = JSON.stringify(body);
    for (const [position, length, inserted, isDoubled] of changes) {
      const at = position % (text.length + 1);
      const kept = isDoubled ? text.slice(at, at + length) : inserted;
      text = text.slice(0, at) + kept + text.slice(isDoubled ? at : at + length);
    }
    return text;
  });
}

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
