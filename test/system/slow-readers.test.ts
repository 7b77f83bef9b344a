import t from 'tap';
import { eventually, metricSum } from '../helpers/metrics.js';
import { startServer } from '../helpers/server.js';
import { openSocket, postHead } from '../helpers/socket.js';

const MB = 1e6;
const NOW = 1_790_000_000 - (1_790_000_000 % 60);
const CLIENTS = 30;
/** Points of an answer, of which each takes five bytes: much more than sockets hold. */
const POINTS = 1_000_000;
const ANSWER_MB = 5;

const query = (points: number): object => ({
  cluster: 'c',
  from: NOW - points * 60,
  to: NOW + 60,
  queries: [{ metric: 'm', host: 'known' }],
});

// Both at once, since the time after which uWebSockets.js gives a client up can not be set.
t.jobs = 2;
for (const adapter of ['uws', 'node']) {
  t.test(`clients that never read are given up, ${adapter}`, async (t) => {
    const server = await startServer({
      metrics: { '*': { frequency: 60, aggregation: 'avg' } },
      metricshard: {
        shards: 1,
        'http-adapter': adapter,
        'retention-enforced': false,
        limits: { 'idle-timeout-sec': 2 },
      },
    });
    t.teardown(() => server.stop());
    const works = async (): Promise<void> => {
      const time = NOW + 60;
      const write = await server.write(`m,cluster=c,hostname=known value=2.5 ${time}\n`);
      t.equal(write.status, 200, 'a write is taken');
      const { json } = await server.query(query(0));
      t.equal(json.results[0][0].data[0], 1.25, 'what is known is told');
    };
    await server.write(`m,cluster=c,hostname=known value=1.25 ${NOW}\n`);
    await works();
    const before = server.rssBytes();
    const body = JSON.stringify(query(POINTS));
    const sockets = await Promise.all(
      Array.from({ length: CLIENTS }, () => openSocket(server.port)),
    );
    t.teardown(() => {
      for (const socket of sockets) socket.destroy();
    });
    for (const socket of sockets) {
      socket.pause();
      socket.write(postHead('/api/query', body.length) + body);
    }
    const inFlight = (): Promise<number> =>
      metricSum(server, 'metricshard_http_requests_in_flight');
    const sent = async (): Promise<boolean> =>
      (await metricSum(server, 'metricshard_http_sent_bytes_total')) > CLIENTS * POINTS * 5;
    t.ok(await eventually(sent), 'all are answered');
    // The request that asks is one of them.
    t.equal(await inFlight(), CLIENTS + 1, 'none has its answer');
    const grownMb = (server.rssBytes() - before) / MB;
    t.ok(grownMb < CLIENTS * ANSWER_MB * 1.5 + 100, `${grownMb.toFixed()} MB are held for them`);
    await works();

    const startMs = performance.now();
    const givenUp = await eventually(async () => (await inFlight()) === 1, 20_000);
    t.ok(givenUp, `given up after ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
    await works();
  });
}
