import { rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { DEFAULTS } from '../../src/config/config.js';
import { openObjectStore, type ObjectStore } from '../../src/object-store/object-store.js';
import { MirrorProgress } from '../../src/protocol/mirror.js';
import { Copier } from '../../workers/mirror/copier.js';
import { noteFilled, ownerId } from '../../workers/mirror/owner.js';
import { temporaryFolder } from '../helpers/durable.js';
import { blocks, LocalFolder } from './local-folder.js';

const S1 = 'epoch-1/shard-0';

/** What a store was asked to do, in order. */
function watched(objects: ObjectStore, before: (call: string) => void): ObjectStore {
  return new Proxy(objects, {
    get: (target, name: keyof ObjectStore) => {
      const value = target[name];
      if (typeof value !== 'function') return value;
      return (...parameters: unknown[]) => {
        before(`${name} ${String(parameters[0] ?? '')}`);
        return (value as (...all: unknown[]) => unknown).apply(target, parameters);
      };
    },
  });
}

async function made(t: Test, shards = 1) {
  const target = await openObjectStore(temporaryFolder(t, 'target'), DEFAULTS.store.s3);
  const local = new LocalFolder(temporaryFolder(t, 'local'), shards);
  const calls: string[] = [];
  let before: (call: string) => void = () => undefined;
  const objects = watched(target, (call) => {
    calls.push(call);
    before(call);
  });
  const progress = new MirrorProgress();
  return {
    target,
    local,
    calls,
    progress,
    objects,
    copier: new Copier(objects, local.path, progress),
    onCall: (callback: (call: string) => void) => (before = callback),
  };
}

async function keysOf(objects: ObjectStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of objects.list('')) keys.push(key);
  return keys.filter((key) => key !== 'OWNER');
}

const changes = (calls: readonly string[]): string[] =>
  calls.filter((call) => /^(put|putFile|delete) /.test(call) && !call.endsWith('OWNER'));

t.test('files, then the manifest, then what is named no more', async (t) => {
  const { local, calls, copier, target, progress } = await made(t);
  t.match(await copier.run(), { files: 0, bytes: 0 }, 'a store without a checkpoint');
  calls.length = 0;
  local.publish(0, 1, blocks(1));
  t.match(await copier.run(), { files: 2, deleted: 0, problems: [] });
  t.same(changes(calls), [
    `putFile ${S1}/series-00000001`,
    `putFile ${S1}/blocks-00000001`,
    `put ${S1}/MANIFEST`,
  ]);
  calls.length = 0;
  t.match(await copier.run(), { files: 0, deleted: 0 });
  t.same(changes(calls), [], 'nothing is copied twice');
  local.publish(0, 2, ['blocks-00000001m']);
  calls.length = 0;
  t.match(await copier.run(), { files: 2, deleted: 2 });
  t.same(changes(calls), [
    `putFile ${S1}/series-00000002`,
    `putFile ${S1}/blocks-00000001m`,
    `put ${S1}/MANIFEST`,
    `delete ${S1}/blocks-00000001`,
    `delete ${S1}/series-00000001`,
  ]);
  t.equal(calls.filter((call) => call.startsWith('head')).length, 0, 'what is known is not asked');
  t.same(await keysOf(target), [
    'STORE',
    `${S1}/MANIFEST`,
    `${S1}/blocks-00000001m`,
    `${S1}/series-00000002`,
  ]);
  t.match(progress.read(), { filesWaiting: 0, bytesWaiting: 0, copiedFiles: 4 });
});

t.test('STORE comes first at the first time, and last when another epoch counts', async (t) => {
  const { local, calls, copier, target } = await made(t);
  local.publish(0, 1, []);
  await copier.run();
  t.equal(changes(calls)[0], 'put STORE');
  calls.length = 0;
  local.epoch = 2;
  for (const shard of [0, 1]) local.publish(shard, 1, blocks(1));
  await copier.run();
  t.same(changes(calls), [], 'an epoch that does not count yet is not looked at');
  local.store(2, 2);
  await copier.run();
  const done = changes(calls);
  t.ok(done.indexOf('put STORE') > done.indexOf('put epoch-2/shard-1/MANIFEST'), `${done}`);
  t.ok(done.indexOf('put STORE') < done.indexOf(`delete ${S1}/MANIFEST`));
  t.notOk((await keysOf(target)).some((key) => key.startsWith('epoch-1')));
});

t.test('a checkpoint removes files that are about to be copied', async (t) => {
  const { local, calls, copier, target, onCall } = await made(t);
  local.publish(0, 1, blocks(1));
  let checkpoint = 1;
  onCall((call) => {
    if (!call.startsWith('putFile') || checkpoint >= 5) return;
    checkpoint++;
    local.publish(0, checkpoint, blocks(checkpoint));
  });
  t.match(await copier.run(), { problems: [] });
  t.same(await keysOf(target), [
    'STORE',
    `${S1}/MANIFEST`,
    `${S1}/blocks-00000005`,
    `${S1}/series-00000005`,
  ]);
  t.equal(calls.filter((call) => call === `put ${S1}/MANIFEST`).length, 1, 'no older manifest');
});

t.test('shards that can not be read are left as they are', async (t) => {
  const { local, copier, target } = await made(t, 3);
  for (const shard of [0, 1, 2]) local.publish(shard, 1, blocks(1));
  await copier.run();
  const before = await keysOf(target);
  writeFileSync(join(local.folderOf(0), 'MANIFEST'), 'nonsense');
  rmSync(join(local.folderOf(1), 'blocks-00000001'));
  rmSync(local.folderOf(2), { recursive: true });
  const { problems } = await copier.run();
  t.match(problems, [
    /^shard 0 is not copied: epoch-1\/shard-0\/MANIFEST: its checksum is wrong/,
    /^shard 1 is not copied: ENOENT.*blocks-00000001/,
  ]);
  t.same(await keysOf(target), before);
});

t.test('a shard that began anew does not replace what it had', async (t) => {
  const { local, copier, target, objects, progress } = await made(t, 2);
  for (const shard of [0, 1]) local.publish(shard, 5, blocks(5));
  await copier.run();
  const before = await keysOf(target);
  rmSync(local.folderOf(0), { recursive: true });
  local.publish(0, 1, blocks(1));
  local.publish(1, 6, blocks(5));
  const told =
    /^epoch-1\/shard-0 is not copied: .* has checkpoint 5 of it, the local folder only 1; to/;
  for (const each of [copier, new Copier(objects, local.path, progress)]) {
    t.match((await each.run()).problems, [told]);
    const now = await keysOf(target);
    t.same(
      now.filter((key) => key.startsWith(S1)),
      before.filter((key) => key.startsWith(S1)),
    );
    t.ok(now.includes('epoch-1/shard-1/series-00000006'), 'the other one is copied');
  }
  await target.delete(`${S1}/MANIFEST`);
  t.match(await copier.run(), { problems: [], deleted: 2 }, 'unless somebody says so');
  t.ok((await keysOf(target)).includes(`${S1}/blocks-00000001`));
  await target.put(`${S1}/MANIFEST`, Buffer.from('nonsense'));
  const next = new Copier(objects, local.path, progress);
  t.match(await next.run(), { problems: [] }, 'one that is damaged is replaced');
});

t.test('what others put there is left alone, what they took away is copied again', async (t) => {
  const { local, copier, target } = await made(t);
  local.publish(0, 1, blocks(1));
  const foreign = ['archive/a', `${S1}/blocks-1`, `${S1}/notes`];
  for (const key of foreign) await target.put(key, Buffer.from('x'));
  await target.put('epoch-7/shard-0/blocks-00000009', Buffer.from('x'));
  t.match(await copier.run(), { deleted: 1 }, 'left by a round that was cut off');
  for (const key of foreign) t.ok(await target.head(key), key);
  for (const key of ['STORE', `${S1}/MANIFEST`, `${S1}/blocks-00000001`]) {
    await target.delete(key);
    await copier.run();
    t.ok(await target.head(key), key);
  }
});

t.test('after a start the time of a file tells if it is the same', async (t) => {
  const { local, copier, calls, objects, progress } = await made(t);
  local.publish(0, 1, blocks(1));
  await copier.run();
  calls.length = 0;
  t.match(await new Copier(objects, local.path, progress).run(), { files: 0 });
  t.same(calls.filter((call) => call.startsWith('head')).length, 2);
  const other = new Date(1_600_000_000_000);
  utimesSync(join(local.folderOf(0), 'blocks-00000001'), other, other);
  t.match(await new Copier(objects, local.path, progress).run(), { files: 1 });
});

t.test('owners', async (t) => {
  const { local, copier, target, progress } = await made(t);
  local.publish(0, 1, []);
  await copier.run();
  const first = await ownerId(target);
  const other = new LocalFolder(temporaryFolder(t, 'other'), 1);
  other.publish(0, 9, []);
  const others = new Copier(target, other.path, progress);
  const taken = {
    name: 'TakenError',
    message: /belongs to another store since 2.*delete .*\/OWNER/,
  };
  await t.rejects(others.run(), taken, 'not from there');
  t.equal(await ownerId(target), first);
  noteFilled(other.path, first);
  await others.run();
  t.not(await ownerId(target), first, 'one that was filled from there takes over');
  await t.rejects(copier.run(), taken, 'the first one finds out');
  await target.delete('OWNER');
  await copier.run();
  t.equal(await ownerId(target), first, 'given back');
  await t.rejects(others.run(), taken, 'it takes over once only');
  await target.put('OWNER', Buffer.from('nonsense'));
  await t.rejects(copier.run(), /belongs to another store since an unknown time/, 'damaged');
});
