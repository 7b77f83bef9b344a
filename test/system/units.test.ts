import t, { type Test } from 'tap';
import { becomesReady, durable, problemsOf, temporaryFolder } from '../helpers/durable.js';
import { eventually, metricSum } from '../helpers/metrics.js';
import { startServer, type TestServer } from '../helpers/server.js';

const STEP_SEC = 60;
const ROUNDS = 6;
const HOSTS = ['h0', 'h1', 'h2', 'h3', 'h4', 'h5'];
/** Some minutes ago, on the grid. */
const FIRST = Math.floor(Date.now() / 1000 / STEP_SEC - 2 * ROUNDS) * STEP_SEC;

const METRICS = {
  mem_bw: { frequency: STEP_SEC, aggregation: 'sum', unit: 'MB/s' },
  temp: { frequency: STEP_SEC, aggregation: 'avg', unit: 'degC' },
  load: { frequency: STEP_SEC, aggregation: null, unit: 'load 1m' },
  free: { frequency: STEP_SEC, aggregation: null },
};

/** What is sent, with what it is in each round, and what is stored of it. */
interface Sent {
  readonly metric: string;
  readonly unit: string;
  readonly value: (round: number) => string;
  readonly stored: (round: number) => number;
}

const SENT: readonly Sent[] = [
  one(
    'mem_bw',
    'GBytes/s',
    (i) => `1.00${i}`,
    (i) => 1000 + i,
  ),
  one(
    'mem_bw',
    'MBytes/s',
    (i) => `7.${i}`,
    (i) => 7 + i / 10,
  ),
  one(
    'mem_bw',
    '',
    (i) => `0.${i}`,
    (i) => i / 10,
  ),
  one(
    'mem_bw',
    'GFlops/s',
    (i) => `3.${i}`,
    (i) => Number(`3.${i}`),
  ),
  one(
    'temp',
    'degF',
    (i) => `${32 + 9 * i}`,
    (i) => 5 * i,
  ),
  one(
    'temp',
    'bananas',
    (i) => `${i}`,
    (i) => i,
  ),
  one(
    'load',
    'load\\ 1m',
    (i) => `${i}.5`,
    (i) => i + 0.5,
  ),
  one(
    'load',
    'none',
    (i) => `${i}.25`,
    (i) => i + 0.25,
  ),
  one(
    'free',
    'GB',
    (i) => `${i}e1`,
    (i) => 10 * i,
  ),
];
const CONVERTED_PER_HOST = 2;
const MISMATCHED_PER_HOST = 3;

function one(metric: string, unit: string, value: Sent['value'], stored: Sent['stored']): Sent {
  return { metric, unit, value, stored };
}

/** Each unit goes to a hardware thread of its own. */
function body(host: string, round: number): string {
  return SENT.map(({ metric, unit, value }, id) => {
    const tag = unit === '' ? '' : `,unit=${unit}`;
    const tags = `cluster=alex,hostname=${host},type=hwthread,type-id=${id}${tag}`;
    return `${metric},${tags} value=${value(round)} ${FIRST + round * STEP_SEC}\n`;
  }).join('');
}

async function stored(server: TestServer, host: string, rounds: number): Promise<unknown> {
  const reply = await server.query({
    cluster: 'alex',
    from: FIRST,
    to: FIRST + rounds * STEP_SEC,
    'with-stats': false,
    queries: SENT.map(({ metric }, id) => ({
      metric,
      host,
      type: 'hwthread',
      'type-ids': [String(id)],
      resolution: 0,
    })),
  });
  return reply.json.results.map(([element]: [{ data: number[] }]) => element.data);
}

function wanted(rounds: number): number[][] {
  return SENT.map((sent) => Array.from({ length: rounds }, (_, round) => sent.stored(round)));
}

async function startHere(t: Test, shards: number, directory: string): Promise<TestServer> {
  const server = await startServer(durable(directory, shards, METRICS));
  t.teardown(() => server.kill());
  t.ok(await becomesReady(server), 'it serves');
  t.same(problemsOf(server), []);
  return server;
}

for (const shards of [1, 3]) {
  t.test(`units of lines, ${shards} shard(s)`, async (t) => {
    const directory = temporaryFolder(t, 'units');
    let server = await startHere(t, shards, directory);
    const write = async (rounds: readonly number[]): Promise<void> => {
      for (const round of rounds) {
        for (const host of HOSTS) {
          t.equal((await server.write(body(host, round))).status, 200);
        }
      }
    };
    await write([0, 1, 2, 3]);
    for (const host of HOSTS) t.strictSame(await stored(server, host, 4), wanted(4), host);
    await t.test('counters', async (t) => {
      const lines = 4 * HOSTS.length;
      t.equal(
        await metricSum(server, 'metricshard_unit_converted_total'),
        lines * CONVERTED_PER_HOST,
      );
      t.equal(
        await metricSum(server, 'metricshard_unit_mismatches_total'),
        lines * MISMATCHED_PER_HOST,
      );
    });
    await t.test('the report', (t) => reports(t, server, 4));
    await t.test('the log', async (t) => {
      const told = (): number => server.output().split('/api/v2/unit-mismatches lists').length - 1;
      const all = MISMATCHED_PER_HOST * shards;
      t.ok(await eventually(() => told() >= MISMATCHED_PER_HOST), 'tells of each metric and unit');
      t.ok(told() <= all, `${told()} of at most ${all} messages`);
    });

    await server.kill();
    server = await startHere(t, shards, directory);
    t.strictSame(await stored(server, 'h0', 4), wanted(4), 'the log has converted values');
    t.strictSame((await server.get('/api/v2/unit-mismatches')).json, {
      mismatches: [],
      linesNotListed: 0,
    });
    await write([4, 5]);
    for (const host of HOSTS) t.strictSame(await stored(server, host, 6), wanted(6), host);
    await t.test('the report begins anew', (t) => reports(t, server, 2));
    t.equal(await server.stop(), 0);
    server = await startHere(t, shards, directory);
    t.strictSame(await stored(server, 'h5', 6), wanted(6), 'so has the checkpoint');
  });
}

async function reports(t: Test, server: TestServer, lines: number): Promise<void> {
  const list = async (query = ''): Promise<Record<string, unknown>[]> => {
    const { status, json } = await server.get(`/api/v2/unit-mismatches${query}`);
    t.equal(status, 200);
    t.equal(json.linesNotListed, 0);
    return json.mismatches;
  };
  const all = await list();
  const rows = HOSTS.flatMap((host) => [
    { cluster: 'alex', host, metric: 'load', unit: 'none', expected: 'load 1m', lines },
    { cluster: 'alex', host, metric: 'mem_bw', unit: 'GFlops/s', expected: 'MB/s', lines },
    { cluster: 'alex', host, metric: 'temp', unit: 'bananas', expected: 'degC', lines },
  ]);
  t.strictSame(
    all.map(({ firstSec: _first, lastSec: _last, ...row }) => row),
    rows,
  );
  const nowSec = Date.now() / 1000;
  for (const { firstSec, lastSec } of all as { firstSec: number; lastSec: number }[]) {
    t.ok(firstSec <= lastSec && lastSec <= nowSec && firstSec > nowSec - 120, 'when it was seen');
  }
  t.equal((await list('?host=h3')).length, 3);
  t.equal((await list('?metric=temp')).length, HOSTS.length);
  t.equal((await list('?metric=temp&host=h1&cluster=alex')).length, 1);
  t.equal((await list('?cluster=fritz')).length, 0);
}

t.test('too large when it is converted', async (t) => {
  const server = await startServer({ metrics: METRICS });
  t.teardown(() => server.stop());
  const line = (value: string): string =>
    `mem_bw,cluster=alex,hostname=h,unit=YB/s value=${value} ${FIRST}\n`;
  for (const time of ['first', 'again']) {
    const { status, json } = await server.write(line('2') + line('1e299'));
    t.match([status, json], [400, { written: 1, rejected: 1 }], time);
    t.strictSame(json.first, [
      { line: 2, column: 48, reason: '`value` in YB/s is too large for a double in MB/s' },
    ]);
  }
  t.equal(await metricSum(server, 'metricshard_unit_converted_total'), 2);
});

t.test('lines are counted whether their prefix is remembered or not', async (t) => {
  const server = await startServer({
    metrics: METRICS,
    metricshard: { shards: 1, limits: { 'prefixes-max': 20 } },
  });
  t.teardown(() => server.stop());
  for (let round = 0; round < 4; round++) {
    // Hosts one and two fit; all do not.
    const hosts = round % 2 === 0 ? HOSTS : HOSTS.slice(0, 2);
    for (const host of hosts) await server.write(body(host, round));
  }
  const { json } = await server.get('/api/v2/unit-mismatches');
  const linesOf = (host: string): number[] =>
    json.mismatches
      .filter((row: { host: string }) => row.host === host)
      .map((row: { lines: number }) => row.lines);
  t.strictSame(linesOf('h0'), [4, 4, 4]);
  t.strictSame(linesOf('h5'), [2, 2, 2]);
  const evictions = (): Promise<number> => metricSum(server, 'metricshard_prefix_evictions_total');
  t.ok(await eventually(async () => (await evictions()) > 0), 'some were forgotten');
  t.equal(await metricSum(server, 'metricshard_unit_converted_total'), CONVERTED_PER_HOST * 16);
  t.strictSame(await stored(server, 'h1', 4), wanted(4));
});

t.test('unit-mismatches-max is reached', async (t) => {
  const server = await startServer({
    metrics: METRICS,
    metricshard: { shards: 1, limits: { 'unit-mismatches-max': 4 } },
  });
  t.teardown(() => server.stop());
  for (let round = 0; round < 3; round++) {
    for (const host of HOSTS) await server.write(body(host, round));
  }
  const { json } = await server.get('/api/v2/unit-mismatches');
  t.equal(json.mismatches.length, 4);
  const lines = 3 * MISMATCHED_PER_HOST * HOSTS.length;
  t.equal(json.linesNotListed, lines - 4 * 3);
  t.equal(await metricSum(server, 'metricshard_unit_mismatches_total'), lines);
  t.strictSame(await stored(server, 'h5', 3), wanted(3), 'what is not listed is stored as well');
});
