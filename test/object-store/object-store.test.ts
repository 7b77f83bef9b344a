import { mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { DEFAULTS } from '../../src/config/config.js';
import {
  openObjectStore,
  type ObjectStore,
  type ObjectStoreReason,
} from '../../src/object-store/object-store.js';
import { temporaryFolder } from '../helpers/durable.js';
import { S3_BUCKET, S3_ENV, S3Server } from '../helpers/s3-server.js';

const PART_BYTES = 5 * 1024 * 1024;
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/** The same cases for every place; each is given a fresh one. */
const PLACES: Record<string, (t: Test) => Promise<ObjectStore>> = {
  'a folder': (t) => openObjectStore(temporaryFolder(t, 'objects'), DEFAULTS.store.s3),
  'S3, with a prefix': async (t) => openTestServer(t, await testServer(t), '/some/prefix'),
  'S3, a whole bucket': async (t) => openTestServer(t, await testServer(t), ''),
  'S3, checksums only where required': async (t) =>
    openTestServer(t, await testServer(t), '', 'WHEN_REQUIRED'),
};

const real = process.env['S3_TEST_ENDPOINT'];
const [realKey, realSecret] = [process.env['S3_TEST_KEY'], process.env['S3_TEST_SECRET']];
if (real !== undefined) {
  PLACES['a real S3'] = async () => {
    const prefix = `metricshard-test/${randomBytes(8).toString('hex')}`;
    return openS3(real, `s3://${process.env['S3_TEST_BUCKET']}/${prefix}`, {
      AWS_ACCESS_KEY_ID: realKey!,
      AWS_SECRET_ACCESS_KEY: realSecret!,
    });
  };
}

async function testServer(t: Test): Promise<S3Server> {
  const server = await S3Server.start();
  server.pageKeys = 3;
  t.teardown(() => server.down());
  return server;
}

async function openTestServer(
  t: Test,
  server: S3Server,
  prefix: string,
  checksumMode: 'WHEN_SUPPORTED' | 'WHEN_REQUIRED' = 'WHEN_SUPPORTED',
): Promise<ObjectStore> {
  const location = `s3://${S3_BUCKET}${prefix}`;
  const store = await openS3(server.endpoint, location, S3_ENV, checksumMode);
  t.teardown(() => store.close());
  return store;
}

function openS3(
  endpoint: string,
  location: string,
  environment: Readonly<Record<string, string>>,
  checksumMode: 'WHEN_SUPPORTED' | 'WHEN_REQUIRED' = 'WHEN_SUPPORTED',
): Promise<ObjectStore> {
  Object.assign(process.env, environment);
  const settings = { endpoint, pathStyle: true, partBytes: PART_BYTES, checksumMode };
  return openObjectStore(location, { ...DEFAULTS.store.s3, ...settings });
}

async function keysOf(store: ObjectStore, prefix = ''): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
}

async function fails(
  t: Test,
  promise: Promise<unknown>,
  reason: ObjectStoreReason,
  message = /./,
): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  t.match(error, { name: 'ObjectStoreError', reason, message });
}

for (const [name, open] of Object.entries(PLACES)) {
  t.test(`${name}: an object`, async (t) => {
    const store = await open(t);
    for (const value of ['one', 'another']) {
      await store.put('a/b', Buffer.from(value));
      t.equal(text(await store.get('a/b')), value);
      t.match(await store.head('a/b'), { key: 'a/b', bytes: value.length });
    }
    await store.put('a/empty', Buffer.alloc(0));
    t.equal((await store.get('a/empty')).length, 0);
    t.equal((await store.head('a/empty'))?.bytes, 0);
    t.equal(await store.create('a/b', Buffer.from('x')), false, 'there is one');
    t.equal(text(await store.get('a/b')), 'another', 'it is left alone');
    t.equal(await store.create('a/c', Buffer.from('x')), true);
    t.equal(text(await store.get('a/c')), 'x');
    for (const key of ['a/b', 'a/b', 'a/c', 'a/empty']) await store.delete(key);
    t.same(await keysOf(store), []);
    await store.put('a', Buffer.from('a key where names were above'));
    t.equal((await store.get('a')).length, 28);
    await store.delete('a');
  });

  t.test(`${name}: what is not there`, async (t) => {
    const store = await open(t);
    const target = join(temporaryFolder(t, 'missing'), 'file');
    await fails(t, store.get('none'), 'missing', /none.*can not be read: .*; /);
    await fails(t, store.get('none/below'), 'missing');
    await fails(t, store.getRange('none', 0, 10), 'missing');
    await fails(t, store.getFile('none', target), 'missing');
    t.equal(await store.head('none'), undefined);
    await store.delete('none');
    t.same(await keysOf(store, 'none'), []);
    t.same(await keysOf(store, 'none/'), []);
    const file = join(temporaryFolder(t, 'missing'), 'file');
    await fails(t, store.putFile('a', file), 'no-file', /file can not be read/);
    t.same(await keysOf(store), []);
  });

  t.test(`${name}: ranges`, async (t) => {
    const store = await open(t);
    await store.put('r', Buffer.from('0123456789'));
    const check = async (from: number, bytes: number, expected: string): Promise<void> => {
      t.equal(text(await store.getRange('r', from, bytes)), expected, `${from}, ${bytes}`);
    };
    await check(0, 3, '012');
    await check(4, 1, '4');
    await check(8, 100, '89');
    await check(0, 10, '0123456789');
    await check(10, 5, '');
    await check(99, 5, '');
    await check(3, 0, '');
    await store.delete('r');
  });

  t.test(`${name}: odd keys, in order`, async (t) => {
    const store = await open(t);
    const keys = [
      'a b',
      'a+b',
      'a%20b',
      'a&b<c>"d\'',
      'a?b#c',
      'a*(b)!~',
      'a/b/c.d',
      'a/ü/🙂',
      '...',
      'a=b,c;d:e@f$g',
      'a\\b',
    ];
    for (const key of keys) await store.put(key, Buffer.from(key));
    const sorted = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    t.same(await keysOf(store), sorted);
    t.same(
      await keysOf(store, 'a/'),
      sorted.filter((key) => key.startsWith('a/')),
    );
    for (const key of keys) {
      t.equal(text(await store.get(key)), key);
      t.equal((await store.head(key))?.bytes, Buffer.byteLength(key));
      await store.delete(key);
    }
    t.same(await keysOf(store), []);
    for (const key of ['../a', '/a', 'a//b', '', 'a/../../b', 'a\0b']) {
      await t.rejects(store.put(key, Buffer.from('x')), /the key .* (has|begins)/, key);
      await t.rejects(store.get(key), /the key/, key);
      await t.rejects(store.delete(key), /the key/, key);
    }
  });

  t.test(`${name}: files, small and large`, async (t) => {
    const store = await open(t);
    const folder = temporaryFolder(t, 'files');
    for (const bytes of [0, 1000, PART_BYTES, 2 * PART_BYTES + 17]) {
      const [source, target] = [join(folder, 'source'), join(folder, 'target')];
      const content = randomBytes(bytes);
      writeFileSync(source, content);
      utimesSync(source, new Date(), new Date(1_700_000_000_123));
      let [sent, received] = [0, 0];
      t.equal(await store.putFile('f/file', source, (count) => (sent += count)), bytes);
      t.match(await store.head('f/file'), { bytes, fileTimeMs: 1_700_000_000_123 });
      t.equal(await store.getFile('f/file', target, (count) => (received += count)), bytes);
      t.ok(readFileSync(target).equals(content), `${bytes} bytes are the same`);
      t.equal(Math.round(statSync(target).mtimeMs), 1_700_000_000_123, 'and so is the time');
      t.same([sent, received], [bytes, bytes], 'progress is told');
      t.ok((await store.get('f/file')).equals(content), 'read as a whole');
      t.ok(
        (await store.getRange('f/file', bytes - 7, 7)).equals(content.subarray(-7)) || bytes < 7,
      );
    }
    await store.delete('f/file');
    mkdirSync(join(folder, 'folder'));
    await fails(t, store.putFile('x', join(folder, 'folder')), 'failed');
    t.same(await keysOf(store), []);
  });
}
