import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ed25519, rawKey, sign } from '../auth/tokens.js';
import { listen, type ReceivedEvent } from '../health/event-client.js';
import { becomesReady, temporaryFolder } from '../helpers/durable.js';
import { startWithLevers } from '../helpers/levers.js';
import { eventually, readMetrics } from '../helpers/metrics.js';
import { startNatsServer } from '../helpers/nats-server.js';
import { natsClient, natsStatus } from '../helpers/nats-store.js';
import { startServer, type Reply, type TestServer } from '../helpers/server.js';

const pair = ed25519();
const admin = await token({ roles: ['ROLE_ADMIN'] });
const collector = await token({ roles: ['ROLE_API'] });
const limited = await token({ scope: 'metrics:query:alex' });

async function token(claims: object): Promise<Record<string, string>> {
  return { Authorization: `Bearer ${await sign(pair, { ...claims })}` };
}

/** Three hosts and two metrics are expected of alex, and nothing of any other cluster. */
function describe(folder: string): string {
  const file = join(folder, 'cluster.json');
  const metricConfig = ['load', 'temp'].map((name) => ({
    name,
    timestep: 60,
    aggregation: 'avg',
    scope: 'node',
  }));
  const subClusters = [{ name: 'main', nodes: 'a[1-3]', topology: {} }];
  writeFileSync(file, JSON.stringify({ name: 'alex', metricConfig, subClusters }));
  return file;
}

function configOf(folder: string, more: object = {}, health: object = {}): Record<string, unknown> {
  return {
    main: { 'jwt-public-key': rawKey(pair) },
    metrics: { load: { frequency: 60, aggregation: 'avg' } },
    'metric-store': { checkpoints: { directory: join(folder, 'data') } },
    metricshard: {
      shards: 2,
      clusters: [describe(folder)],
      health: { 'interval-sec': 1, 'recover-sec': 0, ...health },
    },
    ...more,
  };
}

const ask = (server: TestServer, query = '', headers = admin): Promise<Reply> =>
  server.request(`/api/v2/health${query}`, { headers });

/** `cluster/host state`, and metrics that are not full, of all that is listed. */
async function states(server: TestServer, query = '', headers = admin): Promise<string[]> {
  const { json, text } = await ask(server, query, headers);
  if (!json?.hosts) return [text];
  return json.hosts.map((host: { metrics: { state: string }[] } & Record<string, string>) => {
    const bad = host.metrics.filter(({ state }) => state !== 'full');
    const told = bad.map((one) => `${(one as Record<string, string>)['metric']}:${one.state}`);
    return [`${host['cluster']}/${host['host']}`, host['state'], ...told].join(' ');
  });
}

async function become(t: Test, server: TestServer, wanted: readonly string[]): Promise<void> {
  await eventually(async () => (await states(server)).join() === wanted.join(), 20_000);
  t.same(await states(server), wanted);
}

async function write(t: Test, server: TestServer, hosts: string, timeSec: number): Promise<void> {
  const lines = hosts.split(' ').flatMap((name) => {
    const [cluster, host] = name.split('/');
    const tags = `cluster=${cluster},hostname=${host},type=node`;
    return [`load,${tags} value=2.5 ${timeSec}`, `temp,${tags} value=40 ${timeSec}`];
  });
  t.equal((await server.write(`${lines.join('\n')}\n`, '', collector)).status, 200);
}

t.test('hosts fall silent and come back, and those who want to know are told', async (t) => {
  const folder = temporaryFolder(t, 'health');
  const nats = await startNatsServer();
  t.teardown(() => nats.remove());
  const more = { nats: { address: nats.url, 'health-subject': 'cc.health' } };
  const server = await startWithLevers(configOf(folder, more));
  t.teardown(() => server.kill());
  t.ok(await becomesReady(server));
  const silent = ['a1', 'a2', 'a3'].map((host) => `alex/${host} failed load:missing temp:missing`);
  await become(t, server, silent);

  const published: { host: string }[] = [];
  const client = await natsClient(t, nats);
  client.subscribe('cc.health', {
    callback: (_error, message) => void published.push(message.json()),
  });
  await client.flush();
  t.ok(await eventually(async () => (await natsStatusOf(server)) === 'connected', 20_000));
  const all = await listen(t, server, '/api/v2/health/events', admin);
  const alex = await listen(t, server, '/api/v2/health/events', limited);
  const beta = await listen(t, server, '/api/v2/health/events?cluster=beta', admin);
  const forbidden = await server.request('/api/v2/health/events?cluster=beta', {
    headers: limited,
  });
  t.equal(forbidden.status, 403);

  const nowSec = Math.floor(Date.now() / 60_000) * 60;
  await write(t, server, 'alex/a1 alex/a2 beta/b1', nowSec);
  // `temp` is a metric of alex alone.
  await become(t, server, ['alex/a1 full', 'alex/a2 full', silent[2]!, 'beta/b1 full']);
  t.same(await states(server, '', limited), ['alex/a1 full', 'alex/a2 full', silent[2]!]);
  t.equal((await ask(server, '?cluster=beta', limited)).status, 403);

  await server.clockAhead(600);
  await become(t, server, [
    'alex/a1 failed load:degraded temp:degraded',
    'alex/a2 failed load:degraded temp:degraded',
    silent[2]!,
    'beta/b1 failed load:degraded',
  ]);
  const { json } = await ask(server, '?metric=load&host=a1,b1&metric-state=degraded');
  t.match(json, {
    intervalSec: 1,
    clusters: [
      {
        cluster: 'alex',
        state: 'failed',
        hosts: { full: 0, partial: 0, failed: 3 },
        metrics: { full: 0, degraded: 4, missing: 2, stuck: 0 },
        subClusters: [{ name: 'main', state: 'failed' }],
      },
      { cluster: 'beta', state: 'failed', sinceSec: nowSec + 360, subClusters: [] },
    ],
    hosts: [
      {
        host: 'a1',
        subCluster: 'main',
        sinceSec: nowSec + 360,
        lastSec: nowSec,
        metrics: [{ metric: 'load', last: { timeSec: nowSec, value: 2.5, level: 'node' } }],
      },
      { host: 'b1', subCluster: '', isExpected: true },
    ],
    next: null,
  });
  await server.clockAhead(630);
  await write(t, server, 'alex/a1', nowSec + 600);
  await become(t, server, [
    'alex/a1 full',
    'alex/a2 failed load:degraded temp:degraded',
    silent[2]!,
    'beta/b1 failed load:degraded',
  ]);

  const told = (events: readonly ReceivedEvent[], host: string): string[] =>
    events
      .filter(({ data }) => data.host === host)
      .map(({ data }) => `${data.previous}>${data.state}`);
  t.ok(await eventually(() => told(alex, 'a1').length === 3));
  for (const events of [all, alex]) {
    t.same(told(events, 'a1'), ['failed>full', 'full>failed', 'failed>full']);
  }
  t.same(
    [told(all, 'b1'), told(beta, 'b1')],
    [
      ['null>full', 'full>failed'],
      ['null>full', 'full>failed'],
    ],
  );
  t.same(told(alex, 'b1'), [], 'not told who may not know');
  t.same(told(beta, 'a1'), []);
  const late = all.find(({ data }) => data.host === 'a2' && data.state === 'failed')!.data;
  t.match(late, {
    cluster: 'alex',
    subCluster: 'main',
    sinceSec: nowSec + 360,
    metrics: [
      { metric: 'load', state: 'degraded', previous: 'full', sinceSec: nowSec + 360 },
      { metric: 'temp', state: 'degraded', previous: 'full' },
    ],
    metricsNotListed: 0,
  });
  t.ok(await eventually(() => published.length >= all.length));
  t.same(published.map(({ host }) => host).sort(), all.map(({ data }) => data.host).sort());
  t.ok(
    published.some((one) => JSON.stringify(one) === JSON.stringify(late)),
    'the same message',
  );

  const metrics = await readMetricsOf(server);
  t.equal(metrics.get('metricshard_health_hosts{cluster="alex",state="full"}'), 1);
  t.equal(metrics.get('metricshard_health_metrics{cluster="alex",state="missing"}'), 2);
  t.equal(metrics.get('metricshard_health_changes_total{cluster="alex",state="failed"}'), 2);
  t.equal(metrics.get('metricshard_health_published_total'), published.length);
  t.equal(metrics.get('metricshard_health_event_streams'), 3);
  t.ok(metrics.get('metricshard_health_check_seconds')! > 0);

  // Another life of a shard knows nothing of what it told: those who listen read anew.
  server.crash('any');
  t.ok(await eventually(() => all.some(({ name }) => name === 'missed'), 20_000));
  await become(t, server, [
    'alex/a1 full',
    'alex/a2 failed load:degraded temp:degraded',
    silent[2]!,
    'beta/b1 failed load:degraded',
  ]);

  const patch = (enabled: boolean): Promise<Reply> =>
    server.request('/api/v2/admin/config', {
      method: 'PATCH',
      headers: admin,
      body: JSON.stringify({ metricshard: { health: { enabled } } }),
    });
  t.equal((await patch(false)).status, 200);
  for (const path of ['', '?detail=clusters', '/events']) {
    const off = await ask(server, path);
    t.equal(off.status, 400, off.text);
    t.match(off.json.error, /metricshard\.health\.enabled/);
  }
  t.equal((await patch(true)).status, 200);
  t.ok(await eventually(async () => (await states(server)).length === 4, 20_000));
});

async function natsStatusOf(server: TestServer): Promise<string> {
  const withToken = { ...server, get: (path: string) => server.request(path, { headers: admin }) };
  return (await natsStatus(withToken)).state;
}

function readMetricsOf(server: TestServer): Promise<ReadonlyMap<string, number>> {
  return readMetrics(server);
}

t.test(
  'a kill and another start find since when, and pages are the same with any shards',
  async (t) => {
    const folder = temporaryFolder(t, 'health-kill');
    const start = async (): Promise<TestServer> => {
      const server = await startServer(configOf(folder));
      t.teardown(() => server.kill());
      t.ok(await becomesReady(server));
      return server;
    };
    const nowSec = Math.floor(Date.now() / 60_000) * 60;
    const first = await start();
    await write(t, first, 'alex/a1 gamma/g1', nowSec - 1200);
    await write(t, first, 'alex/a2 gamma/g2', nowSec - 600);
    await write(t, first, 'alex/a2', nowSec);
    const wanted = [
      'alex/a1 failed load:degraded temp:degraded',
      'alex/a2 full',
      'alex/a3 failed load:missing temp:missing',
      'gamma/g1 failed load:degraded',
      'gamma/g2 failed load:degraded',
    ];
    await become(t, first, wanted);
    const since = async (server: TestServer): Promise<unknown[]> =>
      (await ask(server, '?state=failed&metric-state=degraded&detail=hosts')).json.hosts.map(
        ({ host, sinceSec }: { host: string; sinceSec: number }) => [host, sinceSec - nowSec],
      );
    const before = await since(first);
    t.same(before, [
      ['a1', -840],
      ['g1', -840],
      ['g2', -240],
    ]);
    await first.kill();
    const again = await start();
    await become(t, again, wanted);
    t.same(await since(again), before);

    const whole = (await ask(again)).json;
    t.equal(whole.hosts.length, 5);
    const paged: unknown[] = [];
    for (let after: string | null = ''; after !== null;) {
      const { json } = await ask(again, `?limit=2&after=${after}`);
      t.same(json.clusters, whole.clusters);
      paged.push(...json.hosts);
      after = json.next;
    }
    t.same(paged, whole.hosts);
    t.equal((await ask(again, '?detail=clusters')).json.hosts, undefined);
    const refusals: [query: string, error: RegExp][] = [
      ['?colour=red', /"colour" is not known here; known are cluster, sub-cluster, host, state/],
      ['?state=ill', /parameter state: "ill" is none of full, partial, failed/],
      ['?metric-state=full,', /parameter metric-state: "" is none of full, stuck/],
      ['?detail=all', /parameter detail: "all" is none of/],
      ['?limit=0', /parameter limit: "0"/],
      ['?after=x', /parameter after: "x"/],
      ['?host=a%5B', /parameter host: host list/],
      ['?sub-cluster=none', /parameter sub-cluster: "none" is in no cluster.json/],
      ['?cluster=a&cluster=b', /parameter cluster is there more than once/],
    ];
    for (const [query, error] of refusals) {
      const answer = await ask(again, query);
      t.equal(answer.status, 400, query);
      t.match(answer.json.error, error);
    }
  },
);
