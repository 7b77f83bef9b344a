import type { Worker } from 'node:worker_threads';
import t from 'tap';
import { freezeDeep } from '../../src/config/config.js';
import { parseConfig } from '../../src/config/parse-config.js';
import type { StoreError } from '../../src/model/errors.js';
import type { ShardSet } from '../../src/routing/shard-set.js';
import { startStore } from '../../src/routing/start-store.js';
import type { QueryAnswer, WriteSummary } from '../../src/routing/store.js';
import { temporaryFolder } from '../helpers/durable.js';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const WAIT_MS = 10_000;

function write(store: ShardSet, body: string): Promise<WriteSummary> {
  const session = store.beginWrite({ cluster: 'c', precision: 0, bytesExpected: body.length });
  session.push(Buffer.from(body));
  return session.finish();
}

function query(store: ShardSet, host: string): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const request = { cluster: 'c', from: now - 120, to: now + 60, queries: [{ metric: 'm', host }] };
  return new Promise((resolve) => {
    store.query(JSON.stringify(request), (answer: QueryAnswer) => {
      resolve(answer.ok ? Buffer.from(answer.json).toString() : answer.error.code);
    });
  });
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

t.test('a shard that dies is started again with its data, the others go on', async (t) => {
  const workers: Worker[] = [];
  const onWorker = (worker: Worker): number => workers.push(worker);
  process.on('worker', onWorker);
  const directory = temporaryFolder(t, 'crash');
  const { config } = parseConfig({
    'metric-store': { checkpoints: { directory } },
    metricshard: { shards: 2 },
  });
  const store = await startStore(freezeDeep(config).store, config.limits, quiet);
  t.teardown(() => store.stop());
  process.off('worker', onWorker);
  t.equal(workers.length, 2);
  // One host on either shard.
  const names = Array.from({ length: 50 }, (_, i) => `h${i}`);
  const hosts = [0, 1].map((shard) => names.find((name) => store.shardOf('c', name) === shard)!);
  for (const host of hosts)
    t.match(await write(store, `m,hostname=${host} value=1\n`), { written: 1 });

  // Pools are made in the order of the shards.
  const settled = write(store, `m,hostname=${hosts[0]} value=2\n`.repeat(1000)).then(
    () => 'stored',
    (error: StoreError) => error.code,
  );
  await workers[0]!.terminate();
  const outcome = await settled;
  t.ok(['stored', 'shard-unavailable'].includes(outcome), outcome);
  await until(() => store.status().shards[0]!.restarts === 1);
  t.match(await query(store, hosts[1]!), '"avg":1');

  await until(() => store.status().ready);
  const kept = outcome === 'stored' ? /"avg":2/ : /"avg":[12]/;
  t.match(await query(store, hosts[0]!), kept, 'it has its data again');
  t.match(await write(store, `m,hostname=${hosts[0]} value=3\n`), { written: 1 });
  t.match(await query(store, hosts[0]!), '"avg":3');
  t.equal(store.status().shards[1]!.restarts, 0);
});
