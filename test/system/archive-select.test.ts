import { tableFromIPC } from 'apache-arrow';
import t, { type Test } from 'tap';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  archived,
  counter,
  fill,
  folders,
  HOSTS,
  NEWEST,
  OLDEST,
  rounded,
  ROUNDS,
  start,
  STEP,
  type Folders,
} from '../helpers/archive.js';
import { temporaryFolder } from '../helpers/durable.js';
import { seed } from '../helpers/random.js';
import type { Reply, TestServer } from '../helpers/server.js';

const RANGE = { cluster: 'alex', from: OLDEST, to: NEWEST + STEP };
/** Hours that are in memory for sure with a retention of four. */
const NEW = { from: NEWEST - 3600, to: NEWEST + STEP };

const CLUSTER = {
  name: 'alex',
  metricConfig: [
    { name: 'mem_used', scope: 'node', aggregation: 'avg', timestep: STEP, footprint: 'max' },
    { name: 'flops_any', scope: 'hwthread', aggregation: 'sum', timestep: STEP, footprint: 'avg' },
    { name: 'ipc', scope: 'hwthread', aggregation: 'avg', timestep: STEP },
  ],
  subClusters: [
    { name: 'a', nodes: 'a[0101-0102]', topology: { node: [0, 1, 2, 3], socket: [[0, 1, 2, 3]] } },
    { name: 'b', nodes: 'b-1', topology: { node: [0, 1, 2, 3] } },
  ],
};

const SELECTIONS: readonly object[] = [
  [
    { metric: 'flops_any' },
    { metric: ['i*', 'mem_used'], hosts: 'a*', scope: 'hwthread' },
    { metric: 'mem_used', hosts: ['a0101', 'b-1'], stats: true },
    { metric: 'nothing' },
  ],
  [
    { metric: 'flops_any', by: 'cluster', stats: ['p50', 'max'] },
    { metric: 'ipc', scope: 'hwthread', ids: ['0', '2'], by: ['host', 'id'] },
  ],
  { metric: 'flops_any', by: 'sub-cluster', aggregate: 'max', step: '10m' },
  { metric: '*', hosts: { 'sub-cluster': 'a' }, scope: 'socket', points: 50, resample: 'average' },
  { metric: 'ipc', ids: '1-3', hosts: 'a[0101-0102],b-1' },
];

const JOBS = {
  cluster: 'alex',
  stats: ['avg', 'min', 'max', 'count'],
  'by-host': true,
  jobs: [
    { id: 'old', hosts: 'a[0101-0102]', from: OLDEST, to: OLDEST + 7200 },
    { id: 'half', hosts: HOSTS, from: OLDEST + 7200, to: NEWEST, metrics: ['ipc', 'mem*'] },
    { id: 'new', hosts: 'b-1', ...NEW },
    { id: 'threads', hosts: 'a0101', from: OLDEST, to: OLDEST + 3600, ids: '0-1', metrics: '*' },
    { id: 'nowhere', hosts: 'x[1-3]', from: OLDEST, to: NEWEST, metrics: 'unseen' },
  ],
};

interface Options {
  /** As the field says; undefined = left out. */
  readonly archive?: boolean;
  readonly range?: object;
}

function ask(server: TestServer, select: object, form: string, options: Options): Promise<Reply> {
  const { archive, range = {} } = options;
  const body = { ...RANGE, ...range, archive, select };
  return server.post(`/api/v2/query?format=${form}`, body);
}

/** Every form of every selection, without what the number of shards makes of the order. */
async function answers(server: TestServer, options: Options = {}): Promise<string[]> {
  const all: string[] = [];
  for (const select of SELECTIONS) {
    for (const form of ['json', 'ndjson', 'csv']) {
      const { status, text } = await ask(server, select, form, options);
      const lines = form === 'json' ? inOrder(text) : text.split('\n').toSorted().join('\n');
      all.push(status === 200 ? rounded(lines) : `${status} ${text}`);
    }
    all.push(await rowsOf(server, select, options));
  }
  const { archive } = options;
  const { status, text } = await server.post('/api/v2/job-stats', { ...JOBS, archive });
  all.push(status === 200 ? rounded(inOrder(text)) : `${status} ${text}`);
  return all;
}

/** Results, hosts and metrics of several shards come in any order. */
function inOrder(text: string): string {
  return JSON.stringify(JSON.parse(text), (key, value: unknown) => {
    if (key === 'results') return (value as object[]).map((one) => JSON.stringify(one)).toSorted();
    if (key !== 'metrics' && key !== 'by-host') return value;
    return Object.fromEntries(Object.entries(value as object).toSorted());
  });
}

/** Answers are long: shows where they begin to differ. */
function sameAnswers(t: Test, actual: readonly string[], expected: readonly string[]): void {
  for (const [index, text] of expected.entries()) {
    const other = actual[index]!;
    let at = 0;
    while (at < text.length && text[at] === other[at]) at++;
    const isSame = at === text.length && at === other.length;
    const shown = (whole: string): string => whole.slice(Math.max(0, at - 200), at + 200);
    if (!isSame) t.equal(shown(other), shown(text), `answer ${index}, byte ${at}`);
  }
  t.equal(actual.length, expected.length);
}

/** Rows of an answer as Arrow. */
async function rowsOf(server: TestServer, select: object, options: Options): Promise<string> {
  const { archive, range = {} } = options;
  const response = await fetch(`${server.url}/api/v2/query?format=arrow`, {
    method: 'POST',
    body: JSON.stringify({ ...RANGE, ...range, archive, select }),
  });
  if (response.status !== 200) return `${response.status} ${await response.text()}`;
  const table = tableFromIPC(new Uint8Array(await response.arrayBuffer()));
  const rows = table
    .toArray()
    .map((row) =>
      JSON.stringify(row.toJSON(), (_key, value: unknown) =>
        typeof value === 'bigint' ? Number(value) : value,
      ),
    );
  return rounded(rows.toSorted().join('\n'));
}

/** A store of which half of the data is archived, and what it answered when all was in memory. */
async function halfArchived(
  t: Test,
  where: Folders,
  shards: number,
): Promise<{ server: TestServer; expected: string[]; clusters: string[] }> {
  const clusters = [join(temporaryFolder(t, 'cluster'), 'cluster.json')];
  writeFileSync(clusters[0]!, JSON.stringify(CLUSTER));
  const first = await start(t, where, { retention: '48h', shards, clusters });
  await fill(first);
  const expected = await answers(first, { archive: false });
  sameAnswers(t, await answers(first), expected);
  sameAnswers(t, await answers(first, { archive: true }), expected);
  await first.stop();
  const server = await start(t, where, { retention: '4h', shards, clusters });
  t.ok(await archived(server), server.output());
  return { server, expected, clusters };
}

for (const shards of [1, 3]) {
  t.test(`half of it is archived, ${shards} shard(s), seed ${seed}`, async (t) => {
    const where = folders(t);
    const { server, expected, clusters } = await halfArchived(t, where, shards);
    t.match(expected.at(-1), /"id":"old".*"flops_any".*"id":"half".*"ipc"/);
    sameAnswers(t, await answers(server), expected);
    sameAnswers(t, await answers(server, { archive: true }), expected);
    const inMemory = await answers(server, { archive: false });
    // Not `notSame`, which would tell how they differ: for half a minute.
    t.not(inMemory.join(), expected.join(), 'memory alone has less');

    await server.kill();
    const settings = { retention: '4h', shards, clusters };
    const again = await start(t, where, settings);
    sameAnswers(t, await answers(again), expected);
    await again.stop();
    // From checkpoints alone: the log that told of the run is gone.
    const third = await start(t, where, settings);
    sameAnswers(t, await answers(third), expected);
    await third.stop();

    const other = await start(t, where, { ...settings, shards: 2 });
    sameAnswers(t, await answers(other), expected);
  });
}

t.test('only what is needed asks the archive, and has no ETag then', async (t) => {
  const where = folders(t);
  const { server } = await halfArchived(t, where, 2);
  const asked = (text: string): number => text.match(/"data"/g)?.length ?? 0;
  const settled = { from: NEWEST - 7200, to: NEWEST - 3600 };
  const select = { metric: 'mem_used' };
  const fromMemory = await ask(server, select, 'json', { range: settled });
  t.equal(asked(fromMemory.text), HOSTS.length);
  t.match(fromMemory.headers.get('etag'), /^W\//);
  t.equal((await ask(server, select, 'json', {})).headers.get('etag'), null);
  t.equal(
    (await ask(server, select, 'json', { archive: true, range: settled })).headers.get('etag'),
    null,
  );

  // What is damaged is told by those that need it, and by nobody else.
  await server.stop();
  const folder = join(where.archive, 'alex');
  for (const file of readdirSync(folder)) {
    if (file.endsWith('.index')) writeFileSync(join(folder, file), 'garbage');
  }
  const damaged = await start(t, where, { retention: '4h' });
  for (const form of ['json', 'ndjson', 'csv', 'arrow']) {
    const { status, text } = await ask(damaged, select, form, {});
    t.equal(status, 500, form);
    t.match(text, /the archive can not be asked: .*\.index can not be read: it is cut off/);
    t.equal((await ask(damaged, select, form, { range: NEW })).status, 200);
    t.equal((await ask(damaged, select, form, { archive: false })).status, 200);
  }
  const { text } = await damaged.post('/api/v2/job-stats', { ...JOBS, metrics: 'ipc' });
  t.match(text, /the archive can not be asked/);
  const newJobs = { ...JOBS, jobs: [JOBS.jobs[2]], metrics: 'ipc' };
  t.equal((await damaged.post('/api/v2/job-stats', newJobs)).status, 200);
  // One cluster's damage is no other's.
  const elsewhere = { range: { cluster: 'fritz' } };
  t.match((await ask(damaged, select, 'json', elsewhere)).json.problems[0].error, /no data/);
});

t.test('without an archive it can not be wanted', async (t) => {
  const where = folders(t);
  const server = await start(t, where, { retention: '48h', mode: 'delete' });
  await fill(server);
  const select = { metric: 'mem_used' };
  for (const form of ['json', 'csv']) {
    const refused = await ask(server, select, form, { archive: true });
    t.equal(refused.status, 400);
    t.match(refused.text, /archive is true, and there is no archive; leave it out/);
    t.equal((await ask(server, select, form, {})).status, 200);
    t.equal((await ask(server, select, form, { archive: false })).status, 200);
  }
  const jobs = { ...JOBS, metrics: 'ipc' };
  t.equal((await server.post('/api/v2/job-stats', { ...jobs, archive: true })).status, 400);
  t.equal((await server.post('/api/v2/job-stats', jobs)).status, 200);
});

t.test('what memory-cap takes out of memory is asked, too', async (t) => {
  const where = folders(t);
  const server = await start(t, where, { retention: '48h', shards: 1, memoryCapGb: 0.006 });
  const write = async (round: number): Promise<void> => {
    const lines = Array.from({ length: 3000 }, (_, i) => {
      const tags = `hostname=n${Math.floor(i / 100)},type=hwthread,type-id=${i % 100}`;
      return `m,cluster=c,${tags} value=${Math.sqrt(i + round * 1e4)} ${OLDEST + round * STEP}`;
    });
    for (let tries = 0; tries < 200; tries++) {
      if ((await server.write(lines.join('\n'))).status === 200) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const body = { ...RANGE, cluster: 'c', select: { metric: 'm', hosts: 'n7', by: 'host' } };
  const missing = async (rounds: number, archive?: boolean): Promise<number> => {
    const to = OLDEST + rounds * STEP;
    const { json } = await server.post('/api/v2/query', { ...body, to, archive });
    return json.results[0].data.filter((value: number | null) => value === null).length;
  };
  let written = 0;
  const holes: string[] = [];
  let asked = 0;
  // Samples go from memory to the archive while they are asked for.
  const asking = (async () => {
    while (written < ROUNDS) {
      const rounds = written;
      if (rounds > 0 && (await missing(rounds)) > 0) holes.push(`JSON of ${rounds}`);
      const to = OLDEST + rounds * STEP;
      const stream = await server.post('/api/v2/query?format=csv', { ...body, to }).catch(() => {
        // It may be cut off, but not be short.
        return undefined;
      });
      const rows = stream?.text.match(/,\d+\.?\d*\r\n/g)?.length ?? rounds;
      if (stream?.status === 200 && rows !== rounds) holes.push(`CSV of ${rounds}: ${rows}`);
      asked++;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  for (let round = 0; round < ROUNDS; round++) {
    await write(round);
    written++;
  }
  await asking;
  t.same(holes, [], `${asked} times`);
  t.ok((await counter(server, 'archived_rows_total')) > 0);
  t.equal(await missing(ROUNDS), 0);
  t.ok((await missing(ROUNDS, false)) > 0);
});
