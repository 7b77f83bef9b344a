import t, { type Test } from 'tap';
import {
  archived,
  config,
  fill,
  folders,
  HOSTS,
  NEWEST,
  OLDEST,
  start,
  STEP,
  type Folders,
} from '../helpers/archive.js';
import { becomesReady } from '../helpers/durable.js';
import { startWithLevers } from '../helpers/levers.js';
import { eventually } from '../helpers/metrics.js';
import type { Reply, TestServer } from '../helpers/server.js';

/** The archive's thread comes behind the one shard. */
const THREAD = 2;
const WAITING_MAX = 32;
const RANGE = { cluster: 'alex', from: OLDEST, to: NEWEST + STEP };

type Ask = (server: TestServer) => Promise<Reply>;

const ASKS: Readonly<Record<string, Ask>> = {
  'v1 query': (server) =>
    server.query({ ...RANGE, archive: true, queries: [{ metric: 'mem_used', host: HOSTS[0] }] }),
  'v2 query': (server) => server.post('/api/v2/query', { ...RANGE, select: { metric: '*' } }),
  'v2 stream': (server) =>
    server.post('/api/v2/query?format=csv', { ...RANGE, select: { metric: 'mem_used' } }),
  jobs: (server) =>
    server.post('/api/v2/job-stats', {
      ...RANGE,
      jobs: [{ id: 1, hosts: HOSTS, metrics: 'ipc' }],
    }),
};

/** Some of it is in the archive; one shard. */
async function prepared(t: Test): Promise<Folders> {
  const where = folders(t);
  const first = await start(t, where, { retention: '48h', shards: 1 });
  await fill(first);
  await first.stop();
  const second = await start(t, where, { retention: '4h', shards: 1 });
  t.ok(await archived(second));
  await second.stop();
  return where;
}

t.test('requests wait for the thread: so many, so long; one that dies costs one', async (t) => {
  const where = await prepared(t);
  const waitMs = 3000;
  const limits = { 'query-time-ms-max': waitMs };
  const settings = { retention: '4h', shards: 1, limits };
  const server = await startWithLevers(config(where, settings));
  t.teardown(() => server.kill());
  t.ok(await becomesReady(server));
  const asks = Object.values(ASKS);
  t.equal((await asks[0]!(server)).status, 200);
  await server.stall(THREAD);
  const inWork = asks[0]!(server);
  const waiting = Array.from({ length: WAITING_MAX }, (_, i) => asks[i % asks.length]!(server));
  await new Promise((resolve) => setTimeout(resolve, 500));
  for (const [name, ask] of Object.entries(ASKS)) {
    const { status, text, headers } = await ask(server);
    t.equal(status, 503, `${name}: ${text}`);
    t.match(text, /32 requests wait for the archive already; send it again in a moment/);
    t.match(headers.get('retry-after'), /^\d+$/);
  }
  const memory = { ...RANGE, from: NEWEST - 3600, select: { metric: 'mem_used' } };
  t.equal((await server.post('/api/v2/query', memory)).status, 200, 'others go on');
  for (const { status, text } of await Promise.all(waiting)) {
    t.equal(status, 503);
    t.match(text, /it has waited 3000 ms for the archive; send it again in a moment/);
  }

  const next = asks[1]!(server);
  server.crash(THREAD);
  const failed = await inWork;
  t.equal(failed.status, 503);
  t.match(failed.headers.get('retry-after'), /^\d+$/);
  t.match(failed.text, /the thread that reads it has ended, .* in a moment \(the test wants this/);
  const answered = await next;
  t.equal(answered.status, 200, answered.text.slice(0, 200));
  t.match(answered.text, /"data":\[/);
});

t.test('clients that go away make room', async (t) => {
  const where = await prepared(t);
  const settings = { retention: '4h', shards: 1 };
  const server = await startWithLevers(config(where, settings), { stalled: THREAD });
  t.teardown(() => server.kill());
  t.ok(await becomesReady(server));
  const abort = new AbortController();
  const body = JSON.stringify({ ...RANGE, select: { metric: 'mem_used' } });
  const gone = Array.from({ length: WAITING_MAX + 1 }, () =>
    fetch(`${server.url}/api/v2/query`, { method: 'POST', body, signal: abort.signal }).catch(
      () => undefined,
    ),
  );
  const ask = ASKS['v2 stream']!;
  const isFull = async (): Promise<boolean> => {
    const one = await Promise.race([
      ask(server),
      new Promise((resolve) => setTimeout(resolve, 50)),
    ]);
    return (one as Reply | undefined)?.status === 503;
  };
  t.ok(await eventually(isFull), 'full');
  abort.abort();
  await Promise.all(gone);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const last = ask(server);
  await new Promise((resolve) => setTimeout(resolve, 100));
  server.release();
  t.equal((await last).status, 200);
});

t.test('what takes too long or is too much is told by name', async (t) => {
  const where = await prepared(t);
  const slow = await start(t, where, {
    retention: '4h',
    shards: 1,
    limits: { 'query-time-ms-max': 1 },
  });
  for (const [name, ask] of Object.entries(ASKS)) {
    let reply = await ask(slow);
    // Its turn may come later than after a millisecond: then it has waited in vain.
    for (let tries = 0; reply.status === 503 && tries < 100; tries++) reply = await ask(slow);
    t.equal(reply.status, 400, name);
    t.match(reply.text, /took too long: the limit query-time-ms-max is 1/, name);
  }
  await slow.kill();
  const small = await start(t, where, {
    retention: '4h',
    shards: 1,
    limits: { 'archive-samples-max': 500, 'answer-bytes-max': 500 },
  });
  for (const [name, ask] of Object.entries(ASKS)) {
    const { status, text } = await ask(small);
    t.equal(status, 400, name);
    t.match(text, /archive-samples-max is 500; ask for less, or with \\"archive\\": false/, name);
  }
  const some = { ...RANGE, to: OLDEST + 3600 * 4, select: { metric: 'mem_used', hosts: 'b-1' } };
  const { status, text } = await small.post('/api/v2/query', some);
  t.equal(status, 400);
  t.match(text, /answer-bytes-max is 500/);
  const few = { ...some, to: OLDEST + 3600 };
  t.equal((await small.post('/api/v2/query', few)).status, 200);
});
