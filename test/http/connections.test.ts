import { Agent } from 'node:http';
import { largeJson } from './fake-store.js';
import { eachAdapter, eventually } from './front.js';

const POST = { method: 'POST' };
const PING = 'GET /ping HTTP/1.1\r\nHost: x\r\n\r\n';

eachAdapter('large answers to slow readers', async (t, start) => {
  const front = await start();
  const bytes = 7_000_000;
  const raw = await front.open();
  raw.socket.pause();
  raw.socket.write(
    'POST /api/query HTTP/1.1\r\nHost: x\r\nContent-Length: 13\r\n\r\nlarge 7000000',
  );
  await new Promise((resolve) => setTimeout(resolve, 100));
  t.equal((await front.send('/ping')).status, 204, 'others are served meanwhile');
  raw.socket.resume();
  t.ok(await eventually(() => raw.socket.bytesRead > bytes));
  const headBytes = raw.received().indexOf('\r\n\r\n') + 4;
  t.ok(await eventually(() => raw.socket.bytesRead >= headBytes + bytes));
  t.ok(raw.received().slice(headBytes) === largeJson(bytes), 'whole, and as it was');
  t.ok(await eventually(() => front.traffic.requestsCurrent === 0));
  raw.socket.write(PING);
  t.ok(
    await eventually(() =>
      raw
        .received()
        .slice(headBytes + bytes)
        .includes('204 No Content'),
    ),
  );
  raw.socket.destroy();
});

eachAdapter('keep-alive', async (t, start) => {
  const front = await start();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  for (let round = 0; round < 20; round++) {
    const answer = await front.send('/api/query', { ...POST, body: `q${round}`, agent });
    t.same(answer.json, { echo: `q${round}` });
  }
  // Refused before its body was read, or in the midst of it: the next request is understood.
  const body = 'x'.repeat(300_000);
  t.equal((await front.send('/nothing', { ...POST, body, agent })).status, 404);
  t.equal((await front.send('/api/debug', { ...POST, body, agent })).status, 405);
  t.equal((await front.send('/api/query', { ...POST, body: 'q', agent })).status, 200);
});

eachAdapter('pipelined requests that are answered at once', async (t, start) => {
  const front = await start();
  const raw = await front.open();
  const health = 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n';
  raw.socket.write(PING + health + PING);
  const received = await raw.until(/204[^]*200 OK[^]*204/);
  t.same(received.match(/HTTP\/1.1 \d+/g), ['HTTP/1.1 204', 'HTTP/1.1 200', 'HTTP/1.1 204']);
  raw.socket.destroy();
});

eachAdapter('headers', async (t, start) => {
  const front = await start();
  const token = 'x'.repeat(12_000);
  const headers = { Authorization: `Bearer ${token}` };
  t.equal((await front.send('/ping', { headers })).status, 204, 'long tokens are fine');
  const raw = await front.open();
  raw.socket.write(`GET /ping HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(40_000)}\r\n\r\n`);
  t.match(await raw.until(/\r\n\r\n/), /^HTTP\/1.1 431 /);
  await raw.ended;
  t.equal((await front.send('/ping')).status, 204);
});

eachAdapter('what is not HTTP', async (t, start) => {
  const front = await start();
  const raw = await front.open();
  raw.socket.write('this is not HTTP\r\n\r\n');
  t.match(await raw.until(/\r\n\r\n/), /^HTTP\/1.1 (400|505) /);
  await raw.ended;
  t.equal((await front.send('/ping')).status, 204);
});

eachAdapter('connections-max', async (t, start) => {
  const front = await start({ connectionsMax: 3 });
  const connections = [await front.open(), await front.open(), await front.open()];
  for (const { socket, until } of connections) {
    socket.write(PING);
    t.match(await until(/\r\n\r\n/), '204');
  }
  const extra = await front.open();
  extra.socket.write(PING);
  await extra.ended;
  t.equal(extra.received(), '');
  t.equal(front.traffic.connectionsRefused, 1);
  connections[0]!.socket.destroy();
  await connections[0]!.ended;
  let again = '';
  for (let tries = 0; tries < 50 && again === ''; tries++) {
    const next = await front.open();
    next.socket.write(PING);
    again = await next.until(/\r\n\r\n/);
    next.socket.destroy();
  }
  t.match(again, '204', 'there is room again');
  for (const { socket } of connections) socket.destroy();
});

eachAdapter('graceful close', async (t, start) => {
  const front = await start();
  let open = (): void => undefined;
  front.store.gate = new Promise((resolve) => (open = resolve));
  const write = front.send('/api/write', { ...POST, body: 'a value=1\n' });
  const idle = await front.open();
  idle.socket.write(PING);
  await idle.until(/204/);
  t.ok(await eventually(() => front.store.bodies.length === 1));
  const startMs = performance.now();
  const closed = front.close();
  await new Promise((resolve) => setTimeout(resolve, 50));
  await t.rejects(front.open(), 'no new connection');
  open();
  const answer = await write;
  t.equal(answer.status, 200, 'what was under way is answered');
  t.equal(answer.headers.connection, 'close');
  await closed;
  await idle.ended;
  t.ok(performance.now() - startMs < 5000, 'without waiting for the bound of ten seconds');
});

eachAdapter('graceful close lets a slow reader have its answer', async (t, start) => {
  const front = await start();
  const raw = await front.open();
  raw.socket.pause();
  raw.socket.write(
    'POST /api/query HTTP/1.1\r\nHost: x\r\nContent-Length: 13\r\n\r\nlarge 8000000',
  );
  t.ok(await eventually(() => front.traffic.bodyBytesSent === 8_000_000));
  const closed = front.close();
  await new Promise((resolve) => setTimeout(resolve, 50));
  raw.socket.resume();
  await closed;
  await raw.ended;
  t.equal(raw.received().length, raw.received().indexOf('\r\n\r\n') + 4 + 8_000_000);
});
