import { gunzipSync, gzipSync } from 'node:zlib';
import { compress, decompress } from 'zstd-napi';
import { largeJson } from './fake-store.js';
import { eachAdapter, eventually } from './front.js';

const POST = { method: 'POST' };
const LINES = 'a value=1\nb value=2\nc value=3\n';
const packed = (encoding: string, body: Uint8Array) => ({
  ...POST,
  headers: { 'Content-Encoding': encoding },
  body,
});

eachAdapter('packed bodies', async (t, start) => {
  const front = await start();
  const half = Buffer.from('a value=1\n');
  const rest = Buffer.from(LINES.slice(half.length));
  const cases: [string, string, Uint8Array][] = [
    ['gzip', 'gzip', gzipSync(LINES)],
    ['any case', 'GZIP', gzipSync(LINES)],
    ['several members', 'gzip', Buffer.concat([gzipSync(half), gzipSync(rest)])],
    ['zstd', 'zstd', compress(Buffer.from(LINES))],
    ['several frames', 'zstd', Buffer.concat([compress(half), compress(rest)])],
    ['identity', 'identity', Buffer.from(LINES)],
  ];
  for (const [title, encoding, body] of cases) {
    const answer = await front.send('/api/write', packed(encoding, body));
    t.equal(answer.status, 200, title);
    t.equal(answer.json.written, 3, title);
    t.equal(Buffer.concat(front.store.bodies.at(-1)!.chunks).toString(), LINES, title);
  }
  for (const [encoding, body] of [
    ['gzip', gzipSync('q')],
    ['zstd', compress(Buffer.from('q'))],
    ['identity', Buffer.from('q')],
  ] as const) {
    t.same((await front.send('/api/query', packed(encoding, body))).json, { echo: 'q' });
  }
});

eachAdapter('packed bodies that are wrong', async (t, start) => {
  const front = await start();
  const gzip = gzipSync(LINES);
  const zstd = compress(Buffer.from(LINES));
  for (const path of ['/api/write', '/api/query']) {
    for (const [title, encoding, body] of [
      ['no gzip', 'gzip', Buffer.from(LINES)],
      ['cut gzip', 'gzip', gzip.subarray(0, gzip.length - 5)],
      ['empty gzip', 'gzip', Buffer.alloc(0)],
      ['no zstd', 'zstd', Buffer.from(LINES)],
      ['cut zstd', 'zstd', zstd.subarray(0, zstd.length - 5)],
      ['empty zstd', 'zstd', Buffer.alloc(0)],
    ] as const) {
      const answer = await front.send(path, packed(encoding, body));
      t.equal(answer.status, 400, `${title} ${path}`);
      t.match(answer.json.error, `not valid ${encoding}`);
    }
    for (const encoding of ['br', 'deflate', 'gzip, zstd', 'x']) {
      const answer = await front.send(path, packed(encoding, gzip));
      t.equal(answer.status, 415, encoding);
      t.match(answer.json, { status: 'Unsupported Media Type', error: `"${encoding}"` });
    }
  }
  t.equal(front.store.bodies.length, 0, 'nothing of them was taken');
});

eachAdapter('body limits', async (t, start) => {
  const front = await start({ bodyBytesMax: 10_000, queryBodyBytesMax: 5000 });
  const chunked = { 'Transfer-Encoding': 'chunked' };
  const line = (bytes: number): string => `${'a'.repeat(bytes - 1)}\n`;
  for (const [path, limit, setting] of [
    ['/api/write', 10_000, 'body-bytes-max (10000 bytes)'],
    ['/api/query', 5000, 'query-body-bytes-max (5000 bytes)'],
  ] as const) {
    for (const headers of [{}, chunked] as Record<string, string>[]) {
      t.equal((await front.send(path, { ...POST, headers, body: line(limit) })).status, 200);
      const answer = await front.send(path, { ...POST, headers, body: line(limit + 1) });
      t.equal(answer.status, 413, `${path} ${JSON.stringify(headers)}`);
      t.equal(answer.json.status, 'Payload Too Large');
      t.match(answer.json.error, setting);
    }
    for (const [encoding, pack] of [
      ['gzip', gzipSync],
      ['zstd', compress],
    ] as const) {
      const fits = await front.send(path, packed(encoding, pack(Buffer.from(line(limit)))));
      t.equal(fits.status, 200, `${encoding} that just fits`);
      const answer = await front.send(path, packed(encoding, pack(Buffer.from(line(limit + 1)))));
      t.equal(answer.status, 413, `${encoding} that does not`);
      t.match(answer.json.error, setting);
    }
  }
  t.ok(
    front.store.bodies.every(({ state }) => state !== 'open'),
    'what was begun was ended or aborted',
  );
});

eachAdapter('bombs take no memory', async (t, start) => {
  const front = await start({ bodyBytesMax: 4 * 1024 * 1024 });
  const zeros = Buffer.alloc(256 * 1024 * 1024);
  const bombs = [
    ['gzip', gzipSync(zeros, { level: 1 })],
    ['zstd', compress(zeros, { compressionLevel: 1 })],
  ] as const;
  for (const [encoding, bomb] of bombs) {
    t.ok(bomb.length < 2 * 1024 * 1024, `${bomb.length} bytes of ${encoding} become 256 MiB`);
    const before = process.memoryUsage().rss;
    const answer = await front.send('/api/write', packed(encoding, bomb));
    const grownMiB = (process.memoryUsage().rss - before) / 1024 / 1024;
    t.equal(answer.status, 413, encoding);
    t.match(answer.json.error, 'body-bytes-max');
    t.ok(grownMiB < 64, `${encoding}: ${grownMiB.toFixed(1)} MiB more`);
  }
});

eachAdapter('streamed writes', async (t, start) => {
  const front = await start();
  const body = Buffer.from('metric,hostname=h value=1.5 1700000000\n'.repeat(50_000));
  for (const isSlow of [false, true]) {
    front.store.isSlow = isSlow;
    for (const headers of [{}, { 'Transfer-Encoding': 'chunked' }] as Record<string, string>[]) {
      const answer = await front.send('/api/write', { ...POST, headers, body });
      t.equal(answer.status, 200);
      t.equal(answer.json.written, 50_000);
      const taken = front.store.bodies.at(-1)!;
      t.ok(Buffer.concat(taken.chunks).equals(body), 'the bytes are the same');
      t.ok(taken.chunks.length > 1, `${taken.chunks.length} chunks`);
      t.equal(taken.options.bytesExpected, headers['Transfer-Encoding'] ? 0 : body.length);
      if (isSlow) t.ok(taken.pauses > 1, `${taken.pauses} pauses`);
    }
  }
});

eachAdapter('a client that goes away', async (t, start) => {
  const front = await start();
  const raw = await front.open();
  raw.socket.write(
    'POST /api/write HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\na value=1\n',
  );
  t.ok(await eventually(() => front.store.bodies[0]?.chunks.length === 1));
  raw.socket.destroy();
  t.ok(await eventually(() => front.store.bodies[0]!.state === 'aborted'));
  const query = await front.open();
  query.socket.write('POST /api/query HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\nslow 50');
  t.ok(await eventually(() => front.traffic.requestsCurrent === 1));
  query.socket.destroy();
  t.ok(await eventually(() => front.traffic.requestsCurrent === 0));
  await new Promise((resolve) => setTimeout(resolve, 80));
  t.equal((await front.send('/ping')).status, 204, 'the late answer harms nobody');
  t.same(front.errors, []);
});

eachAdapter('packed answers', async (t, start) => {
  const front = await start();
  const ask = (accepted: string, body = 'large 5000') =>
    front.send('/api/query', { ...POST, body, headers: { 'Accept-Encoding': accepted } });
  const text = largeJson(5000);
  const check = async (accepted: string, encoding: string | undefined): Promise<void> => {
    const answer = await ask(accepted);
    t.equal(answer.headers['content-encoding'], encoding, accepted);
    const plain =
      encoding === 'gzip'
        ? gunzipSync(answer.bytes)
        : encoding === 'zstd'
          ? decompress(answer.bytes)
          : answer.bytes;
    t.equal(plain.toString(), text, accepted);
  };
  await check('gzip', 'gzip');
  await check('gzip, deflate', 'gzip');
  await check('zstd', 'zstd');
  await check('gzip;q=0.5, zstd', 'zstd');
  await check('zstd;q=0, gzip', 'gzip');
  await check('gzip;q=0', undefined);
  await check('identity', undefined);
  await check('deflate', undefined);
  t.equal((await ask('gzip', 'large 1023')).headers['content-encoding'], undefined);
  t.equal((await ask('gzip', 'large 1024')).headers['content-encoding'], 'gzip');
  const without = await front.send('/api/query', { ...POST, body: 'large 5000' });
  t.equal(without.headers['content-encoding'], undefined);
  t.equal(without.text, text);
});
