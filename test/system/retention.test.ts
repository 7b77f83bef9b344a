import t, { type Test } from 'tap';
import { startWithLevers } from '../helpers/levers.js';
import { eventually, metricSum } from '../helpers/metrics.js';
import type { TestServer } from '../helpers/server.js';

const RETENTION_SEC = 600;
const FUTURE_SEC = 60;
/** Whole blocks go: a sample may stay until the last of its window is too old. */
const WINDOW_SEC = 128;

/** Samples of a second's step whose value tells their time. */
function lines(host: string, fromSec: number, untilSec: number): string {
  let text = '';
  for (let time = fromSec; time < untilSec; time++) {
    text += `m,cluster=c,hostname=${host} value=${time}.5 ${time}\n`;
  }
  return text;
}

/** Data of a host by second, null where it is missing; undefined for a host that is not known. */
async function dataOf(
  server: TestServer,
  host: string,
  from: number,
  to: number,
): Promise<(number | null)[] | undefined> {
  const queries = [{ metric: 'm', host }];
  const { json } = await server.query({ cluster: 'c', from, to, queries });
  return json.results[0][0]?.data;
}

t.test('data past the retention goes', async (t) => {
  const server = await startWithLevers({
    metrics: { '*': { frequency: 1, aggregation: 'avg' } },
    'metric-store': { 'retention-in-memory': `${RETENTION_SEC}s` },
    metricshard: { shards: 2, future: `${FUTURE_SEC}s` },
  });
  t.teardown(() => server.stop());
  await goes(t, server);
});

async function goes(t: Test, server: Awaited<ReturnType<typeof startWithLevers>>): Promise<void> {
  const now = Math.floor(Date.now() / 1000);
  const start = now - RETENTION_SEC + 30;
  for (const host of ['lively', 'silent', 'other']) {
    const { status } = await server.write(lines(host, start, now));
    t.equal(status, 200);
  }
  t.same(
    await dataOf(server, 'silent', start, now),
    Array.from({ length: now - start }, (_, i) => start + i + 0.5),
    'all is there at first',
  );
  const seriesAre = (count: number): Promise<boolean> =>
    eventually(async () => (await metricSum(server, 'metricshard_series')) === count);
  t.ok(await seriesAre(3), 'three series are counted');
  const freedBefore = await metricSum(server, 'metricshard_blocks_freed_total');

  // Half of the time kept goes by; one host goes on.
  const half = RETENTION_SEC / 2;
  await server.clockAhead(half);
  t.equal((await server.write(lines('lively', now, now + half))).status, 200);
  const isFreed = async (): Promise<boolean> =>
    (await metricSum(server, 'metricshard_blocks_freed_total')) > freedBefore;
  t.ok(await eventually(isFreed), 'blocks are freed, and counted');
  const oldest = now + half - RETENTION_SEC;
  for (const host of ['lively', 'silent']) {
    let data: (number | null)[] = [];
    let first = start;
    // Each shard has a sweep of its own.
    const hasGone = async (): Promise<boolean> => {
      data = (await dataOf(server, host, start, now))!;
      first = data.findIndex((value) => value !== null) + start;
      return first > start;
    };
    t.ok(await eventually(hasGone), `${host}: the oldest went`);
    // Time has gone on since the samples were written.
    const oldestKept = Math.ceil(Date.now() / 1000) + half - RETENTION_SEC;
    t.ok(
      first >= oldest - WINDOW_SEC && first <= oldestKept,
      `${host}: but no more than is too old: ${first} is from ${oldest - WINDOW_SEC} to ${oldestKept}`,
    );
    t.same(
      data.slice(first - start),
      Array.from({ length: now - first }, (_, i) => first + i + 0.5),
      `${host}: the others are as they were`,
    );
  }

  const late = await server.write(
    lines('late', oldest - 10, oldest - 9) + lines('late', now, now + 1),
  );
  t.equal(late.status, 400, 'a sample past the retention is rejected');
  t.match(late.json, { written: 1, rejected: 1 });
  t.match(late.json.first[0].reason, /oldest that retention keeps \(retention-in-memory\)/);
  const early = now + half + FUTURE_SEC + 10;
  const ahead = await server.write(lines('late', early, early + 1) + lines('late', now, now + 1));
  t.match(ahead.json, {
    written: 1,
    rejected: 1,
    first: [{ reason: /latest that is taken \(future\)/ }],
  });

  // All of it is too old but what one host wrote last.
  await server.clockAhead(half + RETENTION_SEC - 30);
  const isRemoved = async (): Promise<boolean> =>
    (await metricSum(server, 'metricshard_series_removed_total')) >= 2;
  t.ok(await eventually(isRemoved), 'series that have nothing left are removed');
  t.equal(await dataOf(server, 'silent', start, now), undefined, 'as if it had never been seen');
  t.ok(await seriesAre(1), 'one series is left');
  const newest = (await dataOf(server, 'lively', now + half - 10, now + half))!;
  t.same(
    newest,
    Array.from({ length: 10 }, (_, i) => now + half - 10 + i + 0.5),
  );

  const today = now + half + RETENTION_SEC - 30;
  t.equal((await server.write(lines('silent', today, today + 5))).status, 200, 'it may come back');
  t.same((await dataOf(server, 'silent', today, today + 5))![0], today + 0.5);
}

t.test('without enforcement nothing goes', async (t) => {
  const server = await startWithLevers({
    metrics: { '*': { frequency: 1, aggregation: 'avg' } },
    'metric-store': { 'retention-in-memory': `${RETENTION_SEC}s` },
    metricshard: { shards: 1, 'retention-enforced': false },
  });
  t.teardown(() => server.stop());
  const long = 1_000_000_000;
  t.equal((await server.write(lines('h', long, long + 400))).status, 200);
  await server.clockAhead(10 * RETENTION_SEC);
  const data = (await dataOf(server, 'h', long, long + 400))!;
  t.equal(data.filter((value) => value !== null).length, 400);
  t.equal(await metricSum(server, 'metricshard_blocks_freed_total'), 0);
});
