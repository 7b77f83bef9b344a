import { DuckDBInstance } from '@duckdb/node-api';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { json, startBackend, status, type FakeBackend } from '../backend/fake-backend.js';
import { becomesReady, problemsOf, temporaryFolder } from '../helpers/durable.js';
import { startWithLevers, type Levers } from '../helpers/levers.js';
import { eventually, metricSum } from '../helpers/metrics.js';
import { Random, seed } from '../helpers/random.js';
import type { TestServer } from '../helpers/server.js';

const RETENTION_SEC = 600;
const KEEP_SEC = 3000;
const INTERVAL_SEC = 30;
/** Past the retention, and the last window of all that is written. */
const LATER_SEC = RETENTION_SEC + 140;
const COUNT = 500;
const HOSTS = ['used-1', 'used-2', 'idle-1', 'idle-2'];
const IN_USE = { c: ['used-1', 'used-2', 'elsewhere'] };
/** The long form: `KILLS=50 node dist/scripts/run-tests.js hosts-in-use`. */
const KILLS = Number(process.env['KILLS']) || 1;

type Server = TestServer & Levers;

async function start(t: Test, backend: FakeBackend, folder: string, more = {}): Promise<Server> {
  const server = await startWithLevers({
    main: { 'backend-url': backend.url },
    metrics: { '*': { frequency: 1, aggregation: 'avg' } },
    'metric-store': {
      'retention-in-memory': `${RETENTION_SEC}s`,
      checkpoints: { directory: join(folder, 'data') },
      ...more,
    },
    metricshard: {
      shards: 2,
      future: '60s',
      'archive-interval': '10s',
      backend: { 'nodes-interval-sec': INTERVAL_SEC, 'nodes-keep-sec': KEEP_SEC, token: 'secret' },
    },
  });
  t.teardown(() => server.kill());
  t.ok(await becomesReady(server), server.output());
  t.same(problemsOf(server), []);
  return server;
}

function values(startSec: number): number[] {
  return Array.from({ length: COUNT }, (_, i) => startSec + i + 0.25);
}

async function write(server: Server, hosts: readonly string[], startSec: number): Promise<void> {
  const body = hosts.flatMap((host) =>
    values(startSec).map((value) => `m,cluster=c,hostname=${host} value=${value} ${value | 0}`),
  );
  const { status, text } = await server.write(body.join('\n'));
  if (status !== 200) throw new Error(text);
}

/** How many samples of a host there are, of those that were written; -1 if one is wrong. */
async function found(
  server: Server,
  host: string,
  startSec: number,
  archive = false,
): Promise<number> {
  const range = { cluster: 'c', from: startSec, to: startSec + COUNT };
  const { json: answer, text } = await server.query({
    ...range,
    ...(archive && { archive }),
    queries: [{ metric: 'm', host }],
  });
  if (!answer?.results) throw new Error(text);
  const data = (answer.results[0][0]?.data ?? []) as (number | null)[];
  const isWrong = data.some((value, i) => value !== null && value !== startSec + i + 0.25);
  return isWrong ? -1 : data.filter((value) => value !== null).length;
}

async function backendOf(server: Server): Promise<Record<string, unknown>> {
  return (await server.get('/api/v2/status')).json.backend;
}

function becomes(server: Server, state: string): Promise<boolean> {
  return eventually(async () => (await backendOf(server))['state'] === state, 20_000);
}

function hasNone(server: Server, host: string, startSec: number): Promise<boolean> {
  return eventually(async () => (await found(server, host, startSec)) === 0, 20_000);
}

t.test('hosts in use keep their data, over a kill, as long as the last answer holds', async (t) => {
  const folder = temporaryFolder(t, 'hosts-in-use');
  const backend = await startBackend(t);
  backend.answer = json({ usedNodes: IN_USE });
  let server = await start(t, backend, folder);
  t.ok(await becomes(server, 'current'));
  const nowSec = Date.now() / 1000;
  const { path, authorization } = backend.asked[0]!;
  t.equal(authorization, 'Bearer secret');
  const ts = Number(/^\/api\/jobs\/used_nodes\?ts=(\d+)$/.exec(path)![1]);
  t.ok(Math.abs(ts - (nowSec - RETENTION_SEC + INTERVAL_SEC + 30)) < 30, `jobs before ${ts}`);
  const startSec = Math.floor(nowSec) - COUNT;
  await write(server, HOSTS, startSec);
  t.equal((await server.post('/api/v2/admin/checkpoint', '')).status, 200);

  await server.clockAhead(LATER_SEC);
  for (const host of HOSTS) {
    if (host.startsWith('idle')) t.ok(await hasNone(server, host, startSec), `${host} has gone`);
    else t.equal(await found(server, host, startSec), COUNT, `${host} has all`);
  }
  t.equal(await metricSum(server, 'metricshard_series'), 2);
  t.equal(await metricSum(server, 'metricshard_backend_hosts_in_use'), 3);
  const old = await server.write(`m,cluster=c,hostname=used-1 value=1 ${startSec}`);
  t.match(old.json.first[0].reason, /retention/, 'what comes too late is refused all the same');

  // What was saved when it was young has to stay on disk.
  const young = Math.floor(Date.now() / 1000) + LATER_SEC;
  await server.write(`m,cluster=c,hostname=other value=1 ${young}`);
  t.equal((await server.post('/api/v2/admin/checkpoint', '')).status, 200);
  await server.kill();

  backend.answer = status(500);
  server = await start(t, backend, folder);
  await server.clockAhead(LATER_SEC);
  t.match(await backendOf(server), { state: 'waiting', problem: /answered 500/, hostsInUse: 0 });
  for (const host of ['used-1', 'used-2']) t.equal(await found(server, host, startSec), COUNT);
  t.equal(await metricSum(server, 'metricshard_blocks_freed_total'), 0, 'nothing goes by its age');

  backend.answer = json(IN_USE);
  await server.clockAhead(LATER_SEC + 100);
  t.ok(await becomes(server, 'current'), 'the older form of the answer');
  t.equal(await found(server, 'used-1', startSec), COUNT);
  server.crash('any');
  t.ok(await eventually(async () => /is back/.test(server.output()), 20_000));
  await server.clockAhead(LATER_SEC + 400);
  t.equal(await found(server, 'used-1', startSec), COUNT, 'a shard that starts again knows them');
  t.equal(await found(server, 'used-2', startSec), COUNT);

  backend.answer = (_, response) => response.end('{"usedNodes": 17');
  await server.clockAhead(LATER_SEC + 800);
  t.ok(await becomes(server, 'kept'));
  t.equal(await found(server, 'used-1', startSec), COUNT, 'the last answer holds');
  await server.clockAhead(LATER_SEC + 800 + KEEP_SEC);
  t.ok(await becomes(server, 'expired'));
  for (const host of ['used-1', 'used-2']) t.ok(await hasNone(server, host, startSec));
  t.equal(server.output().match(/retention goes on for all/g)?.length, 1, 'this is told once');
  t.equal(server.output().match(/does not tell which hosts are in use/g)?.length, 2);
  t.notMatch(server.output(), /secret/);

  backend.answer = json({ usedNodes: IN_USE });
  await server.clockAhead(LATER_SEC + 900 + KEEP_SEC);
  t.ok(await becomes(server, 'current'));
  t.equal(await metricSum(server, 'metricshard_backend_up'), 1);
});

t.test('the archive gets what hosts in use have when they are no more', async (t) => {
  const folder = temporaryFolder(t, 'hosts-in-use');
  const cleanup = { cleanup: { mode: 'archive', directory: join(folder, 'archive') } };
  const backend = await startBackend(t);
  backend.answer = json({ usedNodes: IN_USE });
  let server = await start(t, backend, folder, cleanup);
  const startSec = Math.floor(Date.now() / 1000) - COUNT;
  await write(server, HOSTS, startSec);
  await server.clockAhead(LATER_SEC);
  for (const host of ['idle-1', 'idle-2']) t.ok(await hasNone(server, host, startSec), host);
  const allAreThere = async (what: string): Promise<void> => {
    for (const host of HOSTS) t.equal(await found(server, host, startSec, true), COUNT, what);
  };
  await allAreThere('half in the archive, half in memory');
  t.equal(await rowsOf(t, folder), 2 * COUNT);
  for (let times = 0; times < 2; times++) {
    for (const host of ['used-1', 'used-2']) t.equal(await found(server, host, startSec), COUNT);
    // The log tells of the run then, and the second time a checkpoint.
    await server.kill();
    server = await start(t, backend, folder, cleanup);
    await server.clockAhead(LATER_SEC);
    await allAreThere('after a kill');
    t.equal((await server.post('/api/v2/admin/checkpoint', '')).status, 200);
  }

  backend.answer = json({ usedNodes: {} });
  await server.clockAhead(LATER_SEC + 100);
  for (const host of ['used-1', 'used-2']) t.ok(await hasNone(server, host, startSec), host);
  await allAreThere('all in the archive');
  t.equal(await rowsOf(t, folder), HOSTS.length * COUNT, 'none of them twice');
});

t.test(`killed ${KILLS} times while the archive is written, seed ${seed}`, async (t) => {
  const folder = temporaryFolder(t, 'hosts-in-use');
  const cleanup = { cleanup: { mode: 'archive', directory: join(folder, 'archive') } };
  const backend = await startBackend(t);
  const random = new Random(seed);
  // So many that a run takes some tenths of a second.
  const hosts = Array.from({ length: 300 }, (_, i) => `h${i}`);
  const startSec = Math.floor(Date.now() / 1000) - COUNT;
  let server = await start(t, backend, folder, cleanup);
  for (let i = 0; i < hosts.length; i += 50) {
    await write(server, hosts.slice(i, i + 50), startSec);
  }
  for (let kill = 0; kill <= KILLS; kill++) {
    const inUse = kill < KILLS ? hosts.filter(() => random.chance(0.8)) : [];
    backend.answer = json({ usedNodes: { c: inUse } });
    const later = server.clockAhead(LATER_SEC + kill);
    if (kill === KILLS) break;
    await new Promise((resolve) => setTimeout(resolve, random.below(1600)));
    await server.kill();
    await later;
    server = await start(t, backend, folder, cleanup);
  }
  const isFreed = async (): Promise<boolean> =>
    (await metricSum(server, 'metricshard_series')) === 0;
  // The second run takes those that were in use by the answer that the first one had.
  t.ok(await eventually(isFreed, 50_000), 'all have left memory');
  t.equal(await rowsOf(t, folder), hosts.length * COUNT, 'and are in the archive, once each');
  for (const host of hosts.slice(0, 20)) {
    if ((await found(server, host, startSec, true)) !== COUNT) t.fail(`${host} is not whole`);
  }
});

/** Rows of the archive, of which no two are the same. */
async function rowsOf(t: Test, folder: string): Promise<number> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const reader = await connection.runAndReadAll(
    `SELECT count(*), count(DISTINCT (hostname, timestamp))
     FROM '${folder}/archive/*/*.parquet'`,
  );
  const [rows, different] = reader.getRows()[0]!;
  connection.closeSync();
  t.equal(rows, different);
  return Number(rows);
}
