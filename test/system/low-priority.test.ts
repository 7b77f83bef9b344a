import t, { type Test } from 'tap';
import { startServer, type Reply, type TestServer } from '../helpers/server.js';

const T0 = 1_790_000_000;
const HOSTS = 60;
const THREADS = 16;
const SLOTS = 200;
const POLLERS = 8;
const LOW = '?priority=low';

const range = { cluster: 'c', from: T0, to: T0 + SLOTS };
/** All series, several times over, as sums over all hosts: seconds of work for eight of them. */
const heavy = {
  ...range,
  select: Array.from({ length: 15 }, () => ({ metric: 'm', by: [], stats: ['p50'], points: 20 })),
};
const short = { ...range, select: { metric: 'm', hosts: 'h7', by: ['host'], stats: true } };
const jobs = { ...range, metrics: 'm', jobs: [{ id: 1, hosts: `h[0-${HOSTS - 1}]` }] };

async function start(t: Test, shards: number, limits: object = {}): Promise<TestServer> {
  const server = await startServer({
    metrics: { '*': { frequency: 1, aggregation: 'sum' } },
    metricshard: { shards, 'retention-enforced': false, 'aggregate-cache-bytes': 0, limits },
  });
  t.teardown(() => server.stop());
  const bodies = Array.from({ length: HOSTS }, (_, host) => {
    const lines: string[] = [];
    for (let slot = 0; slot < SLOTS; slot++) {
      for (let thread = 0; thread < THREADS; thread++) {
        const tags = `cluster=c,hostname=h${host},type=hwthread,type-id=${thread}`;
        lines.push(`m,${tags} value=${((slot * 7 + host + thread) % 100) / 4} ${T0 + slot}\n`);
      }
    }
    return server.write(lines.join(''));
  });
  t.ok((await Promise.all(bodies)).every(({ status }) => status === 200));
  return server;
}

for (const shards of [1, 3]) {
  t.test(`the same answers, ${shards} shards`, async (t) => {
    const server = await start(t, shards);
    const same = async (path: string, ask: (path: string) => Promise<Reply>): Promise<void> => {
      const mark = path.includes('?') ? '&' : '?';
      const normal = await ask(path);
      const low = await ask(`${path}${mark}priority=low`);
      t.equal(low.status, 200, path);
      t.equal(low.text === normal.text, true, path);
      t.ok((await ask(`${path}${mark}priority=normal`)).text === normal.text);
    };
    await same('/api/v2/query', (path) => server.post(path, heavy));
    await same('/api/v2/query?format=csv', (path) => server.post(path, short));
    await same('/api/v2/job-stats', (path) => server.post(path, jobs));
    for (const list of ['clusters', 'metrics?cluster=c', 'hosts?limit=7', 'series?host=h1*']) {
      await same(`/api/v2/${list}`, (path) => server.get(path));
    }
    const wrong: readonly [path: string, ask: Promise<Reply>][] = [
      ['query', server.post('/api/v2/query?priority=high', short)],
      ['query', server.post('/api/v2/query?priority=low&priority=low', short)],
      ['job-stats', server.post('/api/v2/job-stats?priority=', jobs)],
      ['hosts', server.get('/api/v2/hosts?priority=1')],
    ];
    for (const [path, ask] of wrong) {
      const { status, json } = await ask;
      t.equal(status, 400, path);
      t.match(json.error, /^parameter priority/);
    }
  });
}

t.test('clients that ask for much do not keep others waiting', async (t) => {
  const server = await start(t, 1, { 'query-time-ms-max': 60_000 });
  let isOver = false;
  let lowAnswers = 0;
  const pollers = Array.from({ length: POLLERS }, async () => {
    while (!isOver) {
      const { status } = await server.post(`/api/v2/query${LOW}`, heavy);
      if (status !== 200) t.fail(`status ${status}`);
      lowAnswers++;
    }
  });
  // By counts: while one of them is answered, many normal ones come and go.
  let normal = 0;
  const until = Date.now() + 60_000;
  while (lowAnswers < POLLERS && Date.now() < until) {
    const { status } = await server.post('/api/v2/query', short);
    if (status !== 200) t.fail(`status ${status}`);
    normal++;
  }
  isOver = true;
  await Promise.all(pollers);
  t.ok(lowAnswers >= POLLERS, 'they are answered in the end');
  t.ok(normal > POLLERS * 5, `${normal} normal answers in the time of ${lowAnswers}`);
});

t.test('more than may be under way', async (t) => {
  const server = await start(t, 3, { 'low-priority-queries-max': 2 });
  const asked = Array.from({ length: 6 }, () => server.post(`/api/v2/query${LOW}`, heavy));
  const answers = await Promise.all(asked);
  const refused = answers.filter(({ status }) => status === 503);
  t.ok(refused.length > 0 && refused.length < 6, `${refused.length} of 6`);
  t.match(refused[0]!.json.error, /the limit low-priority-queries-max is 2/);
  t.equal(refused[0]!.headers.get('retry-after'), '1');
  t.equal((await server.post('/api/v2/query', short)).status, 200, 'others do not count');
  for (let i = 0; i < 5; i++) {
    for (const ask of [
      () => server.post(`/api/v2/query${LOW}`, short),
      () => server.post(`/api/v2/job-stats${LOW}`, jobs),
      () => server.get(`/api/v2/hosts${LOW}`),
    ]) {
      t.equal((await ask()).status, 200, 'their places are free again');
    }
  }
});

t.test('none at all', async (t) => {
  const server = await startServer({
    metricshard: { limits: { 'low-priority-queries-max': 0 } },
  });
  t.teardown(() => server.stop());
  for (const answer of [
    await server.post(`/api/v2/query${LOW}`, short),
    await server.post(`/api/v2/job-stats${LOW}`, jobs),
    await server.get(`/api/v2/clusters${LOW}`),
  ]) {
    t.equal(answer.status, 503);
    t.match(answer.json.error, /low-priority-queries-max/);
  }
});
