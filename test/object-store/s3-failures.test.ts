import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import t, { type Test } from 'tap';
import { DEFAULTS } from '../../src/config/config.js';
import type { S3Config } from '../../src/config/config.js';
import {
  openObjectStore,
  type ObjectStore,
  type ObjectStoreReason,
} from '../../src/object-store/object-store.js';
import { temporaryFolder } from '../helpers/durable.js';
import { S3_BUCKET, S3_ENV, S3Server, type S3Failure } from '../helpers/s3-server.js';

const PART_BYTES = 5 * 1024 * 1024;
const LARGE = randomBytes(2 * PART_BYTES + 1);
Object.assign(process.env, S3_ENV);

async function opened(
  t: Test,
  settings: Partial<S3Config> = {},
  location = `s3://${S3_BUCKET}/p`,
): Promise<{ server: S3Server; store: ObjectStore }> {
  const server = await S3Server.start();
  t.teardown(() => server.down());
  const store = await openObjectStore(location, {
    ...DEFAULTS.store.s3,
    endpoint: server.endpoint,
    pathStyle: true,
    partBytes: PART_BYTES,
    ...settings,
  });
  t.teardown(() => store.close());
  return { server, store };
}

async function fails(
  t: Test,
  promise: Promise<unknown>,
  reason: ObjectStoreReason,
  message: RegExp,
): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  t.match(error, { name: 'ObjectStoreError', reason, message });
}

function largeFile(t: Test): string {
  const file = join(temporaryFolder(t, 'large'), 'file');
  writeFileSync(file, LARGE);
  return file;
}

for (const failure of [500, 503, 'reset'] as const) {
  t.test(`requests that fail with ${failure} and are repeated`, async (t) => {
    const { server, store } = await opened(t);
    const file = largeFile(t);
    for (const work of [
      () => store.put('a', Buffer.from('x')),
      () => store.putFile('large', file),
      () => store.get('a'),
      () => store.getFile('large', `${file}-2`),
      () => store.head('a'),
      () => store.delete('a'),
    ]) {
      server.failNext(2, failure);
      await work();
    }
    t.ok(readFileSync(`${file}-2`).equals(LARGE));
    t.ok(server.objects.get('p/large')!.bytes.equals(LARGE));
    t.equal(server.multiparts.uploads.size, 0);
  });
}

t.test('each part may fail once', async (t) => {
  const { server, store } = await opened(t);
  const seen = new Set<string>();
  server.failure = ({ method, parameters }): S3Failure | undefined => {
    const id = `${method} ${parameters}`;
    return seen.has(id) ? undefined : (seen.add(id), 503);
  };
  t.equal(await store.putFile('large', largeFile(t)), LARGE.length);
  t.ok(server.objects.get('p/large')!.bytes.equals(LARGE));
});

t.test('an upload in parts that fails leaves nothing', async (t) => {
  const { server, store } = await opened(t, { attempts: 2 });
  server.failure = ({ parameters }) => (parameters.get('partNumber') === '2' ? 500 : undefined);
  const sent = store.putFile('large', largeFile(t));
  await fails(t, sent, 'unreachable', /^s3:\/\/bucket\/p\/large can not be written: .*500.*; /);
  t.equal(server.multiparts.uploads.size, 0, 'it was aborted');
  t.equal(server.objects.size, 0);
});

t.test('uploads that were cut off by a crash are removed', async (t) => {
  const { server, store } = await opened(t, { attempts: 1 });
  server.failure = ({ method, parameters }) =>
    parameters.has('partNumber') || method === 'DELETE' ? 500 : undefined;
  await fails(t, store.putFile('a/large', largeFile(t)), 'unreachable', /500/);
  t.equal(server.multiparts.uploads.size, 1, 'it could not even be aborted');
  server.failure = () => undefined;
  await store.removeUnfinished('b/');
  t.equal(server.multiparts.uploads.size, 1, 'that is another prefix');
  await store.removeUnfinished('a/');
  t.equal(server.multiparts.uploads.size, 0);
});

t.test('answers that break off are asked for again', async (t) => {
  const { server, store } = await opened(t);
  await store.put('a', LARGE);
  server.failNext(1, 'cut');
  t.ok((await store.get('a')).equals(LARGE));
  const target = join(temporaryFolder(t, 'cut'), 'file');
  let gets = 0;
  server.failure = ({ method }) => (method === 'GET' && gets++ % 2 === 0 ? 'cut' : undefined);
  await store.getFile('a', target);
  t.ok(readFileSync(target).equals(LARGE));
  server.failure = () => 'cut';
  await fails(t, store.get('a'), 'unreachable', /p\/a can not be read: /);
});

t.test('what is damaged on the server is noticed', async (t) => {
  for (const checksumMode of ['WHEN_SUPPORTED', 'WHEN_REQUIRED'] as const) {
    const { server, store } = await opened(t, { checksumMode });
    await store.putFile('large', largeFile(t));
    await store.put('small', Buffer.from('small'));
    const target = join(temporaryFolder(t, 'damaged'), 'file');
    for (const key of ['large', 'small']) {
      server.damage(`p/${key}`);
      await fails(t, store.get(key), 'damaged', new RegExp(`p/${key} is damaged: its checksum`));
      await fails(t, store.getFile(key, target), 'damaged', /is damaged/);
      t.ok(readFileSync(target).equals(server.objects.get(`p/${key}`)!.bytes), 'it is there as is');
    }
  }
});

t.test('what arrives damaged is sent once more', async (t) => {
  const { server, store } = await opened(t);
  let damages = 1;
  server.failure = ({ method, key }) => {
    if (method === 'HEAD' && damages-- > 0) {
      const object = server.objects.get(key)!;
      const etag = `"${createHash('md5').update('other').digest('hex')}"`;
      server.objects.set(key, { ...object, etag });
    }
    return undefined;
  };
  await store.put('a', Buffer.from('x'));
  t.equal(server.requests.filter(({ method }) => method === 'PUT').length, 2);
  damages = 9;
  await fails(
    t,
    store.put('a', Buffer.from('x')),
    'failed',
    /after it was sent, its MD5.* not 9dd4/,
  );
});

t.test('errors say what to do', async (t) => {
  const { server, store } = await opened(t, { attempts: 1 });
  process.env['AWS_SECRET_ACCESS_KEY'] = 'wrong';
  t.teardown(() => Object.assign(process.env, S3_ENV));
  const { endpoint } = server;
  const settings = { ...DEFAULTS.store.s3, endpoint, pathStyle: true, attempts: 1 };
  const wrong = await openObjectStore(`s3://${S3_BUCKET}/p`, settings);
  const message =
    /^s3:\/\/bucket\/p\/a can not be written: SignatureDoesNotMatch: .* \(HTTP 403\); check the cred/;
  await fails(t, wrong.put('a', Buffer.from('x')), 'denied', message);
  await fails(t, wrong.head('a'), 'denied', /^s3:\/\/bucket\/p\/a can not be read: .*403.*creden/);
  Object.assign(process.env, S3_ENV);
  const none = await openObjectStore('s3://other/p', settings);
  await fails(t, none.put('a', Buffer.from('x')), 'denied', /other\/p\/a .*NoSuchBucket.*make the/);
  await server.down();
  await fails(t, store.get('a'), 'unreachable', /ECONNREFUSED.*; check metricshard\.s3\.endpoint/);
  await server.up();
  t.equal(await store.head('a'), undefined, 'it is back');
});

t.test('a server that does not answer', async (t) => {
  const { server, store } = await opened(t, { attempts: 1, timeoutSec: 1 });
  server.delayMs = 3000;
  await fails(t, store.head('a'), 'unreachable', /Timeout/i);
});

t.test('the server of the tests: bodies in chunks, conditions, bounds of ranges', async (t) => {
  const { server } = await opened(t);
  const sdk = await import('@aws-sdk/client-s3');
  const client = new sdk.S3Client({
    endpoint: server.endpoint,
    region: 'eu-test-1',
    forcePathStyle: true,
  });
  t.teardown(() => client.destroy());
  const [Bucket, Key] = [S3_BUCKET, 'streamed'];
  const pieces = [LARGE.subarray(0, 100_000), LARGE.subarray(100_000, 300_000)];
  await client.send(
    new sdk.PutObjectCommand({
      Bucket,
      Key,
      ContentLength: 300_000,
      Body: Readable.from(pieces),
    }),
  );
  t.ok(server.objects.get(Key)!.bytes.equals(LARGE.subarray(0, 300_000)));
  t.match(server.objects.get(Key)!.checksums, { 'x-amz-checksum-crc32': String }, 'a trailer');
  const tail = await client.send(new sdk.GetObjectCommand({ Bucket, Key, Range: 'bytes=-10' }));
  t.ok(LARGE.subarray(299_990, 300_000).equals(await tail.Body!.transformToByteArray()));
  t.equal(tail.ContentRange, 'bytes 299990-299999/300000');
  const again = new sdk.PutObjectCommand({ Bucket, Key, Body: 'x', IfNoneMatch: '*' });
  await t.rejects(client.send(again), { name: 'PreconditionFailed' });
  const bad = new sdk.PutObjectCommand({ Bucket, Key, Body: 'x', ChecksumCRC32: 'AAAAAA==' });
  await t.rejects(client.send(bad), { name: 'BadDigest' });
  t.equal(server.objects.get(Key)!.bytes.length, 300_000, 'it is left alone');
});
