import t, { type Test } from 'tap';
import { agedShardEnv } from '../helpers/aged-shard.js';
import { eventually, metricSum } from '../helpers/metrics.js';
import { Random, seed } from '../helpers/random.js';
import { startServer, type TestServer } from '../helpers/server.js';

const MB = 1e6;
const CAP_MB = 8;
const STEP_SEC = 60;
const START = 1_700_000_040 - (1_700_000_040 % STEP_SEC);
const SERIES = 80;
/** Values have so many digits that a sample takes about six bytes. */
const DIGITS = 14;
const SAMPLE_BYTES = 6;
const MINUTES_A_BODY = 400;
const BODIES = 65;
const MINUTES = MINUTES_A_BODY * BODIES;

/** Where a heap that has so much begins, up to what is kept back for larger tables. */
const heapBaseOf = (mb: number): number => 0xff00_0000 - Math.round((mb * MB) / 65_536) * 65_536;

/** `isTop`: without a cap, but at the top of the 4 GiB that a shard can have. */
function startCapped(shards: number, capMb: number, isTop = false): Promise<TestServer> {
  return startServer(
    {
      metrics: { '*': { frequency: STEP_SEC, aggregation: 'avg' } },
      'metric-store': { 'memory-cap': isTop ? 0 : capMb / 1000 },
      metricshard: { shards, 'retention-enforced': false, limits: { 'prefixes-max': 1024 } },
    },
    isTop ? { env: agedShardEnv(heapBaseOf(capMb / shards)) } : {},
  );
}

const hostOf = (series: number): string => `h${Math.floor(series / 10)}`;

for (const [shards, isTop] of [
  [1, false],
  [2, false],
  [1, true],
] as const) {
  const what = isTop ? 'the end of 4 GiB' : 'the cap';
  t.test(`the oldest goes when ${what} is reached, ${shards} shard(s), seed ${seed}`, async (t) => {
    const server = await startCapped(shards, CAP_MB, isTop);
    t.teardown(() => server.stop());
    const random = new Random(seed);
    const samples = Array.from({ length: SERIES }, () => new Float64Array(MINUTES));
    const prefixes = samples.map(
      (_, i) => `m,cluster=c,hostname=${hostOf(i)},type=hwthread,type-id=${i} value=`,
    );
    let heapBytesMax = 0;
    let rssBefore = 0;
    let refused = 0;
    for (let body = 0; body < BODIES; body++) {
      let text = '';
      const from = body * MINUTES_A_BODY;
      for (let i = 0; i < SERIES; i++) {
        for (let minute = from; minute < from + MINUTES_A_BODY; minute++) {
          const value = random.next().toFixed(DIGITS);
          samples[i]![minute] = Number(value);
          text += `${prefixes[i]!}${value} ${START + minute * STEP_SEC}\n`;
        }
      }
      const { status } = await server.write(text);
      if (status !== 200) refused++;
      heapBytesMax = Math.max(heapBytesMax, await metricSum(server, 'metricshard_heap_bytes'));
      if (body === BODIES - 20) rssBefore = server.rssBytes();
    }
    t.equal(refused, 0, 'every body is taken');
    const isGauged = async (): Promise<boolean> => {
      const bytes = await metricSum(server, 'metricshard_heap_bytes');
      heapBytesMax = Math.max(heapBytesMax, bytes);
      return bytes > (CAP_MB / 2) * MB;
    };
    t.ok(await eventually(isGauged), 'the memory in use is told');
    t.ok(heapBytesMax <= CAP_MB * MB, `${heapBytesMax} bytes were in use at most`);
    const grown = server.rssBytes() - rssBefore;
    t.ok(grown < 40 * MB, `resident memory grew by ${(grown / MB).toFixed(1)} MB at the cap`);
    t.ok((await metricSum(server, 'metricshard_blocks_evicted_total')) > SERIES);
    t.equal(await metricSum(server, 'metricshard_samples_total'), SERIES * MINUTES);

    let kept = 0;
    const wrong: string[] = [];
    for (let i = 0; i < SERIES; i++) {
      const data = await dataOf(server, i);
      const first = data.findIndex((value) => value !== null);
      const odd = data.findIndex((value, at) => at >= first && value !== samples[i]![at]);
      if (first <= 0) wrong.push(`series ${i}: all is there, or nothing`);
      else if (odd >= 0) wrong.push(`series ${i}, minute ${odd}: ${data[odd]}`);
      kept += MINUTES - first;
    }
    t.same(wrong, [], 'of each series the newest samples, without a hole');
    const share = (kept * SAMPLE_BYTES) / (CAP_MB * MB);
    t.ok(share > 0.15 && share < 1, `the newest fill ${(share * 100).toFixed()} % of the cap`);

    const next = `${prefixes[0]}1 ${START + MINUTES * STEP_SEC}\n`;
    t.equal((await server.write(next)).status, 200, 'and it goes on');
  });
}

/** Data of a core over all minutes. */
async function dataOf(server: TestServer, series: number): Promise<(number | null)[]> {
  const { json } = await server.query({
    cluster: 'c',
    from: START,
    to: START + MINUTES * STEP_SEC,
    queries: [
      { metric: 'm', host: hostOf(series), type: 'hwthread', 'type-ids': [String(series)] },
    ],
  });
  return json.results[0][0].data;
}

for (const isTop of [false, true]) {
  const what = isTop ? 'end of 4 GiB' : 'cap';
  t.test(`more series than fit are refused by the name of the ${what}`, (t) => refuses(t, isTop));
}

async function refuses(t: Test, isTop: boolean): Promise<void> {
  const server = await startCapped(1, 3, isTop);
  t.teardown(() => server.stop());
  const minute = (from: number, count: number, time: number): string =>
    Array.from(
      { length: count },
      (_, i) => `m,cluster=c,hostname=n${from + i} value=1 ${time}\n`,
    ).join('');
  const first = await server.write(minute(0, 100, START));
  t.equal(first.status, 200);
  let reason = '';
  for (let from = 100; from < 60_000 && reason === ''; from += 200) {
    const { json } = await server.write(minute(from, 200, START));
    reason = json.first?.[0].reason ?? '';
  }
  t.match(reason, isTop ? /the 4 GiB that a shard can have are in use/ : /memory-cap is reached/);
  t.ok((await metricSum(server, 'metricshard_lines_rejected_total')) > 0);
  const at = async (host: string, time: number): Promise<unknown> => {
    const queries = [{ metric: 'm', host }];
    const { json } = await server.query({ cluster: 'c', from: time, to: time + 60, queries });
    return json.results[0][0]?.data;
  };
  for (const host of ['n0', 'n99']) t.same(await at(host, START), [1], 'what is there stays');
}
