import t from 'tap';
import { Random, seed } from '../helpers/random.js';
import { startFilled, unitsOf } from '../model/filled-server.js';
import { figuresDifference, jobSamples } from '../model/naive-jobs.js';
import { HOSTS, METRICS, randomSeries, SPAN_SEC, START_SEC } from '../model/random-series.js';

const ROUNDS = 25;
const JOBS_MAX = 12;
const PATH = '/api/v2/job-stats';
const STATS = ['count', 'sum', 'avg', 'min', 'max', 'stddev', 'integral'];

interface Job {
  readonly id: number;
  readonly cluster: string;
  readonly hosts: readonly string[];
  readonly from: number;
  readonly to: number;
  readonly metrics: readonly string[] | undefined;
  readonly ids: readonly string[] | undefined;
}

type Figures = Record<string, number | null>;
interface MetricAnswer extends Record<string, unknown> {
  readonly hosts: number;
  readonly 'by-host'?: Readonly<Record<string, Figures>>;
}
interface JobAnswer {
  readonly id: number;
  readonly metrics: Readonly<Record<string, MetricAnswer>>;
  readonly footprint?: Readonly<Record<string, number>>;
  readonly energy?: Readonly<Record<string, number>>;
  readonly problems?: readonly string[];
}

const random = new Random(seed);
const series = randomSeries(random);

function randomJob(id: number): Job {
  const cluster = random.pick(Object.keys(HOSTS));
  const hosts = [...HOSTS[cluster]!, 'never', 'seen'].filter(() => random.chance(0.6));
  const from = START_SEC - 600 + random.below(SPAN_SEC);
  const names = METRICS.map(({ name }) => name).filter(() => random.chance(0.7));
  return {
    id,
    cluster,
    hosts: hosts.length > 0 ? hosts : ['never'],
    from,
    to: from + 1 + random.below(random.chance(0.2) ? 6000 * 60 : SPAN_SEC),
    metrics: names.length > 0 ? names : undefined,
    ids: random.chance(0.3) ? random.pick([['0', '1'], ['2', '6', '7'], ['99']]) : undefined,
  };
}

/** Values of a host that the job has; undefined if there is no such metric, null if they can not be combined. */
function samplesOf(job: Job, host: string, name: string): number[] | null | undefined {
  const metric = METRICS.find((known) => known.name === name)!;
  const [unit] = unitsOf(series, job.cluster, host, name, (units) =>
    units.find('node', '', job.ids ?? null, null),
  );
  return unit && jobSamples({ fromSec: job.from, toSec: job.to }, unit, metric);
}

function metricDifference(job: Job, name: string, got: MetricAnswer | undefined): string {
  const { step, unit } = METRICS.find((known) => known.name === name)!;
  const byHost = job.hosts.flatMap((host) => {
    const samples = samplesOf(job, host, name);
    return samples && samples.length > 0 ? [[host, samples] as const] : [];
  });
  if (byHost.length === 0) return got ? 'a metric too many' : '';
  if (!got) return 'it is missing';
  if (got.hosts !== byHost.length) return `${got.hosts} hosts, not ${byHost.length}`;
  if (got['unit'] !== (unit || undefined)) return `unit ${String(got['unit'])}`;
  const all = byHost.flatMap(([, samples]) => samples);
  const problem = figuresDifference(got, all, step, STATS);
  if (problem) return problem;
  if (Object.keys(got['by-host']!).join() !== byHost.map(([host]) => host).join()) {
    return `hosts ${Object.keys(got['by-host']!).join()}`;
  }
  for (const [host, samples] of byHost) {
    const problem = figuresDifference(got['by-host']![host]!, samples, step, STATS);
    if (problem) return `${host}: ${problem}`;
  }
  return '';
}

/** Without `metrics` a job has those with a footprint: m_avg and m_sum, of cluster alpha. */
function jobDifference(job: Job, got: JobAnswer): string {
  const isDescribed = job.cluster === 'alpha';
  const names = job.metrics ?? (isDescribed ? ['m_avg', 'm_sum'] : []);
  for (const { name } of METRICS) {
    const answer = got.metrics[name];
    const problem = names.includes(name)
      ? metricDifference(job, name, answer)
      : answer && 'not asked';
    if (problem) return `${name}: ${problem}`;
  }
  const isRefused = job.hosts.some((host) => {
    return names.includes('m_null') && samplesOf(job, host, 'm_null') === null;
  });
  if (isRefused !== (got.problems ?? []).some((text) => /m_null has no aggregation/.test(text))) {
    return `problems ${JSON.stringify(got.problems)}`;
  }
  const figure = (name: string, kind: string): unknown =>
    (isDescribed && got.metrics[name]?.[kind]) || undefined;
  const footprint = { m_sum_avg: figure('m_sum', 'avg'), m_avg_max: figure('m_avg', 'max') };
  const energy = { m_fast: figure('m_fast', 'integral') };
  for (const [key, wanted] of Object.entries({ ...footprint, ...energy })) {
    const found = got.footprint?.[key] ?? (got.energy?.[key] || undefined);
    if (found !== wanted) return `${key} is ${found}, not ${String(wanted)}`;
  }
  return '';
}

/** All but the numbers, which the model checks: sums of several shards are added in another order. */
function shapeOf(answer: unknown): string {
  return JSON.stringify(answer, (_, value: unknown) =>
    typeof value === 'number' ? 'number' : value,
  );
}

t.test(`statistics of jobs, by a model, one shard and three, seed ${seed}`, async (t) => {
  t.comment(`SEED=${seed}`);
  const one = await startFilled(t, series, { shards: 1, adapter: 'node', seed });
  const three = await startFilled(t, series, { shards: 3, adapter: 'uws', seed: seed + 1 });
  let failures = 0;
  for (let round = 0; round < ROUNDS && failures < 4; round++) {
    const jobs = Array.from({ length: 1 + random.below(JOBS_MAX) }, (_, id) => randomJob(id));
    const body = { jobs, stats: STATS, 'by-host': true };
    const answers: string[] = [];
    for (const server of [one, three]) {
      const { status, json, text } = await server.post(PATH, body);
      if (status !== 200) t.fail(text, { seed, body: JSON.stringify(body) });
      for (const [index, job] of jobs.entries()) {
        const problem = jobDifference(job, json.jobs[index]);
        if (!problem) continue;
        failures++;
        t.fail(`job ${JSON.stringify(job)}: ${problem}`, { seed });
      }
      answers.push(shapeOf(json));
    }
    if (answers[0] !== answers[1]) {
      failures++;
      t.equal(answers[1], answers[0], 'three shards answer as one', { seed });
    }
  }
  t.equal(failures, 0, `${ROUNDS} requests`);

  const job = { id: 'x', cluster: 'alpha', from: START_SEC, hosts: 'a1', metrics: 'm_sum' };
  for (const server of [one, three]) {
    const percentiles = await server.post(PATH, { jobs: [job], stats: ['avg', 'p95'] });
    t.equal(percentiles.status, 400);
    t.match(percentiles.json.error, /stats\[1\] must be a statistic \(count, .*, not "p95"/);
    const unknown = await server.post(PATH, { jobs: [{ ...job, metrics: ['m_sum', 'bananas'] }] });
    t.same(unknown.json.jobs[0].problems, ['unknown metric: bananas']);
    const none = await server.post(PATH, { jobs: [] });
    t.same(none.json, { jobs: [] });
    const hosts = Array.from({ length: 16 }, (_, i) => `never${i}`);
    const many = Array.from({ length: 500 }, (_, id) => ({
      ...job,
      id,
      hosts: id % 5 === 0 ? hosts : ['a[1-3]', 'b[1-2]'],
    }));
    const { json } = await server.post(PATH, { jobs: many });
    t.equal(json.jobs.length, 500);
    t.same(json.jobs[0], {
      id: 0,
      cluster: 'alpha',
      hosts: 16,
      from: START_SEC,
      to: json.jobs[0].to,
      metrics: {},
    });
    t.same({ ...json.jobs[499], id: 498 }, json.jobs[498], 'the same for the same');
  }
});
