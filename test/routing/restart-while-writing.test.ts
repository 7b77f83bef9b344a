import type { Worker } from 'node:worker_threads';
import t, { type Test } from 'tap';
import { freezeDeep } from '../../src/config/config.js';
import { parseConfig } from '../../src/config/parse-config.js';
import type { StoreError } from '../../src/model/errors.js';
import type { ShardSet } from '../../src/routing/shard-set.js';
import { startStore } from '../../src/routing/start-store.js';
import { temporaryFolder } from '../helpers/durable.js';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const BODY_BYTES = 6 * 1024 * 1024;
/** Far below the time after which the test itself is ended. */
const SETTLE_MS = 5000;

interface Started {
  readonly store: ShardSet;
  /** In the order of the shards. */
  readonly workers: readonly Worker[];
}

async function start(t: Test, shards: number): Promise<Started> {
  const workers: Worker[] = [];
  const onWorker = (worker: Worker): number => workers.push(worker);
  process.on('worker', onWorker);
  const limits = { 'write-wait-ms-max': 1000 };
  const directory = temporaryFolder(t, 'restart');
  const { config } = parseConfig({
    'metric-store': { checkpoints: { directory } },
    metricshard: { shards, limits },
  });
  const store = await startStore(freezeDeep(config).store, config.limits, quiet);
  t.teardown(() => store.stop());
  process.off('worker', onWorker);
  return { store, workers };
}

const after = (ms: number): Promise<'waited'> =>
  new Promise((resolve) => setTimeout(() => resolve('waited'), ms).unref());

function settled(write: Promise<unknown>): Promise<StoreError | string> {
  return Promise.race([
    write.then(
      () => 'stored',
      (error: StoreError) => error,
    ),
    after(SETTLE_MS),
  ]);
}

/** Pushes a body up to `bytes`, ends a shard, waits, and pushes the rest. */
async function interrupt(
  { store, workers }: Started,
  host: string,
  bytes: number,
  waitMs: number,
): Promise<StoreError | string> {
  const line = `m,hostname=${host} value=1\n`;
  const body = Buffer.from(line.repeat(BODY_BYTES / line.length));
  const session = store.beginWrite({ cluster: 'c', precision: 0, bytesExpected: body.length });
  session.push(body.subarray(0, bytes));
  await after(500);
  // What was published has been stored and settled when nothing has come for a while.
  const lines = (): number =>
    store.status().shards[store.shardOf('c', host)]!.counters['lines_total']!;
  const isLarge = bytes > line.length * 1000;
  for (let before = -1, tries = 0; tries < 50; tries++) {
    if (lines() === before && (before > 0 || !isLarge)) break;
    before = lines();
    await after(200);
  }
  await workers[store.shardOf('c', host)]!.terminate();
  await after(waitMs);
  session.push(body.subarray(bytes));
  return settled(session.finish());
}

for (const shards of [1, 3]) {
  for (const [when, waitMs] of [
    ['while its shard is down', 0],
    ['after its shard is back', 1500],
  ] as const) {
    t.test(`a body goes on ${when}, ${shards} shard(s)`, async (t) => {
      const error = await interrupt(await start(t, shards), 'h', 3 * 1024 * 1024, waitMs);
      t.match(error, { code: 'shard-unavailable', status: 503 });
      t.match(String(error), /shard \d .*restarted.*; [1-9]\d* samples of this body were taken/);
    });

    t.test(`a body of which nothing was taken goes on ${when}, ${shards} shard(s)`, async (t) => {
      const started = await start(t, shards);
      const error = await interrupt(started, 'h', 1000, waitMs);
      t.match(error, { code: 'shard-unavailable', status: 503 });
      t.match(String(error), /nothing of this body was taken/);
      for (let tries = 0; !started.store.status().ready && tries < 100; tries++) await after(50);
      const again = started.store.beginWrite({ cluster: 'c', precision: 0, bytesExpected: 0 });
      again.push(Buffer.from('m,hostname=h value=1\n'));
      t.match(await again.finish(), { written: 1 });
    });
  }
}
