import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { fixture } from '../helpers/fixtures.js';
import { startServer, type TestServer } from '../helpers/server.js';

const STEP_SEC = 60;
const BATCH_LINES = 5000;

interface Sample {
  readonly timeSec: number;
  readonly value: number;
}

interface Job {
  readonly lines: readonly string[];
  /** Samples by `metric host`, in time order. */
  readonly series: ReadonlyMap<string, Sample[]>;
  readonly firstSec: number;
  readonly lastSec: number;
}

/** Reads the recorded job with nothing but `split`: a second opinion on the store's parser. */
function readJob(): Job {
  const text = gunzipSync(readFileSync(fixture('emmy-job-1403244.lp.gz'))).toString();
  const lines = text.trimEnd().split('\n');
  const series = new Map<string, Sample[]>();
  let firstSec = Infinity;
  let lastSec = 0;
  for (const line of lines) {
    const [tags, field, time] = line.split(' ') as [string, string, string];
    const host = /hostname=([^,]+)/.exec(tags)![1]!;
    const key = `${tags.slice(0, tags.indexOf(','))} ${host}`;
    const sample = { timeSec: Number(time), value: Number(field.slice('value='.length)) };
    if (!series.has(key)) series.set(key, []);
    series.get(key)!.push(sample);
    firstSec = Math.min(firstSec, sample.timeSec);
    lastSec = Math.max(lastSec, sample.timeSec);
  }
  return { lines, series, firstSec, lastSec };
}

/** The slot that is nearest, ties to the lower one. */
function slotSec(timeSec: number): number {
  return Math.floor((timeSec + STEP_SEC / 2 - 1) / STEP_SEC) * STEP_SEC;
}

const job = readJob();
const fromSec = slotSec(job.firstSec);
const toSec = slotSec(job.lastSec) + STEP_SEC;

/** What the store should answer: each sample in its slot, null everywhere else. */
function expectedData(samples: readonly Sample[]): (number | null)[] {
  const data = Array<number | null>((toSec - fromSec) / STEP_SEC).fill(null);
  for (const { timeSec, value } of samples) data[(slotSec(timeSec) - fromSec) / STEP_SEC] = value;
  return data;
}

/** Posts all lines, in the order of the recording; returns how many the store says it wrote. */
async function load(server: TestServer): Promise<number> {
  let written = 0;
  for (let i = 0; i < job.lines.length; i += BATCH_LINES) {
    const body = `${job.lines.slice(i, i + BATCH_LINES).join('\n')}\n`;
    const { json } = await server.write(body);
    written += json.written;
  }
  return written;
}

t.test('a real job of 32 nodes and 24 h is read back as it was written', async (t) => {
  const server = await startServer({
    metrics: { '*': { frequency: STEP_SEC, aggregation: 'avg' } },
    metricshard: { shards: 2, 'retention-enforced': false },
  });
  t.teardown(() => server.stop());
  t.equal(job.lines.length, 377_019);
  t.equal(await load(server), job.lines.length, 'all lines are written');

  const keys = [...job.series.keys()];
  t.equal(keys.length, 288, '9 metrics on 32 nodes');
  const queries = keys.map((key) => {
    const [metric, host] = key.split(' ');
    return { metric, host };
  });
  const { status, json } = await server.query({
    cluster: 'emmy',
    from: fromSec,
    to: toSec,
    queries,
  });
  t.equal(status, 200);
  let compared = 0;
  const different: string[] = [];
  keys.forEach((key, i) => {
    const samples = job.series.get(key)!;
    const element = json.results[i][0];
    const wanted = expectedData(samples);
    compared += wanted.filter((value) => value !== null).length;
    const isSame =
      element.data.length === wanted.length &&
      // `is`: the same double, not one that is close.
      wanted.every((value, slot) => Object.is(element.data[slot], value));
    if (!isSame) different.push(key);
  });
  t.same(different, [], 'every sample bit for bit, every gap null');
  t.equal(compared, job.lines.length, 'no two samples of the recording share a slot');

  t.test('statistics are those of the samples', async (t) => {
    const range = { cluster: 'emmy', from: fromSec, to: toSec, 'with-data': false };
    const only = await server.query({ ...range, queries });
    const wrong = keys.filter((key, i) => {
      const values = job.series.get(key)!.map(({ value }) => value);
      const { avg, min, max, data } = only.json.results[i][0];
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const isMean = Math.abs(avg - mean) <= 1e-12 * Math.abs(mean) * values.length;
      return !isMean || min !== Math.min(...values) || max !== Math.max(...values) || data;
    });
    t.same(wrong, []);
  });

  t.test('all nodes of one metric are its hosts, sorted', async (t) => {
    const range = { cluster: 'emmy', from: fromSec, to: toSec, 'with-data': false };
    const { json } = await server.query({ ...range, 'for-all-nodes': ['mem_bw'] });
    const hosts = json.queries.map(({ host }: { host: string }) => host);
    t.equal(hosts.length, 32);
    t.same(hosts, [...hosts].sort());
  });
});
