import { request, type IncomingMessage } from 'node:http';
import type { AnswerStream, HttpExchange } from '../../src/http/server.js';
import { eachAdapter, eventually, type Front } from './front.js';

const TYPE = [['Content-Type', 'text/csv']] as const;
const MB = 1024 * 1024;

/** Bytes that tell where they are from: no two places within 64 KiB look alike. */
function pattern(start: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  for (let i = 0; i < bytes; i++) buffer[i] = ((start + i) * 2_654_435_761) >>> 13;
  return buffer;
}

/** Checks a stream of `pattern` without keeping it. */
class PatternReader {
  bytes = 0;
  isRight = true;
  #expected = pattern(0, 4 * MB);

  read(chunk: Buffer): void {
    const start = this.bytes % (2 * MB);
    if (!chunk.equals(this.#expected.subarray(start, start + chunk.length))) this.isRight = false;
    this.bytes += chunk.length;
  }
}

/** The response of a GET, as soon as its head is there. */
function get(front: Front, path = '/'): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: front.port, path, agent: false }, resolve);
    sent.on('error', reject);
    sent.end();
  });
}

/** Writes pieces of one period of the pattern, as there is room, and ends. */
function produce(stream: AnswerStream, bytes: number, pieceBytes = MB): { written: number } {
  const period = pattern(0, 4 * MB);
  const state = { written: 0 };
  const goOn = (): void => {
    while (state.written < bytes && stream.isOpen) {
      const start = state.written % (2 * MB);
      const piece = period.subarray(start, start + Math.min(pieceBytes, bytes - state.written));
      state.written += piece.length;
      if (!stream.write(piece)) return;
    }
    stream.end();
  };
  stream.onDrain = goOn;
  goOn();
  return state;
}

eachAdapter('the pieces of a stream arrive in order, whatever their size', async (t, start) => {
  const sizes = [0, 1, 5, 1023, 1024, 1025, 16_384, 65_536, 300_000, 2 * MB, 3, 0, 700_000];
  const view = new Uint8Array(new SharedArrayBuffer(2 * MB));
  const told: unknown[] = [];
  // The user of the second does not wait for room.
  for (const waits of [true, false]) {
    const front = await start({}, (exchange) => {
      exchange.whenAnswered((status) => told.push(status));
      exchange.whenOver(() => told.push('over'));
      const stream = exchange.stream(201, TYPE);
      let place = 0;
      let next = 0;
      const goOn = (): void => {
        while (next < sizes.length) {
          const bytes = sizes[next++]!;
          // As a shard: memory that is used again at once.
          view.set(pattern(place, bytes));
          place += bytes;
          const hasRoom = stream.write(view.subarray(0, bytes));
          view.fill(0x21, 0, bytes);
          if (!hasRoom && waits) return;
        }
        stream.end();
        stream.end();
        stream.abort();
      };
      stream.onDrain = goOn;
      goOn();
    });
    for (let round = 0; round < 3; round++) {
      const answer = await front.send('/');
      t.equal(answer.status, 201);
      t.equal(answer.headers['content-type'], 'text/csv');
      t.equal(answer.headers['transfer-encoding'], 'chunked');
      t.equal(answer.headers['content-length'], undefined);
      const total = sizes.reduce((sum, size) => sum + size, 0);
      t.equal(answer.bytes.length, total);
      t.ok(answer.bytes.equals(pattern(0, total)), 'what was written');
      t.equal(front.traffic.bodyBytesSent, (round + 1) * total);
    }
    t.ok(await eventually(() => front.traffic.requestsCurrent === 0));
    t.same(told.splice(0), [201, 'over', 201, 'over', 201, 'over']);
    t.same(front.errors, []);
  }
});

eachAdapter('a reader that stops does not make memory grow', async (t, start) => {
  const bytes = 150 * MB;
  let state = { written: 0 };
  const front = await start({}, (exchange) => {
    const stream = exchange.stream(200, TYPE);
    state = produce(stream, bytes);
  });
  const response = await get(front);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const before = process.memoryUsage().rss;
  const written = state.written;
  t.ok(written < 20 * MB, `${(written / MB).toFixed()} MB are written ahead`);
  await new Promise((resolve) => setTimeout(resolve, 300));
  t.equal(state.written, written, 'and no more');
  const reader = new PatternReader();
  const ahead: number[] = [];
  let ended = false;
  response.on('end', () => (ended = true));
  response.on('data', (chunk: Buffer) => {
    reader.read(chunk);
    ahead.push(state.written - reader.bytes);
    // Stops now and then.
    if (ahead.length % 500 !== 0) return;
    response.pause();
    setTimeout(() => response.resume(), 5);
  });
  t.ok(await eventually(() => ended));
  t.equal(reader.bytes, bytes);
  t.ok(reader.isRight, 'what was written');
  const aheadMb = Math.max(...ahead) / MB;
  t.ok(aheadMb < 20, `at most ${aheadMb.toFixed(1)} MB lie between writer and reader`);
  const grownMb = (process.memoryUsage().rss - before) / MB;
  t.ok(grownMb < 100, `resident memory grew by ${grownMb.toFixed()} MB`);
  t.ok(await eventually(() => front.traffic.requestsCurrent === 0));
});

eachAdapter('small pieces to a reader that stops', async (t, start) => {
  const bytes = 40 * MB;
  let state = { written: 0 };
  const front = await start({}, (exchange) => {
    state = produce(exchange.stream(200, TYPE), bytes, 300);
  });
  const response = await get(front);
  await new Promise((resolve) => setTimeout(resolve, 200));
  t.ok(state.written < 20 * MB, `${(state.written / MB).toFixed()} MB are written ahead`);
  const reader = new PatternReader();
  let ended = false;
  response.on('data', (chunk: Buffer) => reader.read(chunk));
  response.on('end', () => (ended = true));
  t.ok(await eventually(() => ended));
  t.equal(reader.bytes, bytes);
  t.ok(reader.isRight, 'what was written');
});

eachAdapter('a client that goes away amid a stream', async (t, start) => {
  const told: unknown[] = [];
  let stream: AnswerStream | undefined;
  const front = await start({}, (exchange) => {
    exchange.whenAnswered((status) => told.push(status));
    exchange.whenOver(() => told.push('over'));
    exchange.onAbort = () => told.push('aborted', stream!.isOpen);
    stream = exchange.stream(200, TYPE);
    while (stream.write(pattern(0, MB)));
  });
  const response = await get(front);
  response.destroy();
  t.ok(await eventually(() => told.length > 2));
  t.same(told, [200, 'aborted', false, 'over']);
  t.ok(await eventually(() => front.traffic.requestsCurrent === 0));
  t.equal(stream!.write(pattern(0, MB)), true, 'what is written to nobody is dropped');
  stream!.end();
  stream!.abort();
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.equal(told.length, 4);
  t.same(front.errors, []);
});

eachAdapter('a client that is gone before the stream begins', async (t, start) => {
  const told: unknown[] = [];
  let asked: HttpExchange | undefined;
  const front = await start({}, (exchange) => {
    exchange.whenAnswered((status) => told.push(status));
    exchange.whenOver(() => told.push('over'));
    exchange.onAbort = () => told.push('aborted');
    asked = exchange;
  });
  const raw = await front.open();
  raw.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  t.ok(await eventually(() => asked !== undefined));
  raw.socket.destroy();
  t.ok(await eventually(() => told.length > 0));
  const stream = asked!.stream(200, TYPE);
  t.equal(stream.isOpen, false);
  t.equal(stream.write(pattern(0, MB)), true);
  stream.end();
  asked!.respond(500, [], '');
  t.same(told, ['aborted', 200, 'over']);
  t.equal(front.traffic.bodyBytesSent, 0);
});

eachAdapter('a stream that is aborted is seen not to be whole', async (t, start) => {
  const told: unknown[] = [];
  const ways: Record<string, (exchange: HttpExchange, stream: AnswerStream) => void> = {
    '/abort': (_, stream) => stream.abort(),
    '/respond': (exchange) => exchange.respond(400, [], 'an error, told too late'),
    '/throw': () => {
      throw new TypeError('a mistake');
    },
    '/abort-behind': (_, stream) => {
      while (stream.write(pattern(0, MB)));
      setTimeout(() => stream.abort(), 10);
    },
    '/never-begun': (_, stream) => stream.abort(),
  };
  const front = await start({}, (exchange) => {
    exchange.whenOver(() => told.push('over'));
    exchange.onAbort = () => told.push('aborted');
    const stream = exchange.stream(200, TYPE);
    if (exchange.path !== '/never-begun') stream.write(Buffer.from('begun'));
    ways[exchange.path]!(exchange, stream);
    if (exchange.path !== '/abort-behind') stream.end();
  });
  for (const path of ['/abort', '/respond', '/throw', '/abort-behind', '/never-begun']) {
    await t.rejects(front.send(path), { code: 'ECONNRESET' }, path);
    t.same(told.splice(0), ['over'], path);
  }
  t.equal(front.errors.length, 1);
  t.match(front.errors[0], 'a mistake');
  t.ok(await eventually(() => front.traffic.requestsCurrent === 0));
});

eachAdapter('a mistake when there is room again', async (t, start) => {
  const front = await start({}, (exchange) => {
    const stream = exchange.stream(200, TYPE);
    stream.onDrain = () => {
      throw new TypeError('a mistake');
    };
    while (stream.write(pattern(0, MB)));
  });
  await t.rejects(front.send('/'), { code: 'ECONNRESET' });
  t.match(front.errors, [/a mistake/]);
});

eachAdapter('HEAD of a stream, and the next request', async (t, start) => {
  const told: unknown[] = [];
  const front = await start({}, (exchange) => {
    exchange.whenOver(() => told.push('over'));
    const stream = exchange.stream(200, TYPE);
    told.push(stream.isOpen);
    stream.write(Buffer.from('body of '));
    stream.write(Buffer.from(exchange.method));
    stream.end();
  });
  const raw = await front.open();
  raw.socket.write('HEAD / HTTP/1.1\r\nHost: x\r\n\r\n');
  const head = await raw.until(/\r\n\r\n/);
  t.match(head, /^HTTP\/1.1 200 OK[^]*text\/csv/);
  t.ok(head.endsWith('\r\n\r\n'), 'no body');
  t.same(told.splice(0), ['over', false]);
  for (let round = 0; round < 2; round++) {
    const before = raw.received().length;
    raw.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    t.ok(await eventually(() => raw.received().slice(before).endsWith('\r\n0\r\n\r\n')));
    t.match(raw.received().slice(before), 'body of ');
    t.same(told.splice(0), [true, 'over']);
  }
  raw.socket.destroy();
});

eachAdapter('a stream without a piece is an empty answer', async (t, start) => {
  const front = await start({}, (exchange) => exchange.stream(200, TYPE).end());
  for (let round = 0; round < 2; round++) {
    const answer = await front.send('/');
    t.equal(answer.status, 200);
    t.equal(answer.text, '');
  }
});

eachAdapter('graceful close waits for streams', async (t, start) => {
  const streams: AnswerStream[] = [];
  const front = await start({}, (exchange) => {
    const stream = exchange.stream(200, TYPE);
    streams.push(stream);
    stream.write(Buffer.from('begun, '));
    setTimeout(() => {
      stream.write(pattern(0, 8 * MB));
      stream.end();
    }, 300);
  });
  const raw = await front.open();
  raw.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await raw.until(/begun/);
  raw.socket.pause();
  const startMs = performance.now();
  const closed = front.close();
  setTimeout(() => raw.socket.resume(), 600);
  await raw.ended;
  await closed;
  t.ok(performance.now() - startMs < 5000, 'without waiting for the bound of ten seconds');
  t.ok(raw.received().endsWith('\r\n0\r\n\r\n'), 'the answer is whole');
  t.ok(raw.received().length > 8 * MB);
});
