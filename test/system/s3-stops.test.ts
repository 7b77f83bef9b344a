import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { becomesReady, temporaryFolder } from '../helpers/durable.js';
import { Ledger } from '../helpers/ledger.js';
import { startWithLevers } from '../helpers/levers.js';
import { eventually } from '../helpers/metrics.js';
import { seed } from '../helpers/random.js';
import { S3_ENV } from '../helpers/s3-server.js';
import {
  becomes,
  becomesCopied,
  checkpoint,
  fill,
  isCopied,
  mirrorOf,
  onS3,
  start,
  startReady,
  testServer,
  WRITERS,
} from '../helpers/s3-store.js';

t.test('a stop waits for S3 no longer than it is told', async (t) => {
  const s3 = await testServer(t);
  const ledger = new Ledger(seed, WRITERS, 4);
  const local = join(temporaryFolder(t, 's3'), 'local');
  const server = await startReady(t, onS3(s3, local, 1, { 'stop-wait-sec': 1 }));
  await fill(server, ledger);
  t.ok(await becomes(server, 'current'));
  s3.delayMs = 30_000;
  const began = performance.now();
  t.equal(await server.stop(), 0);
  t.ok(performance.now() - began < 8000, 'it does not wait for the answer');
  t.match(server.output(), /NOT in s3:.*waited 1 s at most, metricshard\.s3\.stop-wait-sec/);
  s3.delayMs = 0;
  const next = await startReady(t, onS3(s3, local));
  t.ok(await becomesCopied(s3, local), 'the next start makes up for it');
  t.same(await ledger.wrong(next), []);
});

t.test('the thread that copies dies', async (t) => {
  const s3 = await testServer(t);
  const ledger = new Ledger(seed, WRITERS, 4);
  const local = join(temporaryFolder(t, 's3'), 'local');
  Object.assign(process.env, S3_ENV);
  const server = await startWithLevers(onS3(s3, local, 2));
  t.teardown(() => server.kill());
  t.ok(await becomesReady(server));
  await fill(server, ledger);
  t.ok(await becomes(server, 'current'));
  // Shards have the numbers 1 and 2. It dies in the middle of a round.
  s3.delayMs = 200;
  await checkpoint(t, server);
  t.ok(await becomes(server, 'copying'));
  server.crash(3);
  const hasFailed = async (): Promise<boolean> => (await mirrorOf(server)).failures > 0;
  t.ok(await eventually(hasFailed), server.output());
  s3.delayMs = 0;
  t.ok(await becomesCopied(s3, local), `another one goes on: ${server.output()}`);
  t.equal((await server.get('/ready')).status, 200, 'the shards notice nothing');
  t.notMatch(server.output(), /shard died/);
  t.same(await ledger.wrong(server), []);
});

t.test('a download that takes long is told', async (t) => {
  const s3 = await testServer(t);
  const ledger = new Ledger(seed, WRITERS, 4);
  const local = join(temporaryFolder(t, 's3'), 'local');
  // Files of several shards, so that there is something between nothing and all.
  const first = await startReady(t, onS3(s3, local, 6));
  await fill(first, ledger);
  t.equal(await first.stop(), 0);
  rmSync(local, { recursive: true });
  s3.delayMs = 600;
  const server = await start(t, onS3(s3, local, 6));
  const seen = new Set<number>();
  const isReady = async (): Promise<boolean> => {
    const { status, json } = await server.get('/ready');
    if (json.download) seen.add(json.download.bytes / (json.download.bytesTotal || 1));
    return status === 200;
  };
  t.ok(await eventually(isReady, 20_000));
  t.ok(seen.size >= 3, `/ready tells how far it is: ${[...seen]}`);
  t.ok([...seen].every((part) => part >= 0 && part <= 1));
  t.match(
    server.output(),
    /"percent":\d+,"bytes":\d+,"msg":"downloading from s3:/,
    'so does the log',
  );
  t.same(await ledger.wrong(server), []);
});

t.test('a store that is killed while it downloads', async (t) => {
  const s3 = await testServer(t);
  const ledger = new Ledger(seed, WRITERS, 4);
  const local = join(temporaryFolder(t, 's3'), 'local');
  const config = onS3(s3, local, 3);
  const first = await startReady(t, config);
  for (let i = 0; i < 3; i++) {
    await fill(first, ledger);
    await checkpoint(t, first);
  }
  t.equal(await first.stop(), 0);
  t.ok(isCopied(s3, local));
  rmSync(local, { recursive: true });
  for (const files of [1, 3, 2]) {
    let gets = 0;
    s3.failure = ({ method, key }) =>
      method === 'GET' && /blocks|series/.test(key) && ++gets > files ? 503 : undefined;
    const killed = await start(t, config);
    const waits = async (): Promise<boolean> => {
      return /503/.test((await killed.get('/ready')).json.download?.problem);
    };
    t.ok(await eventually(waits), 'it waits for the rest');
    await killed.kill();
    t.notOk(existsSync(join(local, 'STORE')));
  }
  s3.failure = () => undefined;
  const last = await startReady(t, config);
  t.same(await ledger.wrong(last), [], 'all is there');
  await fill(last, ledger);
  t.equal(await last.stop(), 0);
  t.ok(isCopied(s3, local));
});
