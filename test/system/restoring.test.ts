import t, { type Test } from 'tap';
import { becomesReady, durable, temporaryFolder } from '../helpers/durable.js';
import { Ledger, load } from '../helpers/ledger.js';
import { startWithLevers } from '../helpers/levers.js';
import { eventually } from '../helpers/metrics.js';
import { seed } from '../helpers/random.js';
import { startServer, type Reply } from '../helpers/server.js';

const WRITERS = 2;
const HOSTS = Array.from({ length: 30 }, (_, i) => `h${i}`);
const line = (host: string): string => `second,cluster=c,hostname=${host} value=1\n`;

for (const shards of [1, 3]) {
  t.test(`nothing is served before it is restored, ${shards} shard(s)`, async (t) => {
    await waits(t, shards);
  });
}

async function filled(t: Test, shards: number): Promise<[string, Ledger]> {
  const directory = temporaryFolder(t, 'restoring');
  const ledger = new Ledger(seed, WRITERS, 6);
  const server = await startServer(durable(directory, shards));
  t.teardown(() => server.kill());
  let bodies = 0;
  await load(server, ledger, WRITERS, () => bodies++ > 30);
  await server.kill();
  return [directory, ledger];
}

function isRefused(t: Test, reply: Reply, title: string): void {
  t.equal(reply.status, 503, `${title}: ${reply.text}`);
  t.match(reply.headers.get('retry-after'), /^\d+$/, `${title}: Retry-After`);
  t.match(reply.json?.error, /shard \d/, `${title}: it names the shard`);
}

async function waits(t: Test, shards: number): Promise<void> {
  const [directory, ledger] = await filled(t, shards);
  const server = await startWithLevers(durable(directory, shards), { stalled: 'all' });
  t.teardown(() => server.kill());
  const ready = await server.get('/ready');
  t.equal(ready.status, 503);
  t.match(ready.headers.get('retry-after'), /^\d+$/, 'Retry-After');
  t.equal(ready.json.ready, false);
  t.equal(ready.json.shards.length, shards);
  for (const shard of ready.json.shards as object[]) {
    t.match(shard, { ready: false, restoredBytes: Number, restoreBytes: Number });
  }
  t.equal((await server.get('/ping')).status, 204, 'it is alive');
  t.equal((await server.get('/api/v2/status')).json.ready, false);
  isRefused(t, await server.write(HOSTS.map(line).join('')), 'write');
  isRefused(t, await server.post('/api/v2/admin/checkpoint', ''), 'checkpoint');
  isRefused(t, await server.post('/api/free?to=1', '[]'), 'free');
  server.release();
  t.ok(await becomesReady(server), 'ready');
  t.same(await ledger.wrong(server), [], 'all is there');
  t.equal((await server.write(HOSTS.map(line).join(''))).status, 200);
}

t.test('shards that are restored serve, while another is not', async (t) => {
  const [directory, ledger] = await filled(t, 3);
  const server = await startWithLevers(durable(directory, 3), { stalled: 2 });
  t.teardown(() => server.kill());
  const served = new Map<string, number>();
  for (const host of HOSTS) served.set(host, (await server.write(line(host))).status);
  const statuses = new Set(served.values());
  t.same([...statuses].toSorted(), [200, 503], 'hosts of the others are served');
  const { status, json } = await server.get('/ready');
  t.equal(status, 503);
  t.same(
    (json.shards as { ready: boolean }[]).map(({ ready }) => ready),
    [true, false, true],
  );
  server.release();
  t.ok(await becomesReady(server), 'ready');
  t.same(await ledger.wrong(server), [], 'all is there');
});

t.test('a shard that dies while it is restored is restored again, once', async (t) => {
  const [directory, ledger] = await filled(t, 1);
  const server = await startWithLevers(durable(directory, 1), { stalled: 'all' });
  t.teardown(() => server.kill());
  for (const deaths of [1, 2]) {
    // A thread that is about to end anyway may take the first one.
    const isDown = async (): Promise<boolean> => {
      server.crash('any');
      return eventually(() => server.output().includes(`"restarts":${deaths}`), 500);
    };
    t.ok(await eventually(isDown), `it died: ${server.output()}`);
  }
  server.release();
  t.ok(await becomesReady(server), `ready: ${server.output()}`);
  // Longer than until a second start, if there were one.
  await new Promise((resolve) => setTimeout(resolve, 2500));
  t.ok(await becomesReady(server), 'it stays so');
  t.equal(server.output().match(/shard is back/g)?.length, 1, server.output());
  t.same(await ledger.wrong(server), [], 'all is there');
  const { stored, refused } = await load(server, ledger, WRITERS, once(20));
  t.ok(stored > 0);
  t.equal(refused.length, 0);
  await server.kill();
  const again = await startServer(durable(directory, 1));
  t.teardown(() => again.kill());
  t.ok(await becomesReady(again), 'ready');
  t.same(await ledger.wrong(again), [], 'and what was written then as well');
});

function once(bodies: number): () => boolean {
  let done = 0;
  return () => done++ > bodies;
}
