import t from 'tap';
import { startServer, type TestServer } from '../helpers/server.js';

const MB = 1e6;
const NOW = 1_790_000_000 - (1_790_000_000 % 60);
const KNOWN_SERIES = 500;
const PREFIXES_MAX = 20_000;

async function start(limits: object): Promise<TestServer> {
  const server = await startServer({
    metrics: { '*': { frequency: 60, aggregation: 'avg' } },
    metricshard: { shards: 1, 'retention-enforced': false, limits },
  });
  return server;
}

function knownLines(minute: number): string {
  const at = NOW + minute * 60;
  return Array.from(
    { length: KNOWN_SERIES },
    (_, i) => `known,cluster=c,hostname=h,type=hwthread,type-id=${i} value=${minute}.${i} ${at}\n`,
  ).join('');
}

t.test('100,000 prefixes with unknown tags do not push out what is in use', async (t) => {
  const server = await start({ 'prefixes-max': PREFIXES_MAX });
  t.teardown(() => server.stop());
  await server.write(knownLines(0));
  let before = 0;
  for (let minute = 1; minute <= 100; minute++) {
    const strange = Array.from(
      { length: 1000 },
      (_, i) => `known,cluster=c,hostname=h,request=${minute}-${i} value=1 ${NOW + minute * 60}\n`,
    );
    const { status, json } = await server.write(knownLines(minute) + strange.join(''));
    t.equal(status, 200);
    t.equal(json.written, KNOWN_SERIES + 1000);
    if (minute === 40) before = server.rssBytes();
  }
  const grown = (server.rssBytes() - before) / MB;
  t.ok(grown < 30, `60,000 more of them took ${grown.toFixed()} MB`);

  // The gauges are set now and then.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const metrics = (await server.get('/metrics')).text;
  const prefixes = Number(/^metricshard_prefixes\{[^}]*\} (\d+)/m.exec(metrics)?.[1]);
  t.ok(prefixes <= PREFIXES_MAX, `${prefixes} prefixes are remembered`);
  const series = Number(/^metricshard_series\{[^}]*\} (\d+)/m.exec(metrics)?.[1]);
  t.equal(series, KNOWN_SERIES + 1, 'unknown tags make no series');

  const { json } = await server.query({
    cluster: 'c',
    from: NOW,
    to: NOW + 101 * 60,
    queries: [
      {
        metric: 'known',
        host: 'h',
        type: 'hwthread',
        'type-ids': Array.from({ length: KNOWN_SERIES }, (_, i) => String(i)),
      },
    ],
  });
  const wrong = json.results[0].filter(
    ({ data }: { data: number[] }, i: number) =>
      data.length !== 101 || data.some((value, minute) => value !== Number(`${minute}.${i}`)),
  );
  t.equal(wrong.length, 0, 'the series in use have every sample');
});

t.test(
  'more series than the limit are rejected by its name, those that are there go on',
  async (t) => {
    const server = await start({ 'series-max': 1000 });
    t.teardown(() => server.stop());
    await server.write(knownLines(0));
    const hosts = Array.from(
      { length: 2000 },
      (_, i) => `m,cluster=c,hostname=n${i} value=1 ${NOW}\n`,
    );
    const { status, json } = await server.write(hosts.join('') + knownLines(1));
    t.equal(status, 400);
    t.equal(json.written + json.rejected, 2000 + KNOWN_SERIES);
    t.equal(json.written, 500 + KNOWN_SERIES);
    t.match(json.first[0].reason, /series-max|seriesMax/);
    t.equal(json.first.length, 10, 'ten examples');
  },
);

t.test('every limit of a query is an answer that names it', async (t) => {
  const server = await start({
    'queries-max': 10,
    'series-per-query-max': 600,
    'points-max': 5000,
    'query-body-bytes-max': 2048,
    'body-bytes-max': 100_000,
    'line-bytes-max': 1024,
  });
  t.teardown(() => server.stop());
  await server.write(knownLines(0));
  const range = { cluster: 'c', from: NOW, to: NOW + 60 };
  const host = { metric: 'known', host: 'h' };
  const check = async (name: RegExp, request: object): Promise<void> => {
    const { status, json } = await server.query(request);
    t.ok(status === 400 || status === 413, `${name}: status ${status}`);
    t.match(json.error, name);
  };
  await check(/queries-?max/i, { ...range, queries: Array(11).fill(host) });
  await check(/series-?per-?query-?max/i, { ...range, queries: [host, host] });
  await check(/points-?max/i, { ...range, to: NOW + 5001 * 60, queries: [host] });
  await check(/query-?body-?bytes-?max/i, { ...range, padding: 'x'.repeat(3000), queries: [host] });
  const large = await server.write(knownLines(0).repeat(10));
  t.equal(large.status, 413);
  t.match(large.json.error, /body-?bytes-?max/i);
  const long = await server.write(`m,cluster=c,hostname=h,x=${'y'.repeat(2000)} value=1 ${NOW}\n`);
  t.equal(long.status, 400);
  t.match(long.json.first[0].reason, /line-?bytes-?max/i);
});
