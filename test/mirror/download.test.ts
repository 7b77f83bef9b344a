import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { DEFAULTS } from '../../src/config/config.js';
import { openObjectStore, type ObjectStore } from '../../src/object-store/object-store.js';
import { MirrorProgress } from '../../src/protocol/mirror.js';
import { readManifest } from '../../workers/checkpoint/manifest.js';
import { Copier } from '../../workers/mirror/copier.js';
import { Download } from '../../workers/mirror/download.js';
import { temporaryFolder } from '../helpers/durable.js';
import { S3_BUCKET, S3_ENV, S3Server } from '../helpers/s3-server.js';
import { blocks, LocalFolder } from './local-folder.js';

Object.assign(process.env, S3_ENV);

/** A folder whose content was copied, and the server it was copied to. */
async function copied(t: Test, shards = 2) {
  const s3 = await S3Server.start();
  t.teardown(() => s3.down());
  const settings = { ...DEFAULTS.store.s3, endpoint: s3.endpoint, pathStyle: true, attempts: 1 };
  const objects = await openObjectStore(`s3://${S3_BUCKET}`, settings);
  t.teardown(() => objects.close());
  const local = new LocalFolder(temporaryFolder(t, 'local'), shards);
  for (let i = 0; i < shards; i++) local.publish(i, 3, blocks(1, 2, 3));
  const copier = new Copier(objects, local.path, new MirrorProgress());
  await copier.run();
  return { s3, objects, local, copier };
}

function download(t: Test, objects: ObjectStore, folder = temporaryFolder(t, 'filled')) {
  const progress = new MirrorProgress();
  return { folder, progress, run: () => new Download(objects, folder, progress).run() };
}

function isSame(t: Test, local: LocalFolder, folder: string, shards = 2): void {
  t.equal(
    readFileSync(join(folder, 'STORE'), 'utf8'),
    readFileSync(join(local.path, 'STORE'), 'utf8'),
  );
  for (let i = 0; i < shards; i++) {
    const own = local.folderOf(i);
    const target = own.replace(local.path, folder);
    const { manifest } = readManifest(own);
    t.same(readManifest(target).manifest, manifest);
    for (const { file } of manifest!.segments) {
      t.ok(readFileSync(join(own, file)).equals(readFileSync(join(target, file))), file);
    }
  }
  t.notOk(existsSync(join(folder, 'DOWNLOADING')));
}

t.test('all of it, and nothing where there is nothing', async (t) => {
  const { objects, local, s3 } = await copied(t);
  const { folder, run, progress } = download(t, objects);
  t.match(await run(), { isEmpty: false, files: 8, problems: [] });
  isSame(t, local, folder);
  const { downloadedBytes, downloadBytes } = progress.read();
  t.ok(downloadedBytes > 0 && downloadedBytes <= downloadBytes);
  for (const key of s3.objects.keys()) if (key !== 'OWNER') s3.objects.delete(key);
  const empty = download(t, objects);
  t.match(await empty.run(), { isEmpty: true, files: 0 });
  t.notOk(existsSync(join(empty.folder, 'DOWNLOADING')));
  const other = new LocalFolder(empty.folder, 1);
  other.publish(0, 1, []);
  await new Copier(objects, empty.folder, new MirrorProgress()).run();
  t.ok(s3.objects.has('STORE'), 'an owner that left nothing is replaced');
  s3.objects.clear();
  t.match(await download(t, objects).run(), { isEmpty: true, files: 0 });
});

t.test('a download that failed goes on where it was', async (t) => {
  const { objects, local, s3 } = await copied(t);
  const { folder, run } = download(t, objects);
  let gets = 0;
  s3.failure = ({ method, key }) =>
    method === 'GET' && key.includes('blocks') && ++gets > 3 ? 500 : undefined;
  await t.rejects(run(), { name: 'ObjectStoreError', reason: 'unreachable' });
  t.ok(existsSync(join(folder, 'DOWNLOADING')));
  t.notOk(existsSync(join(folder, 'STORE')), 'it is no store yet');
  s3.failure = () => undefined;
  const { files } = await run();
  t.ok(files < 8, `${files} of 8 files were missing`);
  isSame(t, local, folder);
});

t.test('a store that still copies publishes a checkpoint meanwhile', async (t) => {
  const { objects, local, s3, copier } = await copied(t);
  const { folder, run } = download(t, objects);
  let checkpoint = 3;
  const get = objects.getFile.bind(objects);
  objects.getFile = async (...parameters) => {
    if (checkpoint < 6) {
      checkpoint++;
      local.publish(0, checkpoint, blocks(checkpoint));
      await copier.run();
    }
    return get(...parameters);
  };
  t.match(await run(), { problems: [] });
  isSame(t, local, folder);
  t.ok(s3.objects.has('epoch-1/shard-0/series-00000006'));
});

t.test('what is missing or damaged is told, all else is there', async (t) => {
  const { objects, s3 } = await copied(t);
  s3.objects.delete('epoch-1/shard-0/blocks-00000002');
  s3.damage('epoch-1/shard-0/blocks-00000003');
  s3.damage('epoch-1/shard-1/MANIFEST');
  const { folder, run } = download(t, objects);
  const { problems, files } = await run();
  t.match(problems.toSorted(), [
    /^s3:\/\/bucket\/epoch-1\/shard-0\/blocks-00000002 can not be read: .*404/,
    /^s3:\/\/bucket\/epoch-1\/shard-0\/blocks-00000003 is damaged/,
    /^s3:\/\/bucket: epoch-1\/shard-1\/MANIFEST: its checksum is wrong/,
  ]);
  t.equal(problems.length, 3);
  t.equal(files, 7);
  t.ok(existsSync(join(folder, 'epoch-1/shard-0/blocks-00000003')), 'to be read as far as it goes');
  t.ok(existsSync(join(folder, 'epoch-1/shard-1/blocks-00000001')), 'for somebody to look at');
  t.ok(existsSync(join(folder, 'STORE')));
});

t.test('without STORE nobody knows what the rest is', async (t) => {
  const { objects, s3 } = await copied(t);
  s3.objects.delete('STORE');
  await t.rejects(download(t, objects).run(), /STORE is missing, but data is there; put one line/);
  await objects.put('STORE', Buffer.from('nonsense'));
  await t.rejects(download(t, objects).run(), /STORE is damaged, but data is there/);
});
