import t, { type Test } from 'tap';
import { openAnswer } from '../helpers/answer-stream.js';
import { startServer, type Reply, type TestServer } from '../helpers/server.js';

const MB = 1e6;
const T0 = 1_790_000_000;
const HOSTS = 6;
const THREADS = 8;
const SLOTS = 2000;
const SERIES = HOSTS * THREADS;
const PATH = '/api/v2/query';
const JOBS_PATH = '/api/v2/job-stats';
const FORMS = ['json', 'ndjson', 'csv', 'arrow'];

const range = { cluster: 'c', from: T0, to: T0 + SLOTS };
const threads = { metric: 'm', scope: 'hwthread' };
const job = { id: 1, hosts: 'h[0-5]' };

async function startFilled(t: Test, limits: object, shards = 2): Promise<TestServer> {
  const server = await startServer({
    metrics: { '*': { frequency: 1, aggregation: 'sum' } },
    metricshard: { shards, 'retention-enforced': false, limits },
  });
  t.teardown(() => server.stop());
  for (let host = 0; host < HOSTS; host++) {
    const lines: string[] = [];
    for (let slot = 0; slot < SLOTS; slot++) {
      for (let id = 0; id < THREADS; id++) {
        const tags = `cluster=c,hostname=h${host},type=hwthread,type-id=${id}`;
        lines.push(`m,${tags} value=${slot}.5 ${T0 + slot}\n`);
      }
    }
    const { status } = await server.write(lines.join(''));
    if (status !== 200) t.fail(`status ${status}`);
  }
  return server;
}

function select(server: TestServer, selection: object, format = 'json'): Promise<Reply> {
  return server.post(`${PATH}?format=${format}`, { ...range, select: selection });
}

function refused(t: Test, title: string, { status, json, text }: Reply, message: RegExp): void {
  t.equal(status, 400, title);
  t.match(json?.error ?? text.slice(0, 200), message);
  t.equal(json?.status, 'Bad Request');
}

/** A small request of each kind is answered. */
async function works(t: Test, server: TestServer): Promise<void> {
  const small = { cluster: 'c', from: T0, to: T0 + 3 };
  const query = await server.post(PATH, { ...small, select: { ...threads, hosts: 'h0', ids: 1 } });
  t.same(query.json?.results?.[0]?.data, [0.5, 1.5, 2.5], query.text.slice(0, 200));
  const stats = await server.post(JOBS_PATH, {
    ...small,
    metrics: 'm',
    jobs: [{ id: 1, hosts: 'h1' }],
  });
  t.equal(stats.json?.jobs?.[0]?.metrics.m.max, 2.5 * THREADS, stats.text.slice(0, 200));
  const write = await server.write(`other,cluster=c,hostname=h0 value=1 ${T0}\n`);
  t.equal(write.status, 200);
}

t.test('numbers of points, series, selections, hosts and jobs', async (t) => {
  const server = await startFilled(t, {
    'points-max': 5000,
    'stream-points-max': 8000,
    'series-per-query-max': SERIES - 1,
    'selections-max': 3,
    'hosts-max': 10,
    'jobs-max': 4,
  });
  refused(t, 'points', await select(server, threads), /the limit points-max is 5000/);
  const list = Array(3).fill({ metric: 'm', by: [], hosts: 'h[1-3]' });
  refused(t, 'of groups', await select(server, list), /the limit points-max is 5000/);
  t.equal((await select(server, list.slice(1))).status, 200, 'a group counts once');
  for (const form of FORMS.slice(1)) {
    const reply = await select(server, { ...threads, hosts: 'h0' }, form);
    refused(t, form, reply, /the limit stream-points-max is 8000/);
    await works(t, server);
  }
  const all = { ...threads, aggregate: 'sum', stats: 'avg', data: false };
  for (const form of FORMS) {
    const reply = await select(server, all, form);
    refused(
      t,
      `series, ${form}`,
      reply,
      /series in one result: the limit series-per-query-max is 47/,
    );
  }
  t.equal((await select(server, { ...all, hosts: 'h[1-5]' })).json.results[0].series, 40);
  const many = Array(4).fill(all);
  refused(t, 'selections', await select(server, many), /the limit selections-max is 3/);
  const hosts = { metric: 'm', hosts: 'h[0-10]' };
  refused(t, 'hosts', await select(server, hosts), /hosts: .*the limit hosts-max is 10/);
  const jobs = { ...range, metrics: 'm', jobs: Array(5).fill(job) };
  refused(t, 'jobs', await server.post(JOBS_PATH, jobs), /the limit jobs-max is 4/);
  jobs.jobs.length = 2;
  refused(t, 'hosts of jobs', await server.post(JOBS_PATH, jobs), /the limit hosts-max is 10/);
  await works(t, server);
});

for (const shards of [1, 3]) {
  t.test(`bytes of an answer, ${shards} shard(s)`, async (t) => {
    const server = await startFilled(t, { 'answer-bytes-max': 100_000 }, shards);
    const limit = /the limit answer-bytes-max is 100000/;
    refused(t, 'series', await select(server, threads), limit);
    const groups = Array(10).fill({ metric: 'm', by: [] });
    refused(t, 'groups', await select(server, groups), limit);
    const jobs = Array(1000).fill({ ...job, hosts: ['h0', 'h1'] });
    const stats = { ...range, metrics: 'm', 'by-host': true, jobs };
    refused(t, 'jobs', await server.post(JOBS_PATH, stats), limit);
    const streamed = await select(server, threads, 'ndjson');
    t.ok(streamed.text.length > 100_000, 'no limit of what is streamed');
    await works(t, server);
  });
}

t.test('time', async (t) => {
  const server = await startFilled(t, { 'query-time-ms-max': 1, 'stream-time-ms-max': 1 });
  const groups = Array(100).fill({
    ...threads,
    by: 'id',
    aggregate: 'max',
    stats: 'p50',
    data: false,
  });
  const works = async (): Promise<void> => {
    const write = await server.write(`other,cluster=c,hostname=h0 value=1 ${T0}\n`);
    t.equal(write.status, 200);
  };
  refused(t, 'a query', await select(server, groups), /the limit query-time-ms-max is 1/);
  await works();
  const ofHosts = groups.map((group) => ({ ...group, by: ['host', 'type'] }));
  for (const form of FORMS.slice(1)) {
    const reply = await select(server, ofHosts, form);
    refused(t, form, reply, /the limit stream-time-ms-max is 1/);
    await works();
  }
  const jobs = { ...range, metrics: 'm', jobs: Array(500).fill(job) };
  refused(t, 'jobs', await server.post(JOBS_PATH, jobs), /the limit query-time-ms-max is 1/);
  await works();
});

t.test('a limit that is passed amid what is sent already', async (t) => {
  const server = await startFilled(t, { 'stream-points-max': 1_500_000 }, 1);
  for (const form of FORMS.slice(1)) {
    const body = { ...range, select: Array(40).fill(threads) };
    const answer = await openAnswer(server, body, form, false);
    t.equal(answer.status, 200);
    t.notOk((await answer.read()).isWhole, 'the connection breaks');
    await works(t, server);
  }
});

t.test('as much time as there is', async (t) => {
  const server = await startFilled(t, {});
  await works(t, server);
  const before = server.rssBytes();
  const began = performance.now();
  const wide = { cluster: 'c', from: 0, to: 99_999_999_999 };
  const ask = (selection: object, format: string): Promise<Reply> =>
    server.post(`${PATH}?format=${format}`, { ...wide, select: selection });
  for (const groups of [{}, { by: [] }, { aggregate: 'count' }, { by: 'host', aggregate: 'max' }]) {
    for (const form of FORMS) {
      const native = await ask({ ...threads, ...groups }, form);
      refused(t, `native, ${form}`, native, /the limit \S+-max is|answer buffer.*shorter/);
      const stats = { ...threads, ...groups, data: false, stats: true };
      const { status, text } = await ask(stats, form);
      t.equal(status, 200, text.slice(0, 200));
      const coarse = await ask({ ...threads, ...groups, step: '366d', resample: 'max' }, form);
      t.equal(coarse.status, 200, coarse.text.slice(0, 200));
      const few = await ask({ ...threads, ...groups, points: 100 }, form);
      t.equal(few.status, 200, few.text.slice(0, 200));
    }
  }
  const { json } = await ask({ metric: 'm', hosts: 'h2', by: [], stats: ['count', 'max'] }, 'json');
  t.match(json.error, /points-max/);
  const jobs = Array.from({ length: 500 }, (_, id) => ({ ...job, id }));
  const stats = await server.post(JOBS_PATH, {
    ...wide,
    metrics: 'm',
    stats: ['count', 'sum'],
    jobs,
  });
  const sum = (THREADS * HOSTS * SLOTS * SLOTS) / 2;
  t.match(
    stats.json.jobs?.[499]?.metrics.m,
    { count: HOSTS * SLOTS, sum },
    stats.text.slice(0, 99),
  );
  const tookMs = performance.now() - began;
  t.ok(tookMs < 15_000, `${tookMs.toFixed()} ms`);
  const more = (server.rssBytes() - before) / MB;
  t.ok(more < 150, `${more.toFixed()} MB more`);
  await works(t, server);
});
