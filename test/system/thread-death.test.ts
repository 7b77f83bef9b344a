import t, { type Test } from 'tap';
import { becomesReady, durable, temporaryFolder } from '../helpers/durable.js';
import { Ledger, load } from '../helpers/ledger.js';
import { startWithLevers } from '../helpers/levers.js';
import { eventually } from '../helpers/metrics.js';
import { seed } from '../helpers/random.js';
import { startServer, type Reply } from '../helpers/server.js';

const WRITERS = 4;
const DEATHS = 3;

for (const shards of [1, 3]) {
  for (const makesCheckpoints of [false, true]) {
    const also = makesCheckpoints ? ', while checkpoints are made' : '';
    t.test(`a thread dies under load, ${shards} shard(s)${also}, seed ${seed}`, async (t) => {
      await comesBack(t, shards, makesCheckpoints);
    });
  }
}

t.test('what a shard was asked when its thread died is a 503', async (t) => {
  const metrics = { load: { frequency: 60, aggregation: null } };
  const server = await startWithLevers(durable(temporaryFolder(t, 'asked'), 1, metrics));
  t.teardown(() => server.kill());
  t.ok(await becomesReady(server));
  const now = Math.floor(Date.now() / 1000);
  await server.write(`load,cluster=c,hostname=h1,type=node value=1 ${now}`);
  const range = { cluster: 'c', from: now - 60, to: now + 60 };
  const asks: Readonly<Record<string, () => Promise<Reply>>> = {
    tree: () => server.get('/api/debug/?selector=c:h1'),
    levels: () => server.get('/api/v2/debug/levels?level=c&level=h1'),
    names: () => server.get('/api/v2/series?cluster=c'),
    nodes: () =>
      server.post('/api/healthcheck', { cluster: 'c', nodes: ['h1'], 'metric-names': ['load'] }),
    free: () => server.post('/api/free?to=1600000000', [['c']]),
    query: () => server.query({ ...range, queries: [{ metric: 'load', host: 'h1' }] }),
    select: () => server.post('/api/v2/query', { ...range, select: { metric: 'load' } }),
  };
  for (const [name, ask] of Object.entries(asks)) t.equal((await ask()).status, 200, name);
  await server.stall(1);
  const asked = Object.entries(asks).map(([name, ask]) => ask().then((reply) => ({ name, reply })));
  await new Promise((resolve) => setTimeout(resolve, 300));
  server.crash(1);
  for (const { name, reply } of await Promise.all(asked)) {
    t.equal(reply.status, 503, `${name}: ${reply.text}`);
    t.match(reply.headers.get('retry-after'), /^\d+$/, name);
  }
  server.release();
  t.ok(await becomesReady(server), 'it is back');
  for (const [name, ask] of Object.entries(asks)) t.equal((await ask()).status, 200, name);
});

/** Threads die one after the other; each comes back with all that was acknowledged. */
async function comesBack(t: Test, shards: number, makesCheckpoints: boolean): Promise<void> {
  const directory = temporaryFolder(t, 'death');
  const ledger = new Ledger(seed, WRITERS, 6);
  const server = await startWithLevers(durable(directory, shards));
  t.teardown(() => server.kill());
  let isOver = false;
  const running = load(server, ledger, WRITERS, () => isOver);
  const checkpoints = (async () => {
    while (makesCheckpoints && !isOver) await server.post('/api/v2/admin/checkpoint', '');
  })();
  for (let death = 1; death <= DEATHS; death++) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    const before = ledger.acknowledgedCount;
    // Threads of first starts come first; then there is one more for each death.
    server.crash(death);
    const isBack = (): boolean =>
      server.output().match(/shard is back/g)?.length === Math.min(death, DEATHS);
    t.ok(await eventually(isBack, 20_000), `back: ${server.output().slice(-2000)}`);
    t.ok(await becomesReady(server), 'ready');
    const goesOn = (): boolean => ledger.acknowledgedCount > before + 100;
    t.ok(await eventually(goesOn), 'samples are taken again');
  }
  isOver = true;
  const { refused } = await running;
  await checkpoints;
  for (const reply of refused) {
    t.equal(reply.status, 503, reply.text);
    t.match(reply.headers.get('retry-after'), /^\d+$/);
  }
  t.same(await ledger.wrong(server), [], `${ledger.acknowledgedCount} are there`);
  await server.kill();
  const again = await startServer(durable(directory, shards));
  t.teardown(() => again.kill());
  t.ok(await becomesReady(again), 'ready');
  t.same(await ledger.wrong(again), [], 'and after a kill');
}
