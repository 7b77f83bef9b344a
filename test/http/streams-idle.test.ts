import t from 'tap';
import type { AnswerStream } from '../../src/http/server.js';
import { eachAdapter, eventually } from './front.js';

const TYPE = [['Content-Type', 'text/csv']] as const;
const PIECE = Buffer.alloc(1024 * 1024, 'x');

// Both at once, since the time after which uWebSockets.js gives a client up can not be set.
t.jobs = 8;

eachAdapter('a client that takes nothing of a stream is given up', async (t, start) => {
  const told: string[] = [];
  const front = await start({ idleTimeoutSec: 2 }, (exchange) => {
    exchange.onAbort = () => told.push('aborted');
    exchange.whenOver(() => told.push('over'));
    const stream = exchange.stream(200, TYPE);
    const goOn = (): void => {
      while (stream.isOpen && stream.write(PIECE));
    };
    stream.onDrain = goOn;
    goOn();
  });
  const raw = await front.open();
  raw.socket.pause();
  raw.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  t.ok(await eventually(() => front.traffic.requestsCurrent === 1));
  const startMs = performance.now();
  for (let tries = 0; tries < 2 && told.length === 0; tries++) {
    await eventually(() => told.length > 0);
  }
  const tookSec = (performance.now() - startMs) / 1000;
  t.same(told, ['aborted', 'over'], `after ${tookSec.toFixed(1)} s`);
  t.ok(await eventually(() => front.traffic.requestsCurrent === 0));
  raw.socket.destroy();
});

eachAdapter('a client that takes nothing of an answer to a GET is given up', async (t, start) => {
  const front = await start({ idleTimeoutSec: 2 }, (exchange) => {
    exchange.respond(200, TYPE, Buffer.alloc(32 * PIECE.length, 'x'));
  });
  const raw = await front.open();
  raw.socket.pause();
  raw.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  t.ok(await eventually(() => front.traffic.requestsCurrent === 1));
  for (let tries = 0; tries < 2 && front.traffic.requestsCurrent > 0; tries++) {
    await eventually(() => front.traffic.requestsCurrent === 0);
  }
  t.equal(front.traffic.requestsCurrent, 0);
  raw.socket.destroy();
});

eachAdapter('a client that waits for us is not', async (t, start) => {
  const streams: AnswerStream[] = [];
  const front = await start({ idleTimeoutSec: 1 }, (exchange) => {
    const stream = exchange.stream(200, TYPE);
    streams.push(stream);
    let pieces = 0;
    const goOn = (): void => {
      while (pieces++ < 12) if (!stream.write(PIECE)) return;
    };
    stream.onDrain = goOn;
    goOn();
  });
  const raw = await front.open();
  raw.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  t.ok(await eventually(() => raw.socket.bytesRead > 12 * PIECE.length));
  const waitMs = front.adapter === 'uws' ? 15_000 : 3000;
  await new Promise((resolve) => setTimeout(resolve, waitMs));
  streams[0]!.write(Buffer.from('the rest'));
  streams[0]!.end();
  t.ok(await eventually(() => raw.received().endsWith('\r\n0\r\n\r\n')));
  t.match(raw.received().slice(-100), 'the rest');
  raw.socket.destroy();
});

eachAdapter('graceful close cuts a stream that does not end', async (t, start) => {
  const told: string[] = [];
  const front = await start({}, (exchange) => {
    exchange.onAbort = () => told.push('aborted');
    exchange.whenOver(() => told.push('over'));
    const stream = exchange.stream(200, TYPE);
    const timer = setInterval(() => {
      if (stream.isOpen) stream.write(Buffer.from('more\n'));
      else clearInterval(timer);
    }, 100);
  });
  const raw = await front.open();
  raw.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await raw.until(/more/);
  const startMs = performance.now();
  await front.close();
  await raw.ended;
  const tookSec = (performance.now() - startMs) / 1000;
  t.ok(tookSec > 9 && tookSec < 15, `after ${tookSec.toFixed(1)} s`);
  t.ok(await eventually(() => told.length === 2));
  t.same(told, ['aborted', 'over']);
  t.notOk(raw.received().endsWith('0\r\n\r\n'), 'and it is seen not to be whole');
});
