import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { becomesReady, temporaryFolder } from '../helpers/durable.js';
import { Ledger } from '../helpers/ledger.js';
import { eventually, metricSum } from '../helpers/metrics.js';
import { seed } from '../helpers/random.js';
import { S3_ENV } from '../helpers/s3-server.js';
import {
  becomes,
  becomesCopied,
  checkpoint,
  fill,
  LOCATION,
  mirrorOf,
  onS3,
  start,
  startReady,
  testServer,
  WRITERS,
} from '../helpers/s3-store.js';
import { startServer } from '../helpers/server.js';

t.test('S3 goes away while the store runs, and comes back', async (t) => {
  const s3 = await testServer(t);
  const ledger = new Ledger(seed, WRITERS, 4);
  const local = join(temporaryFolder(t, 's3'), 'local');
  const server = await startReady(t, onS3(s3, local));
  await fill(server, ledger);
  await checkpoint(t, server);
  t.ok(await becomesCopied(s3, local));
  await s3.down();
  for (let i = 0; i < 3; i++) {
    await fill(server, ledger);
    await checkpoint(t, server);
  }
  t.ok(await eventually(async () => (await mirrorOf(server)).failures >= 2), 'it is tried again');
  t.same(await ledger.wrong(server), [], 'the store goes on');
  const { state, problem, bytesWaiting, filesWaiting } = await mirrorOf(server);
  t.equal(state, 'failing');
  t.match(problem, /ECONNREFUSED.*check metricshard\.s3\.endpoint/);
  t.ok(bytesWaiting > 0 && filesWaiting > 0, 'it tells what waits');
  t.equal(await metricSum(server, 'metricshard_mirror_up'), 0);
  t.ok((await metricSum(server, 'metricshard_mirror_failures_total')) >= 2);
  await s3.up();
  t.ok(await becomesCopied(s3, local), 'it catches up');
  t.ok(await becomes(server, 'current'));
  t.match(await mirrorOf(server), { problem: '', bytesWaiting: 0, filesWaiting: 0 });
  t.equal(await metricSum(server, 'metricshard_mirror_up'), 1);
  t.equal(await metricSum(server, 'metricshard_mirror_bytes_waiting'), 0);
  t.equal(server.output().match(/are not copied; the store goes on/g)?.length, 1, 'told once');
  t.equal(server.output().match(/are copied again to/g)?.length, 1, 'and once that it works');
});

t.test('S3 is down at the start', async (t) => {
  const s3 = await testServer(t);
  const ledger = new Ledger(seed, WRITERS, 4);
  const local = join(temporaryFolder(t, 's3'), 'local');
  const first = await startReady(t, onS3(s3, local));
  await fill(first, ledger);
  t.equal(await first.stop(), 0);
  await s3.down();

  const second = await startReady(t, onS3(s3, local));
  t.same(await ledger.wrong(second), [], 'all is there');
  await fill(second, ledger);
  await second.stop();
  t.match(second.output(), /the last checkpoint is NOT in s3:.*goes there after the next start/);

  const third = await startReady(t, onS3(s3, local));
  await s3.up();
  t.ok(await becomesCopied(s3, local), 'what was not copied goes there after the next start');
  await third.stop();
  await s3.down();
  rmSync(local, { recursive: true });

  const empty = await start(t, onS3(s3, local));
  const waits = async (): Promise<boolean> => {
    const { status, json } = await empty.get('/ready');
    return status === 503 && /ECONNREFUSED/.test(json.download?.problem);
  };
  t.ok(await eventually(waits), 'without one it waits, and says for what');
  t.match((await empty.get('/ready')).json.download, { location: LOCATION });
  t.equal((await empty.write('second,cluster=c,hostname=h value=1')).status, 503);
  t.equal((await empty.get('/metrics')).status, 200);
  t.equal((await mirrorOf(empty)).state, 'downloading');
  await s3.up();
  t.ok(await becomesReady(empty), 'until S3 is there');
  t.same(await ledger.wrong(empty), [], 'all is there');
  t.equal(await empty.stop(), 0);
});

t.test('a store that waits for S3 can be stopped', async (t) => {
  const s3 = await testServer(t);
  await s3.down();
  const local = join(temporaryFolder(t, 's3'), 'local');
  const server = await start(t, onS3(s3, local));
  t.equal((await server.get('/ready')).status, 503);
  t.equal(await server.stop(), 0);
  t.notMatch(server.output(), /level":"error/);
});

t.test('two shards that wait for S3 take nothing, and say so', async (t) => {
  const s3 = await testServer(t);
  const ledger = new Ledger(seed, WRITERS, 4);
  const folder = temporaryFolder(t, 's3');
  const local = join(folder, 'local');
  const config = onS3(s3, local, 2);
  const cleanup = { mode: 'archive', directory: join(folder, 'archive') };
  const archived = {
    ...config,
    'metric-store': { ...(config['metric-store'] as object), cleanup },
  };
  const first = await startReady(t, archived);
  await fill(first, ledger);
  t.equal(await first.stop(), 0);
  rmSync(local, { recursive: true });
  await s3.down();

  const waiting = await start(t, archived);
  const line = 'second,cluster=c,hostname=h value=1\n';
  const packed = { 'content-encoding': 'gzip' };
  const range = { cluster: 'ledger', from: '-1h', select: { metric: 'second' } };
  const refused = [
    await waiting.write(line),
    await waiting.write(line.repeat(100_000)),
    await waiting.write(gzipSync(line.repeat(1000)), '', packed),
    await waiting.post('/api/v2/query', range),
    await waiting.post('/api/v2/query?format=csv', range),
    await waiting.post('/api/v2/job-stats', {
      cluster: 'ledger',
      jobs: [{ id: 1, hosts: 'w0h0', from: '-1h' }],
      metrics: 'second',
    }),
    await waiting.query({
      cluster: 'ledger',
      from: 0,
      to: 60,
      queries: [{ metric: 'second', host: 'w0h0' }],
    }),
  ];
  for (const { status, text } of refused) t.equal(status, 503, text);
  t.notMatch(waiting.output(), /level":"error/);
  await s3.up();
  t.ok(await becomesReady(waiting), 'until S3 is there');
  t.same(await ledger.wrong(waiting), [], 'all is there');
  t.equal(await waiting.stop(), 0);
});

t.test('a wrong secret', async (t) => {
  const s3 = await testServer(t);
  const ledger = new Ledger(seed, WRITERS, 4);
  const local = join(temporaryFolder(t, 's3'), 'local');
  const wrong = { ...S3_ENV, AWS_SECRET_ACCESS_KEY: 'wrong' };
  const server = await startReady(t, onS3(s3, local), wrong);
  t.match(server.output(), /starts WITHOUT what may be there/);
  await fill(server, ledger);
  await checkpoint(t, server);
  const isTold = async (): Promise<boolean> => (await mirrorOf(server)).failures > 0;
  t.ok(await eventually(isTold));
  const { state, problem } = await mirrorOf(server);
  t.equal(state, 'failing');
  t.match(problem, /SignatureDoesNotMatch.*HTTP 403.*check the credentials/);
  t.same(await ledger.wrong(server), [], 'and goes on');
  t.equal(await server.stop(), 0);
  t.equal(s3.objects.size, 0);

  const next = await startReady(t, onS3(s3, local));
  t.ok(await becomesCopied(s3, local), 'with the right one it is all copied');
  t.same(await ledger.wrong(next), []);
});

t.test('uploads and downloads that fail now and then', async (t) => {
  const s3 = await testServer(t);
  const ledger = new Ledger(seed, WRITERS, 4);
  const local = join(temporaryFolder(t, 's3'), 'local');
  let requests = 0;
  s3.failure = () => {
    const kind = requests++ % 6;
    return kind === 2 ? 503 : kind === 4 ? 'reset' : kind === 5 ? 'cut' : undefined;
  };
  const server = await startReady(t, onS3(s3, local, 2, { attempts: 4 }));
  await fill(server, ledger, 40);
  await checkpoint(t, server);
  t.ok(await becomesCopied(s3, local), server.output());
  await server.kill();
  rmSync(local, { recursive: true });
  const next = await startReady(t, onS3(s3, local, 2, { attempts: 4 }));
  t.same(await ledger.wrong(next), []);
});

t.test('a local directory that can not be used', async (t) => {
  const s3 = await testServer(t);
  const folder = temporaryFolder(t, 's3');
  writeFileSync(join(folder, 'file'), '');
  const impossible = startServer(onS3(s3, join(folder, 'file')), { env: S3_ENV });
  await t.rejects(impossible, /metricshard\.local-directory: cannot use .*file: /);
  const local = join(folder, 'local');
  await startReady(t, onS3(s3, local));
  const second = startServer(onS3(s3, local), { env: S3_ENV });
  await t.rejects(second, /is used by process .* set another metricshard\.local-directory/);
});
