import { request as httpRequest } from 'node:http';
import t from 'tap';
import type { HttpExchange } from '../../src/http/server.js';
import { SLOW_QUERIES_MAX, SlowQueries } from '../../src/telemetry/slow-queries.js';
import { eventually, metricSum } from '../helpers/metrics.js';
import { startServer, type TestServer } from '../helpers/server.js';

interface Listed {
  readonly thresholdMs: number;
  readonly queries: readonly Record<string, unknown>[];
}

t.test('which are kept', (t) => {
  let thresholdMs = 50;
  const logged: object[] = [];
  const slow = new SlowQueries(() => thresholdMs, { debug: (fields) => logged.push(fields) });
  const over = (tookMs: number, more: Partial<HttpExchange> = {}): void => {
    const beganMs = performance.now() - tookMs;
    const query = new URLSearchParams('cluster=alex&token=geheim');
    const answer = { status: 200, answeredBytes: 7, staysOpen: false };
    const exchange = { path: '/p', caller: 'anna', text: 'body', query, beganMs, ...answer };
    slow.over({ ...exchange, ...more } as HttpExchange);
  };
  const list = (): Listed => slow.list() as Listed;
  over(1);
  over(3_600_000, { staysOpen: true });
  t.same(list(), { thresholdMs: 50, queries: [] });
  over(100);
  t.match(list().queries, [{ path: '/p', caller: 'anna', status: 200, bytes: 7, request: 'body' }]);
  t.ok((list().queries[0]!['milliseconds'] as number) >= 100);
  over(100, { text: '' });
  t.equal(list().queries[0]!['request'], 'cluster=alex&token=***', 'its parameters, no secrets');
  over(100, { text: 'é'.repeat(5000) });
  t.equal(list().queries[0]!['request'], 'é'.repeat(2000), 'clipped');
  thresholdMs = 0;
  over(1e6);
  t.equal(list().queries.length, 3, '0: none is kept');
  thresholdMs = 1;
  for (let number = 0; number < SLOW_QUERIES_MAX + 5; number++) over(10, { text: `${number}` });
  t.equal(list().queries.length, SLOW_QUERIES_MAX);
  t.equal(list().queries[0]!['request'], `${SLOW_QUERIES_MAX + 4}`, 'newest first');
  t.equal(logged.length, SLOW_QUERIES_MAX + 8, 'each is logged');
  t.match(slow.metrics(), `metricshard_slow_queries_total ${SLOW_QUERIES_MAX + 8}\n`);
  t.end();
});

/** Sends a query whose body comes some time after its head. */
function askSlowly(server: TestServer, body: string, waitMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Length': Buffer.byteLength(body) };
    const place = { host: '127.0.0.1', port: server.port, path: '/api/query', method: 'POST' };
    const request = httpRequest({ ...place, headers }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode!));
    });
    request.once('error', reject);
    request.flushHeaders();
    setTimeout(() => request.end(body), waitMs);
  });
}

for (const adapter of ['uws', 'node']) {
  t.test(`slow queries and the log of a running store, ${adapter}`, async (t) => {
    const server = await startServer({
      metricshard: { 'http-adapter': adapter, 'slow-query-ms': 300, 'log-level': 'debug' },
    });
    t.teardown(() => server.stop());
    const body = JSON.stringify({ cluster: 'alex', from: 0, to: 60, queries: [] });
    t.equal((await server.query(body)).status, 200);
    t.equal(await askSlowly(server, body, 400), 200);
    const { json } = await server.get('/api/v2/debug/slow-queries');
    const found = json.queries.find((one: { request: string }) => one.request === body);
    t.match(found, { path: '/api/query', caller: 'anonymous', status: 200 });
    t.ok(found.milliseconds >= 300 && found.bytes > 10, JSON.stringify(found));
    t.ok((await metricSum(server, 'metricshard_slow_queries_total')) >= 1);
    t.equal(json.thresholdMs, 300);

    const patch = { metricshard: { 'slow-query-ms': 0 } };
    const changed = await server.request('/api/v2/admin/config', {
      method: 'PATCH',
      headers: { 'Content-Type': 'application/merge-patch+json' },
      body: JSON.stringify(patch),
    });
    t.equal(changed.status, 200, changed.text);
    const then = await server.get('/api/v2/debug/slow-queries');
    t.equal(then.json.thresholdMs, 0, 'it changes while the store runs');

    const log = await server.get('/api/v2/debug/log');
    const texts = log.json.lines.map(({ text }: { text: string }) => text).join('\n');
    t.match(texts, /metricshard \S+ listens on/);
    t.match(texts, /slow query: \/api\/query took/);
    t.match(texts, /admin action: PATCH/);
    const printed = (): number => server.output().match(/^\{/gm)!.length;
    const isAll = (): boolean => printed() === log.json.lines.length;
    t.ok(await eventually(isAll), 'all that was printed');
    const since = await server.get(`/api/v2/debug/log?after=${log.json.next}`);
    t.same(since.json, { lines: [], next: log.json.next }, 'to look at it is no line in it');
    t.equal((await server.get('/api/v2/debug/log?after=x')).status, 400);
    const more = await server.get(`/api/v2/debug/log?after=${log.json.next}&level=info`);
    t.match(more.json.lines, [{ text: /GET \/api\/v2\/debug\/log/ }], 'but a refusal is');
  });
}
