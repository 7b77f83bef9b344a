import { randomBytes } from 'node:crypto';
import t from 'tap';
import { ENCODINGS, type Encoding } from '../../src/http/accept-encoding.js';
import { answerBytes } from '../../src/http/answers.js';
import { pack } from '../../src/http/compression.js';
import { eachAdapter } from './front.js';
import { MB, NUMBERS, unpack } from './packing.js';

t.test('what is packed is what is unpacked', async (t) => {
  const memory = new Uint8Array(new SharedArrayBuffer(6 * MB));
  for (const encoding of ENCODINGS) {
    for (const bytes of [0, 1, 1023, 65_536, 65_537, 524_288, 524_289, 570_000, 5 * MB + 7]) {
      const expected = NUMBERS.subarray(0, bytes);
      memory.set(expected);
      const packing = pack(memory.subarray(0, bytes), encoding);
      // As a shard: memory that is used again at once.
      memory.fill(0x21);
      const packed = await packing;
      t.ok(Buffer.from(unpack[encoding](packed)).equals(expected), `${bytes} bytes, ${encoding}`);
      if (bytes > 1000) t.ok(packed.length < bytes / 2, `${packed.length} are left`);
    }
    const random = randomBytes(200_000);
    t.ok(Buffer.from(unpack[encoding](await pack(random, encoding))).equals(random));
  }
});

t.test('others have their turn while large answers are packed', async (t) => {
  const bytes = NUMBERS.subarray(0, 4 * MB);
  for (const encoding of ENCODINGS) {
    let turns = 0;
    let isPacked = false;
    const all = Promise.all([1, 2, 3, 4].map(() => pack(bytes, encoding)));
    void all.then(() => (isPacked = true));
    while (!isPacked) {
      turns++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    t.ok(turns > 8, `${turns} turns for ${encoding}`);
  }
});

eachAdapter('whole answers', async (t, start) => {
  const front = await start({}, (exchange) => {
    const bytes = Number(exchange.path.slice(1));
    answerBytes(exchange, {
      contentType: 'text/plain',
      body: NUMBERS.subarray(0, bytes),
      status: 201,
    });
  });
  const accepts = ['gzip', 'x-gzip', 'br', 'zstd', 'zstd;q=0, gzip', 'identity', ''];
  for (const accepted of accepts) {
    for (const bytes of [10, 1023, 1024, 70_000, 3_000_000]) {
      const answer = await front.send(`/${bytes}`, { headers: { 'Accept-Encoding': accepted } });
      const title = `${bytes} bytes for ${accepted}`;
      t.equal(answer.status, 201, title);
      t.equal(answer.headers.vary, 'Accept-Encoding', title);
      t.equal(answer.headers['content-type'], 'text/plain', title);
      t.equal(answer.headers['content-length'], String(answer.bytes.length), title);
      const encoding = answer.headers['content-encoding'] as Encoding | undefined;
      const isPacked = bytes >= 1024 && accepted !== '' && accepted !== 'identity';
      t.equal(encoding !== undefined, isPacked, title);
      const body = encoding ? unpack[encoding](answer.bytes) : answer.bytes;
      t.ok(Buffer.from(body).equals(NUMBERS.subarray(0, bytes)), title);
    }
  }
  const headers = { 'Accept-Encoding': 'identity;q=0, br' };
  const small = await front.send('/10', { headers });
  t.equal(small.headers['content-encoding'], 'br', 'who excludes plain answers gets none');
  t.ok(Buffer.from(unpack.br(small.bytes)).equals(NUMBERS.subarray(0, 10)));
});

eachAdapter('the answers of all routes', async (t, start) => {
  const front = await start();
  front.store.debug = async () => JSON.stringify({ debug: 'x'.repeat(2000) });
  for (const [path, options] of [
    ['/api/query', { method: 'POST', body: 'large 5000' }],
    ['/api/debug', {}],
    ['/api/openapi.json', {}],
    ['/metrics', {}],
  ] as const) {
    const plain = await front.send(path, options);
    t.equal(plain.headers.vary, 'Accept-Encoding', path);
    for (const encoding of ENCODINGS) {
      const headers = { 'Accept-Encoding': encoding };
      const answer = await front.send(path, { ...options, headers });
      t.equal(answer.headers['content-encoding'], encoding, path);
      t.equal(answer.headers['content-type'], plain.headers['content-type']);
      t.equal(answer.headers.vary, 'Accept-Encoding');
      const text = Buffer.from(unpack[encoding](answer.bytes)).toString();
      if (path !== '/metrics') t.ok(text === plain.text, `${path} ${encoding}`);
      else t.match(text, /^# HELP/);
    }
  }
  for (const path of ['/api/healthcheck', '/api/v2/status']) {
    const method = path === '/api/healthcheck' ? 'POST' : 'GET';
    t.equal((await front.send(path, { method, body: '{}' })).headers.vary, 'Accept-Encoding');
  }
});
