import t, { type Test } from 'tap';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { becomesReady, filesBelow, temporaryFolder } from '../helpers/durable.js';
import { eventually, metricSum } from '../helpers/metrics.js';
import { S3_BUCKET, S3_ENV, S3Server } from '../helpers/s3-server.js';
import { startServer, type Reply, type TestServer } from '../helpers/server.js';

const STEP = 60;
const ROUNDS = 600;
const NEWEST = Math.floor(Date.now() / 1000 / STEP) * STEP - STEP;
const OLDEST = NEWEST - (ROUNDS - 1) * STEP;
const PREFIX = 'old/data/';
const QUERY = {
  cluster: 'al ex',
  from: OLDEST,
  to: NEWEST + STEP,
  archive: true,
  queries: [{ metric: 'clock', host: 'a1', type: 'hwthread', 'type-ids': ['0', '1'] }],
};
/** The same of the second interface, which asks the archive of itself. */
const SELECT = {
  cluster: 'al ex',
  from: OLDEST,
  to: NEWEST + STEP,
  select: { metric: 'clock', scope: 'hwthread' },
};

function select(server: TestServer, more: object = {}): Promise<Reply> {
  return server.post('/api/v2/query', { ...SELECT, ...more });
}

interface Place {
  readonly s3: S3Server;
  readonly data: string;
  readonly queue: string;
}

async function place(t: Test): Promise<Place> {
  const folder = temporaryFolder(t, 's3-archive');
  const s3 = await S3Server.start();
  t.teardown(() => s3.down());
  return { s3, data: join(folder, 'data'), queue: join(folder, 'queue') };
}

async function start(
  t: Test,
  { s3, data, queue }: Place,
  retention: string,
  settings: object = {},
): Promise<TestServer> {
  const server = await startServer(
    {
      metrics: { clock: { frequency: STEP, aggregation: 'avg' } },
      'metric-store': {
        checkpoints: { directory: data },
        'retention-in-memory': retention,
        cleanup: { mode: 'archive', directory: `s3://${S3_BUCKET}/${PREFIX.slice(0, -1)}` },
      },
      metricshard: {
        shards: 1,
        'archive-queue': queue,
        s3: { endpoint: s3.endpoint, attempts: 1 },
        ...settings,
      },
    },
    { env: S3_ENV },
  );
  t.teardown(() => server.kill());
  t.ok(await becomesReady(server), server.output());
  return server;
}

async function fill(server: TestServer): Promise<void> {
  const lines = Array.from({ length: ROUNDS * 2 }, (_, i) => {
    const tags = `cluster=al\\ ex,hostname=a1,type=hwthread,type-id=${i % 2}`;
    return `clock,${tags} value=${2000 + i / 7} ${OLDEST + Math.floor(i / 2) * STEP}`;
  });
  const { status, text } = await server.write(lines.join('\n'));
  if (status !== 200) throw new Error(text);
}

// oxlint-disable-next-line typescript/no-explicit-any
async function archiveOf(server: TestServer): Promise<any> {
  return (await server.get('/api/v2/status')).json.archive;
}

function isUploaded(server: TestServer, files: number): Promise<boolean> {
  return eventually(async () => {
    const { state, uploadedFiles, filesWaiting } = await archiveOf(server);
    return state === 'current' && uploadedFiles >= files && filesWaiting === 0;
  }, 20_000);
}

t.test('the archive goes to S3, and is asked there', async (t) => {
  const where = await place(t);
  const first = await start(t, where, '48h');
  await fill(first);
  const { text: expected } = await first.query(QUERY);
  const { text: selected } = await select(first);
  await first.stop();

  const second = await start(t, where, '4h');
  await second.post('/api/v2/admin/archive', '');
  t.ok(await isUploaded(second, 2), JSON.stringify(await archiveOf(second)));
  t.equal((await second.query(QUERY)).text, expected, 'on S3, and here');
  const isGone = async (): Promise<boolean> => filesBelow(where.queue).length === 0;
  t.ok(await eventually(isGone, 20_000), 'nothing is left here');
  const keys = [...where.s3.objects.keys()];
  t.equal(keys.length, 2);
  for (const key of keys) t.match(key, new RegExp(`^${PREFIX}al%20ex/\\d+-\\d+\\.[\\w-]+\\.1\\.`));
  t.equal((await second.query(QUERY)).text, expected);
  t.equal((await select(second)).text, selected);
  t.ok((await metricSum(second, 'metricshard_archive_uploaded_bytes_total')) > 1000);

  // Nothing is left but what is on S3.
  await second.kill();
  rmSync(where.data, { recursive: true });
  const third = await start(t, where, '4h');
  const { data } = (await third.query(QUERY)).json.results[0][0];
  t.equal(data[5], 2000 + 10 / 7);
  t.equal((await select(third)).json.results[0].data[5], 2000 + 10 / 7);
});

t.test('S3 is down at the start: what is not past the retention is answered', async (t) => {
  const where = await place(t);
  const first = await start(t, where, '48h');
  await fill(first);
  const { text: selected } = await select(first);
  await first.stop();
  const second = await start(t, where, '4h');
  await second.post('/api/v2/admin/archive', '');
  t.ok(await isUploaded(second, 2));
  const isGone = async (): Promise<boolean> => filesBelow(where.queue).length === 0;
  t.ok(await eventually(isGone, 20_000), 'nothing is left here');
  await second.stop();

  where.s3.failNext(10_000, 503);
  const third = await start(t, where, '4h');
  const { status, text } = await select(third);
  t.equal(status, 503, 'it may pass');
  t.match(text, /the archive can not be asked/);
  t.equal((await select(third, { archive: false })).status, 200);
  t.equal((await select(third, { from: NEWEST - 3600 })).status, 200);
  where.s3.failNext(0, 503);
  t.ok(await eventually(async () => (await select(third)).text === selected), 'S3 is back');
});

t.test('S3 is down: files wait here, are asked here, and go there later', async (t) => {
  const where = await place(t);
  const first = await start(t, where, '48h');
  await fill(first);
  const { text: expected } = await first.query(QUERY);
  await first.stop();

  where.s3.failNext(10_000, 503);
  const second = await start(t, where, '4h');
  t.equal((await second.post('/api/v2/admin/archive', '')).status, 200, 'the store goes on');
  t.ok(await eventually(async () => (await archiveOf(second)).state === 'failing', 20_000));
  const { problem, filesWaiting, bytesWaiting } = await archiveOf(second);
  t.match(problem, /503|unavailable|ServiceUnavailable|slow/i);
  t.equal(filesWaiting, 2);
  t.ok(bytesWaiting > 1000);
  t.match(second.output(), /files of the archive are not uploaded; they wait here/);
  t.equal(readdirSync(join(where.queue, 'al%20ex')).length, 2);
  where.s3.failNext(0, 503);
  t.ok(await isUploaded(second, 2), 'S3 is back');
  t.match(second.output(), /files of the archive are uploaded again/);
  t.equal((await second.query(QUERY)).text, expected);
  await second.stop();
});

t.test('what waits is bounded: then all stays in memory', async (t) => {
  const where = await place(t);
  const first = await start(t, where, '48h');
  await fill(first);
  await first.stop();
  where.s3.failNext(10_000, 503);
  const second = await start(t, where, '4h', { 'archive-queue-bytes-max': 1 });
  const isArchived = async (): Promise<boolean> =>
    (await metricSum(second, 'metricshard_archived_rows_total')) > 0;
  t.ok(await eventually(isArchived), 'nothing waited yet');
  const { status, text } = await second.post('/api/v2/admin/archive', '');
  t.equal(status, 500);
  t.match(text, /archive-queue-bytes-max is 1/);
});
