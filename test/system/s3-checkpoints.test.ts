import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { temporaryFolder } from '../helpers/durable.js';
import { Ledger } from '../helpers/ledger.js';
import { eventually, metricSum } from '../helpers/metrics.js';
import { seed } from '../helpers/random.js';
import { type S3Server } from '../helpers/s3-server.js';
import {
  becomes,
  becomesCopied,
  checkpoint,
  fill,
  isCopied,
  LOCATION,
  mirrorOf,
  onS3,
  PREFIX,
  startReady,
  testServer,
  WRITERS,
} from '../helpers/s3-store.js';

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

t.test('what is stored behind a start from S3 outlives kill -9', async (t) => {
  const s3 = await testServer(t);
  const ledger = new Ledger(seed, WRITERS, 4);
  const local = join(temporaryFolder(t, 's3'), 'local');
  const first = await startReady(t, onS3(s3, local, 2));
  // Each checkpoint begins a file of the log: S3 has their number, but none of them.
  for (let i = 0; i < 3; i++) {
    await fill(first, ledger);
    await checkpoint(t, first);
  }
  t.equal(await first.stop(), 0);
  rmSync(local, { recursive: true });
  for (const start of ['from S3', 'after a kill', 'after another one']) {
    const server = await startReady(t, onS3(s3, local, 2));
    t.same(await ledger.wrong(server), [], `${start}: all is there`);
    await fill(server, ledger);
    await server.kill();
  }
});

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

t.test('what is lost on the local disk stays on S3', async (t) => {
  const s3 = await testServer(t);
  const ledger = new Ledger(seed, WRITERS, 4);
  const local = join(temporaryFolder(t, 's3'), 'local');
  const first = await startReady(t, onS3(s3, local));
  for (let i = 0; i < 2; i++) {
    await fill(first, ledger);
    await checkpoint(t, first);
  }
  t.equal(await first.stop(), 0);
  t.ok(isCopied(s3, local));
  const shard = join(local, 'epoch-1/shard-0');
  for (const name of readdirSync(shard)) {
    if (name.startsWith('MANIFEST')) writeFileSync(join(shard, name), 'nonsense');
  }
  const damaged = await startReady(t, onS3(s3, local));
  await damaged.write('second,cluster=c,hostname=h value=1');
  await checkpoint(t, damaged);
  const isTold = async (): Promise<boolean> => {
    return /shard-0 is not copied: .* has checkpoint/.test((await mirrorOf(damaged)).problem);
  };
  t.ok(await eventually(isTold), damaged.output());
  t.equal(await metricSum(damaged, 'metricshard_mirror_up'), 0);
  t.equal(await damaged.stop(), 0);
  rmSync(local, { recursive: true });
  const last = await startReady(t, onS3(s3, local));
  t.same(await ledger.wrong(last), [], 'and comes back from there');
});
