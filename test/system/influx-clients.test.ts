import { HttpError, InfluxDB, Point, type WriteOptions } from '@influxdata/influxdb-client';
import * as influx from 'influx';
import t, { type Test } from 'tap';
import { eventually, metricSum } from '../helpers/metrics.js';
import { Random, seed } from '../helpers/random.js';
import { startServer, type TestServer } from '../helpers/server.js';

const STEP_SEC = 60;
const MINUTES = 30;
const CORES = 8;
const START = 1_790_000_000 - (1_790_000_000 % STEP_SEC);

/** A host's samples: `samples[core][minute]`, doubles with all their digits. */
type Samples = readonly (readonly number[])[];

function randomSamples(random: Random): Samples {
  return Array.from({ length: CORES }, () =>
    Array.from({ length: MINUTES }, () => random.next() * 10 ** random.below(9)),
  );
}

/** Calls back for every sample, minute by minute as a collector sends them. */
function forEachSample(
  samples: Samples,
  take: (core: number, timeSec: number, value: number) => void,
): void {
  for (let minute = 0; minute < MINUTES; minute++) {
    for (let core = 0; core < CORES; core++) {
      take(core, START + minute * STEP_SEC, samples[core]![minute]!);
    }
  }
}

/** The store has exactly these samples for a host. */
async function isStored(t: Test, server: TestServer, host: string, samples: Samples) {
  const { status, json } = await server.query({
    cluster: 'alex',
    from: START,
    to: START + MINUTES * STEP_SEC,
    queries: [
      {
        metric: 'clock',
        host,
        type: 'hwthread',
        'type-ids': Array.from({ length: CORES }, (_, core) => String(core)),
      },
    ],
  });
  t.equal(status, 200);
  t.same(
    json.results[0].map(({ data }: { data: number[] }) => data),
    samples,
    `${host}: every sample reads back as it was written`,
  );
}

/** Data of a host's own series. */
async function hostData(server: TestServer, host: string, minutes: number): Promise<unknown> {
  const { json } = await server.query({
    cluster: 'alex',
    from: START,
    to: START + minutes * STEP_SEC,
    queries: [{ metric: 'clock', host }],
  });
  return json.results[0][0]?.data;
}

function v1Client(server: TestServer): influx.InfluxDB {
  return new influx.InfluxDB({
    host: '127.0.0.1',
    port: server.port,
    database: 'any',
    username: 'collector',
    password: 'secret',
    pool: { maxRetries: 0 },
  });
}

function v1Points(host: string, samples: Samples, time: (timeSec: number) => Date | string) {
  const points: influx.IPoint[] = [];
  forEachSample(samples, (core, timeSec, value) =>
    points.push({
      measurement: 'clock',
      tags: { cluster: 'alex', host, type: 'hwthread', 'type-id': String(core) },
      fields: { value },
      timestamp: time(timeSec),
    }),
  );
  return points;
}

const V1_PRECISIONS: readonly [influx.TimePrecision, string][] = [
  ['n', '000000000'],
  ['u', '000000'],
  ['ms', '000'],
  ['s', ''],
];

async function v1(t: Test, server: TestServer, random: Random): Promise<void> {
  const client = v1Client(server);

  await t.test('ping', async (t) => {
    const [host] = await client.ping(5000);
    t.equal(host!.online, true);
    t.equal(host!.res!.statusCode, 204);
  });

  await t.test('every precision, as number and as date', async (t) => {
    for (const [precision, zeros] of V1_PRECISIONS) {
      const samples = randomSamples(random);
      const asText = v1Points(`v1-${precision}`, samples, (timeSec) => timeSec + zeros);
      await client.writePoints(asText, { precision });
      await isStored(t, server, `v1-${precision}`, samples);
      const asDate = v1Points(`v1-d-${precision}`, samples, (timeSec) => new Date(timeSec * 1000));
      await client.writePoints(asDate, { precision });
      await isStored(t, server, `v1-d-${precision}`, samples);
    }
  });

  await t.test('many hosts in one batch', async (t) => {
    const hosts = Array.from({ length: 20 }, (_, i) => ({
      name: `v1-batch-${i}`,
      samples: randomSamples(random),
    }));
    const points = hosts.flatMap(({ name, samples }) =>
      v1Points(name, samples, (timeSec) => String(timeSec)),
    );
    points.sort(() => random.next() - 0.5);
    await client.writePoints(points, { precision: 's', database: 'other', retentionPolicy: 'x' });
    for (const { name, samples } of hosts) await isStored(t, server, name, samples);
  });

  await t.test('a rejected line is an error that tells it; the others are stored', async (t) => {
    const point = (host: string, fields: object, minute: number): influx.IPoint => ({
      measurement: 'clock',
      tags: { cluster: 'alex', hostname: host },
      fields: fields as Record<string, number>,
      timestamp: String(START + minute * STEP_SEC),
    });
    const points = [
      point('v1-bad', { value: 1.5 }, 0),
      point('v1-bad', { value: 'text' }, 1),
      point('v1-bad', { other: 1 }, 1),
      point('v1-bad', { value: 2.5 }, 2),
    ];
    const error = await client.writePoints(points, { precision: 's' }).then(
      () => undefined,
      (reason: unknown) => reason as Error & { res?: { statusCode: number } },
    );
    t.equal(error?.res?.statusCode, 400);
    t.match(error?.message, /2 of 4 lines were rejected; line 2, column \d+: .*value/);
    t.same(await hostData(server, 'v1-bad', 3), [1.5, null, 2.5]);
    const nameless = { measurement: 'clock', tags: { host: 'v1-bad' }, fields: { value: 1 } };
    await t.rejects(client.writePoints([nameless]), { message: /cluster/ }, 'a line of no cluster');
  });
}

function v2Api(server: TestServer, precision: 'ns' | 'us' | 'ms' | 's', options: object) {
  const errors: { error: HttpError; lines: string[]; attempt: number }[] = [];
  const successes: string[][] = [];
  const writeOptions: Partial<WriteOptions> = {
    flushInterval: 0,
    maxRetries: 2,
    minRetryDelay: 10,
    maxRetryDelay: 50,
    writeFailed(error, lines, attempt) {
      errors.push({ error: error as HttpError, lines, attempt });
    },
    writeSuccess: (lines) => successes.push(lines) as unknown as void,
    ...options,
  };
  const client = new InfluxDB({ url: `${server.url}/`, token: 'any-token' });
  return { api: client.getWriteApi('org', 'db/rp', precision, writeOptions), errors, successes };
}

function v2Points(samples: Samples, unitsPerSec: bigint): Point[] {
  const points: Point[] = [];
  forEachSample(samples, (core, timeSec, value) => {
    const point = new Point('clock').tag('type', 'hwthread').tag('type-id', String(core));
    points.push(point.floatField('value', value).timestamp(String(BigInt(timeSec) * unitsPerSec)));
  });
  return points;
}

const V2_PRECISIONS = [
  ['ns', 1_000_000_000n],
  ['us', 1_000_000n],
  ['ms', 1000n],
  ['s', 1n],
] as const;

async function v2(t: Test, server: TestServer, random: Random): Promise<void> {
  const tags = (hostname: string) => ({ defaultTags: { cluster: 'alex', hostname } });

  await t.test('every precision, in batches, plain and packed', async (t) => {
    for (const [precision, unitsPerSec] of V2_PRECISIONS) {
      for (const gzipThreshold of [0, 1_000_000]) {
        const host = `v2-${precision}-${gzipThreshold}`;
        const samples = randomSamples(random);
        const options = { ...tags(host), gzipThreshold, batchSize: 100 };
        const { api, errors, successes } = v2Api(server, precision, options);
        const before = await metricSum(server, 'metricshard_http_received_bytes_total');
        api.writePoints(v2Points(samples, unitsPerSec));
        await api.close();
        // It waits for its last batch only; those before may still be on their way.
        const count = MINUTES * CORES;
        const allSent = (): boolean => errors.length > 0 || successes.flat().length >= count;
        t.ok(await eventually(allSent), `${host}: every batch was answered`);
        const received =
          (await metricSum(server, 'metricshard_http_received_bytes_total')) - before;
        t.same(errors, [], `${host}: no error`);
        t.ok(successes.length > 1, `${successes.length} batches`);
        const bytes = successes.flat().join('\n').length;
        if (gzipThreshold === 0) t.ok(received < bytes / 2, `packed: ${received} of ${bytes}`);
        else t.ok(received > bytes * 0.9, `plain: ${received} of ${bytes}`);
        await isStored(t, server, host, samples);
      }
    }
  });

  await t.test('a flush by time, integers and names with blanks', async (t) => {
    const { api, errors, successes } = v2Api(server, 's', { flushInterval: 20 });
    const point = (kind: string) =>
      new Point('clock')
        .tag('cluster', 'alex')
        .tag('hostname', 'v2 odd=name,x')
        .tag('unit', 'a b,c=d')
        .tag('stype', kind);
    api.writePoint(point('').intField('value', -17).timestamp(START));
    api.writePoint(
      point('')
        .uintField('value', 42)
        .timestamp(START + STEP_SEC),
    );
    for (let tries = 0; tries < 500 && successes.length === 0; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    t.same(errors, []);
    t.same(await hostData(server, 'v2 odd=name,x', 2), [-17, 42]);
    await api.close();
  });

  await t.test('a rejected line is an error that tells it; the others are stored', async (t) => {
    for (const gzipThreshold of [0, 1_000_000]) {
      const host = `v2-bad-${gzipThreshold}`;
      const { api, errors } = v2Api(server, 's', { ...tags(host), gzipThreshold });
      api.writeRecord(`clock,cluster=alex,hostname=${host} value=1.5 ${START}`);
      api.writePoint(new Point('clock').stringField('value', 'text').timestamp(START));
      api.writePoint(new Point('clock').booleanField('value', true).timestamp(START));
      api.writeRecord(`clock,cluster=alex,hostname=${host} value=2.5 ${START + 2 * STEP_SEC}`);
      await api.flush().catch(() => undefined);
      await api.close().catch(() => undefined);
      t.equal(errors.length, 1, 'once: it is not tried again');
      const { error, lines, attempt } = errors[0]!;
      t.ok(error instanceof HttpError);
      t.match(
        { status: error.statusCode, attempt, lines: lines.length },
        { status: 400, attempt: 1, lines: 4 },
      );
      t.match(error.message, /2 of 4 lines were rejected; line 2, column \d+: .*value/);
      t.match(error.json, { written: 2, rejected: 2, first: [{ line: 2 }, { line: 3 }] });
      t.same(await hostData(server, host, 3), [1.5, null, 2.5]);
    }
  });
}

for (const adapter of ['uws', 'node']) {
  t.test(`clients of InfluxDB, ${adapter}, seed ${seed}`, async (t) => {
    const server = await startServer({
      metrics: { '*': { frequency: STEP_SEC, aggregation: 'avg' } },
      metricshard: { shards: 2, 'http-adapter': adapter, 'retention-enforced': false },
    });
    t.teardown(() => server.stop());
    const random = new Random(seed);
    await t.test('version 1', (t) => v1(t, server, random));
    await t.test('version 2', (t) => v2(t, server, random));
  });
}
