import t, { type Test } from 'tap';
import { startServer, type TestServer } from '../helpers/server.js';

const T0 = 1_790_000_040;
const HOSTS = ['a0121', 'a0122', 'a0601', 'a0602', 'login1', 'login2', 'x1', 'x2'];

function lines(): string {
  const all: string[] = [];
  HOSTS.forEach((host, i) => {
    const tags = `cluster=${host.startsWith('x') ? 'zoo' : 'alex'},hostname=${host}`;
    for (let minute = 0; minute <= i; minute++) {
      const time = T0 + minute * 60;
      all.push(`mem_used,${tags},type=node value=${minute} ${time}`);
      for (let id = 0; id < 4; id++) {
        all.push(`clock,${tags},type=hwthread,type-id=${id} value=2400 ${time}`);
      }
      if (i % 2) all.push(`rate,${tags},type=node,stype=filesystem,stype-id=home value=1 ${time}`);
    }
  });
  return `${all.join('\n')}\n`;
}

function start(t: Test, shards: number): Promise<TestServer> {
  const server = startServer({
    metrics: {
      mem_used: { frequency: 60, aggregation: 'sum' },
      clock: { frequency: 60, aggregation: 'avg' },
      rate: { frequency: 60, aggregation: null },
    },
    metricshard: {
      shards,
      'retention-enforced': false,
      clusters: ['test/fixtures/cluster-alex.json', 'test/fixtures/cluster-emmy.json'],
    },
  });
  t.teardown(async () => (await server).stop());
  return server;
}

t.test('the same lists with one shard and with three', async (t) => {
  const one = await start(t, 1);
  const three = await start(t, 3);
  for (const server of [one, three]) t.equal((await server.write(lines())).status, 200);
  const ask = async (path: string) => {
    const answers = [await one.get(`/api/v2/${path}`), await three.get(`/api/v2/${path}`)];
    t.equal(answers[0]!.status, 200, answers[0]!.text);
    t.same(answers[1]!.json, answers[0]!.json, path);
    return answers[0]!.json;
  };
  const whole = {
    clusters: await ask('clusters'),
    metrics: await ask('metrics'),
    hosts: await ask('hosts'),
    series: await ask('series'),
  };
  t.match(whole.clusters, {
    clusters: [
      { name: 'alex', hostCount: 6, seriesCount: 33, isDescribed: true, firstSec: T0 },
      { name: 'emmy', hostCount: 0, seriesCount: 0, isDescribed: true, firstSec: null },
      { name: 'zoo', hostCount: 2, seriesCount: 11, isDescribed: false, subClusters: [] },
    ],
    next: null,
  });
  t.same(whole.metrics.metrics[1], {
    cluster: 'alex',
    name: 'mem_used',
    unit: 'GB',
    stepSec: 60,
    aggregation: 'sum',
    footprint: 'max',
    scopes: ['node'],
    subTypes: [],
    seriesCount: 6,
    firstSec: T0,
    lastSec: T0 + 300,
  });
  t.same(whole.hosts.hosts[2], {
    cluster: 'alex',
    name: 'a0601',
    subCluster: 'a100',
    seriesCount: 5,
    firstSec: T0,
    lastSec: T0 + 120,
  });
  t.equal(whole.series.series.length, 44);
  t.match(
    whole.series.series.find(({ subType }: { subType: string }) => subType !== ''),
    { host: 'a0122', type: 'node', id: '', subType: 'filesystem', subId: 'home', metric: 'rate' },
  );

  for (const kind of ['clusters', 'metrics', 'hosts', 'series'] as const) {
    for (const limit of [1, 5]) {
      const all: unknown[] = [];
      let next: string | null = '';
      while (next !== null) {
        const page: Record<string, unknown> & { next: string | null } = await ask(
          `${kind}?limit=${limit}&after=${next}`,
        );
        all.push(...(page[kind] as unknown[]));
        ({ next } = page);
      }
      t.same(all, whole[kind][kind], `${kind} by ${limit}`);
    }
  }
  t.equal((await ask('hosts?sub-cluster=a40')).hosts.length, 2);
  t.equal((await ask('hosts?match=x%5B1-3%5D')).hosts.length, 2);
  t.equal((await ask('series?match=*/hwthread2/clock')).series.length, 8);
  t.equal((await ask('metrics?cluster=zoo&match=c*')).metrics.length, 1);
  const refused = await three.get('/api/v2/hosts?sub-cluster=nothing');
  t.equal(refused.status, 400);
  t.match(refused.json.error, /parameter sub-cluster: "nothing"/);
  t.equal((await three.get('/api/v2/series?colour=red')).status, 400);
});

t.test('a broken cluster.json keeps it from starting', async (t) => {
  const started = startServer({ metricshard: { clusters: ['package.json', 'nowhere.json'] } });
  await t.rejects(started, { message: /nowhere\.json" \(ENOENT\)/ });
});
