import { request as httpRequest } from 'node:http';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { compress } from 'zstd-napi';
import { readMetrics } from '../helpers/metrics.js';
import { startServer, type Reply, type TestServer } from '../helpers/server.js';

const STEP_SEC = 60;
const NOW = 1_790_000_000 - (1_790_000_000 % STEP_SEC);
const CORES = 400;
const BODY_BYTES_MAX = 100_000;
const RANGE = { cluster: 'c', from: NOW, to: NOW + STEP_SEC };
const HOST = { metric: 'm', host: 'h' };

const coreLine = (core: number, minute: number): string =>
  `m,cluster=c,hostname=h,type=hwthread,type-id=${core} value=${core}.5 ${NOW + minute * STEP_SEC}\n`;

function coreLines(minute: number): string {
  return Array.from({ length: CORES }, (_, core) => coreLine(core, minute)).join('');
}

/** A store that knows a host with its cores, and the check that it still does. */
interface Known {
  readonly server: TestServer;
  /** What was stored is there, and the next minute's samples are taken. */
  stillWorks(t: Test): Promise<void>;
}

async function start(t: Test, adapter: string, shards: number, limits: object): Promise<Known> {
  const server = await startServer({
    metrics: { '*': { frequency: STEP_SEC, aggregation: 'avg' } },
    metricshard: { shards, 'http-adapter': adapter, 'retention-enforced': false, limits },
  });
  t.teardown(() => server.stop());
  t.equal((await server.write(coreLines(0))).status, 200);
  let minutes = 1;
  const stillWorks = async (t: Test): Promise<void> => {
    const { status, json } = await server.write(coreLines(minutes));
    t.equal(status, 200);
    t.equal(json.written, CORES, 'the next samples are taken');
    minutes++;
    for (const core of [0, CORES - 1]) {
      const query = { ...HOST, type: 'hwthread', 'type-ids': [core] };
      const to = NOW + minutes * STEP_SEC;
      const answer = await server.query({ ...RANGE, to, queries: [query] });
      const wanted = Array.from({ length: minutes }, () => core + 0.5);
      t.same(answer.json.results[0][0].data, wanted, 'what is known is told');
    }
  };
  return { server, stillWorks };
}

/** An answer that refuses, and names what was passed and how much it is. */
function refuses(t: Test, reply: Reply, status: number, name: RegExp): void {
  t.equal(reply.status, status, reply.text.slice(0, 200));
  t.match(reply.json?.error, name);
}

for (const adapter of ['uws', 'node']) {
  t.test(`limits of queries, ${adapter}`, async (t) => {
    const limits = {
      'queries-max': 20,
      'series-per-query-max': CORES,
      'points-max': 1000,
      'query-body-bytes-max': 4096,
    };
    const { server, stillWorks } = await start(t, adapter, 1, limits);
    const hosts = Array.from(
      { length: 21 },
      (_, i) => `m,cluster=many,hostname=n${i} value=1 ${NOW}\n`,
    );
    await server.write(hosts.join(''));
    const check = async (request: object, status: number, name: RegExp): Promise<void> => {
      refuses(t, await server.query(request), status, name);
      await stillWorks(t);
    };
    await check({ ...RANGE, queries: Array(21).fill(HOST) }, 400, /queries-max is 20/);
    const all = { ...RANGE, cluster: 'many', 'for-all-nodes': ['m'] };
    await check(all, 400, /queries-max is 20/);
    await check({ ...RANGE, queries: [HOST, HOST] }, 400, /series-per-query-max is 400/);
    const long = { ...RANGE, from: NOW - 1000 * STEP_SEC };
    await check({ ...long, queries: [HOST] }, 400, /points-max is 1000/);
    const blank = { ...RANGE, padding: ' '.repeat(4096), queries: [HOST] };
    await check(blank, 413, /query-body-bytes-max \(4096 bytes\)/);
    // Just below each of them is an answer.
    const fits = { ...RANGE, cluster: 'many', queries: Array(20).fill({ ...HOST, host: 'n0' }) };
    t.equal((await server.query(fits)).status, 200);
    t.equal((await server.query({ ...RANGE, queries: [HOST] })).status, 200);
    const nearly = { ...RANGE, from: NOW - 999 * STEP_SEC, queries: [HOST] };
    t.equal((await server.query(nearly)).status, 200);
  });

  t.test(`limits of bodies and lines, ${adapter}`, async (t) => {
    const limits = { 'body-bytes-max': BODY_BYTES_MAX, 'line-bytes-max': 256 };
    const { server, stillWorks } = await start(t, adapter, 1, limits);
    const large = Buffer.from(coreLines(500).repeat(8));
    t.ok(large.length > BODY_BYTES_MAX);
    const bodies: [string, Uint8Array, Record<string, string>][] = [
      ['plain', large, {}],
      ['gzip', gzipSync(large), { 'Content-Encoding': 'gzip' }],
      ['zstd', compress(large), { 'Content-Encoding': 'zstd' }],
    ];
    for (const [title, body, headers] of bodies) {
      for (const path of ['/api/write', '/write', '/api/v2/write']) {
        const reply = await server.request(path, {
          method: 'POST',
          headers,
          body: body as BodyInit,
        });
        refuses(t, reply, 413, /body-bytes-max \(100000 bytes\)/);
      }
      const range = { ...RANGE, from: NOW + 500 * STEP_SEC, to: NOW + 501 * STEP_SEC };
      const { json } = await server.query({ ...range, queries: [HOST] });
      t.same(json.results[0][0].data, [null], `${title}: nothing of it is stored`);
      await stillWorks(t);
    }
    t.equal(await sendInChunks(server, large), 413, 'a body that does not tell its length');
    const long = coreLine(0, 100) + `m,x=${'y'.repeat(300)} value=1\n` + coreLine(1, 100);
    const reply = await server.write(long);
    refuses(t, reply, 400, /1 of 3 lines were rejected; line 2, .*line-bytes-max is 256/);
    t.equal(reply.json.written, 2, 'the lines around it are stored');
    await stillWorks(t);
  });
}

/** POSTs a body without a Content-Length; resolves to the status of the answer. */
function sendInChunks(server: TestServer, body: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    const target = { host: '127.0.0.1', port: server.port, path: '/api/write', method: 'POST' };
    const sent = httpRequest({ ...target, headers: { 'Transfer-Encoding': 'chunked' } });
    sent.on('error', reject);
    sent.on('response', (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode!));
    });
    sent.end(body);
  });
}

for (const shards of [1, 2]) {
  t.test(`a query that takes too long, ${shards} shard(s)`, async (t) => {
    const { server, stillWorks } = await start(t, 'auto', shards, { 'query-time-ms-max': 5 });
    const queries = Array(500).fill(HOST);
    const heavy = { ...RANGE, from: NOW - 5000 * STEP_SEC, queries };
    const startMs = performance.now();
    refuses(t, await server.query(heavy), 400, /query-time-ms-max is 5/);
    const took = performance.now() - startMs;
    t.ok(took < 1000, `it is ended after ${took.toFixed()} ms`);
    await stillWorks(t);
  });

  t.test(`more series than series-max, ${shards} shard(s)`, async (t) => {
    // Each shard has its part of the limit: one host can not take more.
    const most = (CORES + 10) * shards;
    const { server, stillWorks } = await start(t, 'auto', shards, { 'series-max': most });
    const lines = Array.from({ length: 2 * most }, (_, i) => coreLine(CORES + i, 0));
    const reply = await server.write(lines.join(''));
    refuses(t, reply, 400, new RegExp(`series-max \\(${most}.*\\) is reached`));
    t.equal(reply.json.written, 10, 'as many as there is room for');
    t.equal(reply.json.rejected, 2 * most - 10);
    const rejected = [...(await readMetrics(server))]
      .filter(([name]) => /lines_rejected_total.*too many series/.test(name))
      .reduce((sum, [, count]) => sum + count, 0);
    t.equal(rejected, 2 * most - 10, 'and the others are counted');
    await stillWorks(t);
  });
}

t.test('names of clusters and hosts', async (t) => {
  const { server, stillWorks } = await start(t, 'auto', 2, {});
  const name = 'x'.repeat(128);
  const good = `m,cluster=${name},hostname=${name} value=1 ${NOW}\n`;
  t.equal((await server.write(good)).status, 200);
  for (const bad of [good.replace('cluster=', 'cluster=x'), good.replace('hostname=', 'host=x')]) {
    const reply = await server.write(bad + good);
    refuses(t, reply, 400, /128 bytes/);
    t.match(reply.json, { written: 1, rejected: 1 });
  }
  const line = `m,hostname=h value=1 ${NOW}\n`;
  refuses(t, await server.write(line, `?cluster=${name}x`), 400, /cluster .*128 bytes/);
  t.equal((await server.write(line, `?cluster=${name}`)).status, 200);
  await stillWorks(t);
});
