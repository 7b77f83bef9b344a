import { gzipSync } from 'node:zlib';
import { compress } from 'zstd-napi';
import type { Test } from 'tap';
import { StoreError } from '../../src/model/errors.js';
import { eachAdapter, eventually, type Front } from './front.js';

const POST = { method: 'POST' };
const LINES = 'a value=1\n'.repeat(1000);
const HELD = /^metricshard_http_collected_bytes (\d+)$/m;

const gzipHead = (path: string, bytes: number): string =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: ${bytes}\r\n\r\n`;

async function heldBytes(front: Front): Promise<number> {
  return Number(HELD.exec((await front.send('/metrics')).text)![1]);
}

/** Looks until so much is held; the front answers in between. */
async function becomes(t: Test, front: Front, bytes: number, title: string): Promise<void> {
  let held = -1;
  for (let tries = 0; tries < 500 && held !== bytes; tries++) {
    if (tries > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    held = await heldBytes(front);
  }
  t.equal(held, bytes, title);
}

eachAdapter('what a body held is given back, however it ends', async (t, start) => {
  const limits = { bodyBytesMax: 20_000, queryBodyBytesMax: 5000, collectedBytesMax: 25_000 };
  const front = await start(limits);
  const gzip = gzipSync(LINES);
  const bodies: [string, string, Uint8Array, string, number][] = [
    ['taken', '/api/write', gzip, 'gzip', 200],
    ['zstd', '/api/write', compress(Buffer.from(LINES)), 'zstd', 200],
    ['lines rejected', '/api/write', gzipSync('bad\n'), 'gzip', 400],
    ['cut', '/api/write', gzip.subarray(0, -5), 'gzip', 400],
    ['no zstd', '/api/write', gzip, 'zstd', 400],
    ['unknown encoding', '/api/write', gzip, 'br', 415],
    ['too large as sent', '/api/write', Buffer.alloc(20_001), 'gzip', 413],
    ['too large inflated', '/api/write', gzipSync(LINES.repeat(2) + 'x'), 'gzip', 413],
    ['a query', '/api/query', Buffer.from('q'), 'identity', 200],
    ['a packed query', '/api/query', gzipSync('q'), 'gzip', 200],
    ['a query refused', '/api/query', Buffer.from('error'), 'identity', 400],
    ['a query too large', '/api/query', Buffer.alloc(5001), 'identity', 413],
    ['a query that fails', '/api/query', Buffer.from('throw'), 'identity', 500],
    ['no JSON', '/api/healthcheck', Buffer.from('x'), 'identity', 400],
    ['health', '/api/healthcheck', Buffer.from('{}'), 'identity', 200],
    ['free', '/api/free?to=60', Buffer.from('[]'), 'identity', 200],
  ];
  for (const [title, path, body, encoding, status] of bodies) {
    for (const chunked of [{}, { 'Transfer-Encoding': 'chunked' }] as Record<string, string>[]) {
      const headers = { ...chunked, 'Content-Encoding': encoding };
      t.equal((await front.send(path, { ...POST, headers, body })).status, status, title);
      t.equal(await heldBytes(front), 0, title);
    }
  }
  front.store.refusal = new StoreError('queue-full', 'no room');
  const headers = { 'Content-Encoding': 'gzip' };
  t.equal((await front.send('/api/write', { ...POST, headers, body: gzip })).status, 503);
  t.equal(await heldBytes(front), 0, 'refused by the store');
});

eachAdapter('a client that goes away holds nothing', async (t, start) => {
  const front = await start();
  const gzip = gzipSync(LINES);
  for (const path of ['/api/write', '/api/query']) {
    const raw = await front.open();
    raw.socket.write(Buffer.concat([Buffer.from(gzipHead(path, 1000)), gzip.subarray(0, 40)]));
    await becomes(t, front, 40, `${path}: a part of it is there`);
    raw.socket.destroy();
    await becomes(t, front, 0, `${path}: it went away before its end`);
  }
  let open = (): void => undefined;
  front.store.gate = new Promise((resolve) => (open = resolve));
  const raw = await front.open();
  raw.socket.write(Buffer.concat([Buffer.from(gzipHead('/api/write', gzip.length)), gzip]));
  await becomes(t, front, gzip.length + LINES.length, 'as sent and inflated, while it is stored');
  // One that goes away before the store has begun is none that it has to be told of.
  t.ok(await eventually(() => front.store.bodies.length > 0));
  raw.socket.destroy();
  t.ok(await eventually(() => front.store.bodies.at(-1)!.state === 'aborted'), 'the store is told');
  open();
  await becomes(t, front, 0, 'the store has let go of it');

  const query = await front.open();
  query.socket.write('POST /api/query HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nslow 300');
  await becomes(t, front, 8, 'a query under way');
  query.socket.destroy();
  await becomes(t, front, 0, 'the answer came when nobody listened');
  // Some inflating and waiting, some not begun: the bombs take their time.
  const bomb = compress(Buffer.alloc(60_000_000), { compressionLevel: 1 });
  const head = gzipHead('/api/write', bomb.length).replace('gzip', 'zstd');
  const bombs = await Promise.all(Array.from({ length: 20 }, () => front.open()));
  for (const { socket } of bombs) socket.write(Buffer.concat([Buffer.from(head), bomb]));
  t.ok(await eventually(() => front.traffic.requestsCurrent > 0));
  for (const { socket } of bombs) socket.destroy();
  await becomes(t, front, 0, 'they went away while they were inflated');
  t.same(front.errors, []);
});

eachAdapter('a store without room gets one piece after the other', async (t, start) => {
  const front = await start();
  front.store.isSlow = true;
  const body = Buffer.from(LINES.repeat(100));
  for (const [encoding, packed] of [
    ['gzip', gzipSync(body)],
    ['zstd', compress(body)],
  ] as const) {
    const headers = { 'Content-Encoding': encoding };
    const answer = await front.send('/api/write', { ...POST, headers, body: packed });
    t.equal(answer.status, 200);
    t.equal(answer.json.written, 100_000);
    const taken = front.store.bodies.at(-1)!;
    t.ok(Buffer.concat(taken.chunks).equals(body), `${encoding}: the bytes are the same`);
    t.equal(taken.options.bytesExpected, body.length, 'its length is told');
    t.equal(taken.chunks.length, Math.ceil(body.length / 131_072), 'pieces of 128 KiB');
    t.equal(await heldBytes(front), 0);
  }
});
