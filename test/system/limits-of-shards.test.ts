import t, { type Test } from 'tap';
import { startServer, type TestServer } from '../helpers/server.js';

const NOW = 1_790_000_040;
const RANGE = { cluster: 'c', from: NOW, to: NOW + 60 };
const HOSTS = 40;

async function start(t: Test, shards: number, limits: object): Promise<TestServer> {
  const server = await startServer({
    metrics: { '*': { frequency: 60, aggregation: 'avg' } },
    metricshard: { shards, 'retention-enforced': false, limits },
  });
  t.teardown(() => server.stop());
  const lines = Array.from({ length: HOSTS }, (_, i) => `m,hostname=h${i} value=${i} ${NOW}\n`);
  t.equal((await server.write(lines.join(''), '?cluster=c')).status, 200);
  return server;
}

const hosts = (count: number): object[] =>
  Array.from({ length: count }, (_, i) => ({ metric: 'm', host: `h${i}` }));

// A limit holds for the request as a whole, in however many shards its series lie.
for (const shards of [1, 3]) {
  const refuses = async (
    t: Test,
    server: TestServer,
    request: object,
    text: string,
  ): Promise<void> => {
    for (const time of ['first', 'again']) {
      const { status, json } = await server.query({ ...RANGE, ...request });
      t.same([status, json.error], [400, text], time);
    }
  };

  t.test(`queries-max, ${shards} shard(s)`, async (t) => {
    const server = await start(t, shards, { 'queries-max': 10 });
    const text = (count: number): string =>
      `${count} queries in one request: the limit queries-max is 10; ask for less`;
    await refuses(t, server, { queries: hosts(11) }, text(11));
    const all = { queries: null, 'for-all-nodes': ['m'] };
    await refuses(t, server, all, text(HOSTS));
    await refuses(t, server, { ...all, queries: hosts(3) }, text(HOSTS + 3));
    const reply = await server.query({ ...RANGE, queries: hosts(10) });
    t.equal(reply.json.results.length, 10);
  });

  t.test(`queries-max that no shard passes alone, ${shards} shard(s)`, async (t) => {
    const server = await start(t, shards, { 'queries-max': HOSTS - 1 });
    const all = { queries: null, 'for-all-nodes': ['m'] };
    const text = `${HOSTS} queries in one request: the limit queries-max is ${HOSTS - 1}; ask for less`;
    await refuses(t, server, all, text);
  });

  t.test(`series-per-query-max, ${shards} shard(s)`, async (t) => {
    const server = await start(t, shards, { 'series-per-query-max': 10 });
    const text =
      'more than 10 series in one request: the limit series-per-query-max is 10; ask for less';
    await refuses(t, server, { queries: hosts(11) }, text);
    await refuses(t, server, { queries: null, 'for-all-nodes': ['m'] }, text);
    t.equal((await server.query({ ...RANGE, queries: hosts(10) })).status, 200);
  });

  t.test(`points-max, ${shards} shard(s)`, async (t) => {
    const server = await start(t, shards, { 'points-max': 1000 });
    const text = 'more than 1000 points in one answer: the limit points-max is 1000; ask for less';
    const long = { to: NOW + 101 * 60 };
    await refuses(t, server, { ...long, queries: hosts(10) }, text);
    const fits = { ...RANGE, to: NOW + 100 * 60, queries: hosts(10) };
    t.equal((await server.query(fits)).status, 200);
  });
}
