import type { Socket } from 'node:net';
import t from 'tap';
import { DEFAULTS } from '../../src/config/config.js';
import { BodyClock, type ComingBody } from '../../src/http/body-clock.js';
import { eachAdapter, eventually, type Front } from './front.js';

// They wait for time to pass, and may as well do so together.
t.jobs = 8;

/** Sends a piece again and again until the connection is closed; resolves to what was received. */
async function drip(front: Front, head: string, piece: string, everyMs: number): Promise<string> {
  const raw = await front.open();
  const { socket }: { socket: Socket } = raw;
  socket.on('error', () => undefined);
  socket.write(head);
  const timer = setInterval(() => socket.write(piece), everyMs);
  const isClosed = await Promise.race([
    raw.ended.then(() => true),
    new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 25_000).unref()),
  ]);
  clearInterval(timer);
  socket.destroy();
  return isClosed ? raw.received() : 'still open';
}

eachAdapter('headers that never end', async (t, start) => {
  const front = await start({ requestTimeoutSec: 2 });
  const head = 'GET /ping HTTP/1.1\r\nHost: x\r\nX-Slow: ';
  const received = await drip(front, head, 'a', 200);
  t.match(received, front.adapter === 'node' ? /^HTTP\/1\.1 408 / : /^$/);
});

eachAdapter('bodies that trickle in', async (t, start) => {
  const front = await start({ requestTimeoutSec: 2 });
  const received = await Promise.all([
    drip(front, 'POST /api/query HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n', 'a', 200),
    drip(front, 'POST /api/write HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n', 'a', 200),
    drip(
      front,
      'POST /api/query HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n',
      '1\r\na\r\n',
      200,
    ),
    // 32 KB a second, which is not slow, but without an end.
    drip(
      front,
      'POST /api/write HTTP/1.1\r\nHost: x\r\nContent-Length: 60000000\r\n\r\n',
      'a'.repeat(6400),
      200,
    ),
  ]);
  for (const text of received) {
    t.match(text, front.adapter === 'node' ? /^HTTP\/1\.1 408 / : /^$/);
  }
  t.ok(await eventually(() => front.traffic.requestsCurrent === 0), 'nothing is left of them');
  t.equal((await front.send('/ping')).status, 204);
});

eachAdapter('a limit that changes holds for what comes next', async (t, start) => {
  const front = await start({ requestTimeoutSec: 600 });
  front.limits.requestTimeoutSec = 1;
  // So that node:http, which is told each second, knows.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const head = 'POST /api/write HTTP/1.1\r\nHost: x\r\nContent-Length: 60000000\r\n\r\n';
  t.not(await drip(front, head, 'a'.repeat(6400), 200), 'still open');
});

t.test('the clock ends what began first, and each once', async (t) => {
  const ended: number[] = [];
  const limits = { ...DEFAULTS.limits, requestTimeoutSec: 10 };
  const clock = new BodyClock(limits);
  t.teardown(() => clock.stop());
  const bodies = [0, 1000, 2000, 3000].map((beganMs): ComingBody => ({
    beganMs,
    earlier: undefined,
    later: undefined,
    giveUp: () => ended.push(beganMs),
  }));
  for (const body of bodies) clock.add(body);
  clock.look(9999);
  t.same(ended, []);
  clock.delete(bodies[1]!);
  clock.delete(bodies[1]!);
  clock.look(12_500);
  t.same(ended, [0, 2000]);
  clock.look(12_600);
  t.same(ended, [0, 2000]);
  limits.requestTimeoutSec = 5;
  clock.look(12_600);
  t.same(ended, [0, 2000, 3000]);
});
