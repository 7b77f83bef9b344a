import t from 'tap';
import { LatencyHistogram } from '../../src/protocol/latency-histogram.js';
import { liveRates } from '../../src/telemetry/live.js';
import { ratesBetween } from '../../src/telemetry/rates.js';
import { RequestTimes } from '../../src/http/request-times.js';
import type { Totals } from '../../src/telemetry/totals.js';

type Counters = Readonly<Record<string, number>>;

function totals(atMs: number, shards: readonly Counters[], more: Partial<Totals> = {}): Totals {
  const words = new LatencyHistogram().words;
  return {
    atMs,
    shards: shards.map((counters, index) => ({ index, ready: true, restarts: 0, counters })),
    requests: 0,
    queries: 0,
    receivedBytes: 0,
    sentBytes: 0,
    writeTimes: words,
    queryTimes: words,
    natsLines: NaN,
    cpuSec: 0,
    residentBytes: 5,
    ...more,
  };
}

t.test('rates are what came in the time between', (t) => {
  const writeTimes = new LatencyHistogram();
  for (let time = 0; time < 100; time++) writeTimes.add(0.0009);
  const rates = ratesBetween(
    totals(1000, [{ lines_total: 10, 'rejected:too old': 1, series_current: 1 }, {}]),
    totals(
      3000,
      [
        { lines_total: 30, 'rejected:too old': 3, 'rejected:bad tag': 2, series_current: 4 },
        { lines_total: 5, 'ignored:event': 4, series_current: 2 },
      ],
      { requests: 8, cpuSec: 1, natsLines: 7, writeTimes: writeTimes.words },
    ),
  );
  t.match(rates, {
    linesPerSec: 12.5,
    rejectedPerSec: 2,
    ignoredPerSec: 2,
    requestsPerSec: 4,
    series: 6,
    cpuPercent: 50,
    natsLinesPerSec: NaN,
    writeMsP50: 0.75,
    queryMsP50: NaN,
    residentBytes: 5,
  });
  t.end();
});

t.test('a shard that was started again counts from nothing', (t) => {
  const before = totals(0, [{ lines_total: 1000 }, { lines_total: 10 }]);
  const after = totals(1000, [{ lines_total: 7 }, { lines_total: 20 }]);
  t.equal(ratesBetween(before, after).linesPerSec, 17);
  t.end();
});

t.test('live: reasons that ever were, shard by shard', (t) => {
  const before = totals(0, [{ 'rejected:too old': 5, 'ignored:event': 0 }]);
  const after = totals(2000, [
    { 'rejected:too old': 5, 'rejected:bad tag': 3, 'ignored:event': 0, heap_bytes_current: 9 },
  ]);
  const { timeSec, ...told } = liveRates(before, after, 77) as Record<string, unknown>;
  t.type(timeSec, 'number');
  t.match(told, { rejectedPerSec: 1.5, natsLinesPerSec: null, memoryCapBytes: 77 });
  t.same(told['ignored'], {});
  t.same(told['rejected'], {
    'too old': { perSec: 0, total: 5 },
    'bad tag': { perSec: 1.5, total: 3 },
  });
  t.match(told['shards'], [{ shard: 0, ready: true, heapBytes: 9, linesPerSec: 0 }]);
  t.end();
});

t.test('requests by label', (t) => {
  const requests = new RequestTimes();
  const answer = (path: string, status: number): void =>
    requests.of(path).answered(status, { beganMs: performance.now() });
  for (const status of [200, 204, 304, 400, 404, 503]) answer('/api/query', status);
  for (const path of ['/ui', '/ui', 'other']) answer(path, 200);
  const counts = [...requests.all()].map(({ label, count }) => `${label} ${count}`);
  t.same(counts, ['/api/query 6', '/ui 2', 'other 1']);
  const times = requests.of('/api/query');
  t.same(
    (['ok', 'refused', 'failed'] as const).map((outcome) => times.histogram(outcome).count),
    [3, 2, 1],
  );
  t.same([requests.count, requests.queryCount()], [9, 6]);
  t.end();
});
