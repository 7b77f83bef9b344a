import { randomBytes } from 'node:crypto';
import { request, type IncomingMessage } from 'node:http';
import { ENCODINGS } from '../../src/http/accept-encoding.js';
import { openAnswer } from '../../src/http/answers.js';
import type { AnswerStream } from '../../src/http/server.js';
import { eachAdapter, eventually, type Front } from './front.js';
import { makeUnpacker, MB, NUMBERS, unpack } from './packing.js';

/** The response of a GET, as soon as its head is there. */
function get(front: Front, encoding: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { 'Accept-Encoding': encoding };
    const sent = request({ host: '127.0.0.1', port: front.port, headers, agent: false }, resolve);
    sent.on('error', reject);
    sent.end();
  });
}

eachAdapter('streamed answers', async (t, start) => {
  const sizes = [1, 100, 0, 70_000, 2 * MB, 3, 900_000];
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const expected = NUMBERS.subarray(0, total);
  const memory = new Uint8Array(new SharedArrayBuffer(2 * MB));
  let over = 0;
  const front = await start({}, (exchange) => {
    exchange.whenOver(() => over++);
    const compressible = exchange.path !== '/packed-already';
    const stream = openAnswer(exchange, { status: 200, contentType: 'text/csv', compressible });
    let place = 0;
    let next = 0;
    const goOn = (): void => {
      while (next < sizes.length) {
        const bytes = sizes[next++]!;
        memory.set(expected.subarray(place, place + bytes));
        place += bytes;
        const hasRoom = stream.write(memory.subarray(0, bytes));
        memory.fill(0x21, 0, bytes);
        if (!hasRoom) return;
      }
      stream.end();
    };
    stream.onDrain = goOn;
    goOn();
  });
  for (const encoding of [...ENCODINGS, ''] as const) {
    const headers = { 'Accept-Encoding': encoding };
    for (let round = 0; round < 2; round++) {
      const answer = await front.send('/', { headers });
      t.equal(answer.status, 200);
      t.equal(answer.headers['content-type'], 'text/csv');
      t.equal(answer.headers['content-encoding'], encoding || undefined);
      t.equal(answer.headers.vary, 'Accept-Encoding');
      const body = encoding ? unpack[encoding](answer.bytes) : answer.bytes;
      t.ok(Buffer.from(body).equals(expected), `what was written, by ${encoding || 'nothing'}`);
    }
    const already = await front.send('/packed-already', { headers });
    t.equal(already.headers['content-encoding'], undefined);
    t.equal(already.headers.vary, undefined);
    t.ok(already.bytes.equals(expected));
    const head = await front.send('/', { method: 'HEAD', headers });
    t.equal(head.headers['content-encoding'], encoding || undefined);
    t.equal(head.text, '');
  }
  t.equal(over, 16);
  t.ok(await eventually(() => front.traffic.requestsCurrent === 0));
  t.same(front.errors, []);
});

eachAdapter('the first bytes of a packed stream leave early', async (t, start) => {
  const streams: AnswerStream[] = [];
  const front = await start({}, (exchange) => {
    streams.push(openAnswer(exchange, { contentType: 'text/csv', compressible: true }));
  });
  for (const encoding of ENCODINGS) {
    const coming = get(front, encoding);
    t.ok(await eventually(() => streams.length > 0));
    const stream = streams.pop()!;
    stream.write(Buffer.from('time,value\n'));
    const response = await coming;
    let text = '';
    let ended = false;
    const unpacker = response.pipe(makeUnpacker[encoding]());
    unpacker.on('data', (chunk: Buffer) => (text += chunk.toString()));
    unpacker.on('end', () => (ended = true));
    t.ok(await eventually(() => text === 'time,value\n'), encoding);
    stream.write(Buffer.from('1,'));
    stream.write(Buffer.from('2\n'));
    t.ok(await eventually(() => text === 'time,value\n1,2\n'), encoding);
    t.notOk(ended);
    stream.end();
    t.ok(await eventually(() => ended), encoding);
    t.equal(text, 'time,value\n1,2\n');
  }
});

eachAdapter('a reader of a packed stream that stops', async (t, start) => {
  // What can not be packed, so that much is on its way.
  const piece = randomBytes(MB);
  let written = 0;
  let over = 0;
  const front = await start({}, (exchange) => {
    exchange.whenOver(() => over++);
    const stream = openAnswer(exchange, { contentType: 'text/csv', compressible: true });
    const goOn = (): void => {
      while (written < 24 && stream.isOpen) {
        written++;
        if (!stream.write(piece)) return;
      }
      stream.end();
    };
    stream.onDrain = goOn;
    goOn();
  });
  for (const encoding of ENCODINGS) {
    written = 0;
    const response = await get(front, encoding);
    let before = -1;
    for (let tries = 0; tries < 100 && before !== written; tries++) {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    t.ok(written < 20, `${written} MB are written ahead, ${encoding}`);
    let bytes = 0;
    const unpacker = response.pipe(makeUnpacker[encoding]());
    unpacker.on('data', (chunk: Buffer) => (bytes += chunk.length));
    t.ok(await eventually(() => bytes === 24 * MB), encoding);
  }
  t.equal(over, 3);

  for (const encoding of ENCODINGS) {
    written = 0;
    const response = await get(front, encoding);
    t.ok(await eventually(() => written > 0));
    response.destroy();
  }
  t.ok(await eventually(() => over === 6), 'of clients that go away nothing is left');
  t.ok(await eventually(() => front.traffic.requestsCurrent === 0));
  t.same(front.errors, []);
});

eachAdapter('a packed stream that is aborted is seen not to be whole', async (t, start) => {
  const front = await start({}, (exchange) => {
    const stream = openAnswer(exchange, { contentType: 'text/csv', compressible: true });
    stream.onDrain = () => {
      throw new TypeError('a mistake');
    };
    stream.write(NUMBERS.subarray(0, 5 * MB));
    if (exchange.path === '/abort') setTimeout(() => stream.abort(), 20);
  });
  for (const encoding of ENCODINGS) {
    const headers = { 'Accept-Encoding': encoding };
    await t.rejects(front.send('/abort', { headers }), { code: 'ECONNRESET' }, encoding);
    await t.rejects(front.send('/mistake', { headers }), { code: 'ECONNRESET' }, encoding);
  }
  t.ok(front.errors.every((error) => error.includes('a mistake')));
  t.ok(await eventually(() => front.traffic.requestsCurrent === 0));
});

eachAdapter('more streams than may be packed go as they are', async (t, start) => {
  const streams: AnswerStream[] = [];
  const front = await start({}, (exchange) => {
    const stream = openAnswer(exchange, { contentType: 'text/csv', compressible: true });
    stream.write(Buffer.from('begun'));
    streams.push(stream);
  });
  const responses = await Promise.all(Array.from({ length: 40 }, () => get(front, 'zstd')));
  const packed = (): number =>
    responses.filter((response) => response.headers['content-encoding'] === 'zstd').length;
  t.equal(packed(), 32);
  for (const stream of streams.splice(0)) stream.end();
  for (const response of responses) response.resume();
  t.ok(await eventually(() => front.traffic.requestsCurrent === 0));
  const next = await get(front, 'zstd');
  t.equal(next.headers['content-encoding'], 'zstd', 'there is room again');
  streams[0]!.end();
  next.resume();
});
