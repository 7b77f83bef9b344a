import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { becomesReady, durable, filesBelow, temporaryFolder } from '../helpers/durable.js';
import { Ledger, load } from '../helpers/ledger.js';
import { eventually, metricSum } from '../helpers/metrics.js';
import { seed } from '../helpers/random.js';
import { S3_BUCKET, S3_ENV, S3Server } from '../helpers/s3-server.js';
import { startServer, type TestServer } from '../helpers/server.js';

const WRITERS = 2;
const LOCATION = `s3://${S3_BUCKET}/some/store`;
const PREFIX = 'some/store/';

/** A store that copies its checkpoints to a test server. */
function onS3(
  s3: S3Server,
  localDirectory: string,
  shards = 1,
  settings: object = {},
): Record<string, unknown> {
  return {
    ...durable(LOCATION, shards),
    metricshard: {
      shards,
      'local-directory': localDirectory,
      s3: { endpoint: s3.endpoint, attempts: 1, 'stop-wait-sec': 5, ...settings },
    },
  };
}

async function start(
  t: Test,
  config: Record<string, unknown>,
  env: Record<string, string> = S3_ENV,
): Promise<TestServer> {
  const server = await startServer(config, { env });
  t.teardown(() => server.kill());
  return server;
}

/** Waits until it serves. */
async function startReady(
  t: Test,
  config: Record<string, unknown>,
  env: Record<string, string> = S3_ENV,
): Promise<TestServer> {
  const server = await start(t, config, env);
  t.ok(await becomesReady(server), 'it serves');
  return server;
}

async function testServer(t: Test): Promise<S3Server> {
  const s3 = await S3Server.start();
  t.teardown(() => s3.down());
  return s3;
}

async function fill(server: TestServer, ledger: Ledger, bodies = 20): Promise<void> {
  let sent = 0;
  await load(server, ledger, WRITERS, () => sent++ >= bodies);
}

async function checkpoint(t: Test, server: TestServer): Promise<void> {
  const { status, text } = await server.post('/api/v2/admin/checkpoint', '');
  t.equal(status, 200, text);
}

// oxlint-disable-next-line typescript/no-explicit-any
async function mirrorOf(server: TestServer): Promise<any> {
  return (await server.get('/api/v2/status')).json.mirror;
}

function becomes(server: TestServer, state: string): Promise<boolean> {
  return eventually(async () => (await mirrorOf(server)).state === state);
}

/** Everything that is published in the folder is on S3, and nothing else is. */
function isCopied(s3: S3Server, folder: string): boolean {
  const local = filesBelow(folder)
    .map((line) => line.split(' ')[0]!)
    .filter((name) => /^(STORE|epoch-.*\/(MANIFEST|series-\d+m*|blocks-\d+m*))$/.test(name));
  const there = [...s3.objects.keys()]
    .map((key) => key.slice(PREFIX.length))
    .filter((key) => key !== 'OWNER');
  if (local.toSorted().join() !== there.toSorted().join()) return false;
  return local.every((name) => {
    const object = s3.objects.get(PREFIX + name)!;
    return object.bytes.equals(readFileSync(join(folder, name)));
  });
}

function becomesCopied(s3: S3Server, folder: string): Promise<boolean> {
  return eventually(() => {
    try {
      return isCopied(s3, folder);
    } catch {
      // A file went while it was looked at.
      return false;
    }
  }, 20_000);
}

for (const shards of [1, 3]) {
  t.test(`checkpoints go to S3, and come back, ${shards} shard(s), seed ${seed}`, async (t) => {
    await comesBack(t, shards);
  });
}

async function comesBack(t: Test, shards: number): Promise<void> {
  const s3 = await testServer(t);
  const ledger = new Ledger(seed, WRITERS, 4);
  const folder = temporaryFolder(t, 's3');
  for (let round = 0; round < 3; round++) {
    const local = join(folder, `local-${round}`);
    const server = await startReady(t, onS3(s3, local, shards));
    t.same(await ledger.wrong(server), [], `start ${round}: all is there`);
    const told =
      round === 0 ? 'there is nothing in s3:' : '"downloaded from s3://bucket/some/store"';
    t.ok(server.output().includes(told), server.output());
    await fill(server, ledger);
    await checkpoint(t, server);
    t.ok(await becomesCopied(s3, local), 'a checkpoint is copied');
    t.ok(await becomes(server, 'current'));
    t.match(await mirrorOf(server), { problem: '', location: LOCATION });
    await fill(server, ledger);
    t.equal(await server.stop(), 0);
    t.ok(isCopied(s3, local), 'and so is the last one');
    t.notMatch(server.output(), /NOT in s3/);
    rmSync(local, { recursive: true });
  }
  t.equal(s3.multiparts.uploads.size, 0);
}

t.test('many checkpoints, merges among them, with a slow S3', async (t) => {
  const s3 = await testServer(t);
  s3.delayMs = 15;
  const ledger = new Ledger(seed, WRITERS, 4);
  const local = join(temporaryFolder(t, 's3'), 'local');
  const server = await startReady(t, onS3(s3, local, 2));
  let broken: string | undefined;
  for (let i = 0; i < 25; i++) {
    await fill(server, ledger, 4);
    await checkpoint(t, server);
    broken ??= whatIsMissing(s3);
  }
  t.equal(broken, undefined, 'what is published on S3 was whole at any moment');
  t.ok(await becomesCopied(s3, local), 'in the end all is there');
  await server.kill();
  rmSync(local, { recursive: true });
  const next = await startReady(t, onS3(s3, local, 3));
  t.same(await ledger.wrong(next), [], 'all is there, with another number of shards');
  await checkpoint(t, next);
  t.ok(await becomesCopied(s3, local), 'the new files took the place of the old ones');
  t.ok(s3.objects.has(`${PREFIX}epoch-2/shard-2/MANIFEST`));
});

/** The first file that a manifest on S3 names and that is not there. */
function whatIsMissing(s3: S3Server): string | undefined {
  for (const [key, { bytes }] of s3.objects) {
    if (!key.endsWith('/MANIFEST')) continue;
    const manifest = JSON.parse(bytes.toString().split('\n')[0]!);
    for (const { file } of [manifest.series, ...manifest.segments]) {
      const name = key.replace('MANIFEST', file);
      if (!s3.objects.has(name)) return name;
    }
  }
  return undefined;
}

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
  const ready = await empty.get('/ready');
  t.equal(ready.status, 503, 'without one it waits');
  t.match(ready.json.download, { location: LOCATION, problem: /ECONNREFUSED/ });
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

t.test('an older state does not replace a newer one', async (t) => {
  const s3 = await testServer(t);
  const ledger = new Ledger(seed, WRITERS, 4);
  const folder = temporaryFolder(t, 's3');
  const [one, other] = [join(folder, 'one'), join(folder, 'other')];
  const first = await startReady(t, onS3(s3, one));
  await fill(first, ledger);
  await checkpoint(t, first);
  t.ok(await becomesCopied(s3, one));

  const second = await startReady(t, onS3(s3, other));
  t.same(await ledger.wrong(second), [], 'the second begins with what the first had');
  t.ok(await becomes(second, 'current'));
  await fill(second, ledger);
  await checkpoint(t, second);
  t.ok(await becomesCopied(s3, other));

  await first.write('second,cluster=c,hostname=h value=1');
  await checkpoint(t, first);
  t.ok(await becomes(first, 'taken'), 'it finds out');
  t.match((await mirrorOf(first)).problem, /belongs to another store since .*; to start from it,/);
  t.ok(isCopied(s3, other), 'and touches nothing');
  await first.stop();
  const again = await startReady(t, onS3(s3, one));
  t.ok(await becomes(again, 'taken'), 'later as well');
  t.ok(isCopied(s3, other));
  await second.stop();

  s3.objects.delete(`${PREFIX}OWNER`);
  await again.write('second,cluster=c,hostname=h value=2');
  await again.stop();
  t.ok(isCopied(s3, one), 'unless somebody says so');
});

t.test('damaged and missing objects', async (t) => {
  const s3 = await testServer(t);
  const ledger = new Ledger(seed, WRITERS, 4);
  const local = join(temporaryFolder(t, 's3'), 'local');
  const server = await startReady(t, onS3(s3, local, 2));
  await fill(server, ledger, 40);
  t.equal(await server.stop(), 0);
  rmSync(local, { recursive: true });
  const keys = [...s3.objects.keys()];
  const damaged = keys.find((key) => key.includes('shard-0/blocks-'))!;
  const missing = keys.find((key) => key.includes('shard-1/blocks-'))!;
  s3.damage(damaged);
  s3.objects.delete(missing);
  const next = await startReady(t, onS3(s3, local, 2));
  t.match(next.output(), new RegExp(`download: s3://bucket/${damaged} is damaged`));
  t.match(next.output(), new RegExp(`download: s3://bucket/${missing} can not be read: .*404`));
  const { text } = await next.get('/api/debug');
  t.match(text, /h\d/, 'the rest is served');
  await checkpoint(t, next);
  t.ok(await becomesCopied(s3, local), 'and is whole again after the next checkpoint');
  t.ok(existsSync(join(local, 'aside')), 'what was damaged is kept');
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
