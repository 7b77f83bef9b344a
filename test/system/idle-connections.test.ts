import { execFileSync } from 'node:child_process';
import type { Socket } from 'node:net';
import t, { type Test } from 'tap';
import { startWithLevers } from '../helpers/levers.js';
import { eventually, metricSum } from '../helpers/metrics.js';
import { startServer, type TestServer } from '../helpers/server.js';
import { openSocket, postHead, statusLineOf } from '../helpers/socket.js';

const MB = 1e6;
const NOW = 1_790_000_000 - (1_790_000_000 % 60);
const CONNECTIONS = 10_000;
/** Sockets on their way at once: the kernel's queue of a listening socket is bounded. */
const OPENED_AT_ONCE = 100;
/** Files that test and store need besides the connections. */
const OTHER_FILES = 300;
const ANSWER_MS_MAX = 1000;
/** uWebSockets.js ends a silent connection after ten seconds, looking every four. */
const UWS_IDLE_MS = 8000;

const LINE = `m,cluster=c,hostname=known value=1.25 ${NOW}\n`;
const QUERY = {
  cluster: 'c',
  from: NOW,
  to: NOW + 60,
  queries: [{ metric: 'm', host: 'known' }],
};

/** Files that this process, and a store started by it, may open. */
function filesMax(): number {
  const text = execFileSync('/bin/sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim();
  return text === 'unlimited' ? Infinity : Number(text);
}

function configuration(adapter: string, limits: object): Record<string, unknown> {
  return {
    metrics: { '*': { frequency: 60, aggregation: 'avg' } },
    metricshard: { shards: 1, 'http-adapter': adapter, 'retention-enforced': false, limits },
  };
}

function start(adapter: string, limits: object): Promise<TestServer> {
  return startServer(configuration(adapter, limits));
}

async function openMany(t: Test, server: TestServer, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  while (sockets.length < count) {
    const more = Math.min(OPENED_AT_ONCE, count - sockets.length);
    sockets.push(
      ...(await Promise.all(Array.from({ length: more }, () => openSocket(server.port)))),
    );
  }
  return sockets;
}

/** Milliseconds of the slowest of a few writes and queries, whose answers are looked at. */
async function slowestMs(t: Test, server: TestServer): Promise<number> {
  let slowest = 0;
  for (let round = 0; round < 20; round++) {
    const startMs = performance.now();
    const { status } = await server.write(LINE);
    const { json } = await server.query(QUERY);
    slowest = Math.max(slowest, performance.now() - startMs);
    if (status !== 200 || json.results[0][0].data[0] !== 1.25) t.fail('a wrong answer');
  }
  return slowest;
}

for (const adapter of ['uws', 'node']) {
  const files = filesMax();
  const skip =
    files < CONNECTIONS + OTHER_FILES
      ? `ulimit -n is ${files}: ${CONNECTIONS + OTHER_FILES} files are needed`
      : false;
  t.test(`${CONNECTIONS} idle connections, ${adapter}`, { skip }, async (t) => {
    const server = await start(adapter, {});
    t.teardown(() => server.stop());
    await slowestMs(t, server);
    const before = server.rssBytes();
    const startMs = performance.now();
    const sockets = await openMany(t, server, CONNECTIONS);
    for (const socket of sockets) socket.resume();
    const slowest = await slowestMs(t, server);
    const open = sockets.filter((socket) => socket.readyState === 'open').length;
    const tookMs = performance.now() - startMs;
    // On a very busy machine the first have been silent for so long that they are ended.
    t.ok(
      open === CONNECTIONS || tookMs > UWS_IDLE_MS,
      `${open} are open after ${tookMs.toFixed()} ms`,
    );
    t.ok(slowest < ANSWER_MS_MAX, `a write and a query take ${slowest.toFixed()} ms at most`);
    const grownMb = (server.rssBytes() - before) / MB;
    t.ok(grownMb < 150, `resident memory grew by ${grownMb.toFixed()} MB`);
    const probe = sockets[CONNECTIONS - 1]!;
    const answered = statusLineOf(probe);
    probe.write('GET /ping HTTP/1.1\r\nHost: x\r\n\r\n');
    t.match(await answered, /204/, 'each of them may still ask');
    t.equal(await metricSum(server, 'metricshard_http_connections_refused_total'), 0);
  });

  t.test(`connections-max, ${adapter}`, async (t) => {
    const server = await start(adapter, { 'connections-max': 50 });
    t.teardown(() => server.stop());
    await slowestMs(t, server);
    const sockets = await openMany(t, server, 60);
    const closed = (): number => sockets.filter((socket) => socket.readyState !== 'open').length;
    for (const socket of sockets) socket.resume();
    t.ok(await eventually(() => closed() > 0), 'more than that are closed at once');
    // The test's own requests have a connection too, or a few.
    t.ok(closed() >= 10 && closed() < 20, `${closed()} are closed`);
    for (const socket of sockets) socket.destroy();
    const works = async (): Promise<boolean> => {
      try {
        return (await server.query(QUERY)).json.results[0][0].data[0] === 1.25;
      } catch {
        return false;
      }
    };
    t.ok(await eventually(works), 'there is room again, and what was known is there');
    const refused = await metricSum(server, 'metricshard_http_connections_refused_total');
    t.ok(refused >= 10, `${refused} are counted`);
  });
}

t.test('idle-timeout-sec ends silent connections', async (t) => {
  const server = await startWithLevers(configuration('node', { 'idle-timeout-sec': 1 }));
  t.teardown(() => server.stop());
  const isClosed = async (title: string, text: string): Promise<void> => {
    const [socket] = (await openMany(t, server, 1)) as [Socket];
    const startMs = performance.now();
    socket.resume();
    if (text !== '') socket.write(text);
    const closed = await eventually(() => socket.readyState !== 'open', 5000);
    t.ok(closed, `${title}: closed after ${(performance.now() - startMs).toFixed()} ms`);
  };
  await Promise.all([
    isClosed('after an answer', 'GET /ping HTTP/1.1\r\nHost: x\r\n\r\n'),
    isClosed('without a request', ''),
    isClosed('in the midst of a head', 'GET /ping HTTP/1.1\r\nHos'),
    isClosed('in the midst of a body', `${postHead('/api/write', 1000)}${LINE}`),
  ]);
  await server.stall();
  const waiting = server.write(LINE);
  await new Promise((resolve) => setTimeout(resolve, 2500));
  server.release();
  t.equal((await waiting).status, 200, 'a client that waits for us is not silent');
  await slowestMs(t, server);
});
