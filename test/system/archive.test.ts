import { DuckDBInstance } from '@duckdb/node-api';
import t from 'tap';
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
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
} from '../helpers/archive.js';
import { eventually } from '../helpers/metrics.js';
import { Random, seed } from '../helpers/random.js';
import type { TestServer } from '../helpers/server.js';

/** Everything, in several forms: the same however much of it is archived. */
function requests(archive: boolean): object[] {
  const range = { cluster: 'alex', from: OLDEST, to: NEWEST + STEP, archive };
  const threads = { type: 'hwthread', 'type-ids': ['0', '1', '2', '3'] };
  const perHost = HOSTS.flatMap((host) => [
    { metric: 'flops_any', host, aggreg: true },
    { metric: 'ipc', host, aggreg: false, ...threads },
    { metric: 'ipc', host, aggreg: true, ...threads },
    { metric: 'mem_used', host },
    { metric: 'fs', host, type: 'filesystem', 'type-ids': ['/home'] },
    { metric: 'nothing', host },
  ]);
  return [
    { ...range, queries: perHost },
    { ...range, 'for-all-nodes': ['mem_used', 'flops_any'], queries: [] },
    { ...range, queries: perHost, 'with-data': false },
    { ...range, queries: perHost.map((query) => ({ ...query, resolution: 600 })) },
    { ...range, from: OLDEST + 1800, to: OLDEST + 5400, queries: perHost },
  ];
}

async function answers(server: TestServer, archive = true): Promise<string[]> {
  const all: string[] = [];
  for (const request of requests(archive)) {
    const { status, text } = await server.query(request);
    all.push(status === 200 ? rounded(text) : `${status} ${text}`);
  }
  return all;
}

/** Rows in all files that count, and how many of them are different samples. */
async function rowsOf(archive: string): Promise<{ rows: number; different: number }> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const reader = await connection.runAndReadAll(
    `SELECT count(*), count(DISTINCT (hostname, metric, scope, scope_id, timestamp))
     FROM '${archive}/*/*.parquet'`,
  );
  const [rows, different] = reader.getRows()[0]!;
  connection.closeSync();
  return { rows: Number(rows), different: Number(different) };
}

t.test(`what is past the retention is archived, and still answered, seed ${seed}`, async (t) => {
  const where = folders(t);
  const first = await start(t, where, { retention: '48h' });
  const samples = await fill(first);
  const expected = await answers(first, false);
  // `notSame` would tell how they differ, which takes seconds.
  const all = JSON.stringify(expected);
  t.same(await answers(first), expected, 'with nothing in the archive');
  await first.stop();

  const second = await start(t, where, { retention: '4h' });
  t.ok(await archived(second), second.output());
  const rows = await counter(second, 'archived_rows_total');
  t.match(second.output(), /"shard":\d,"rows":\d+,"bytes":\d+,"files":1,.*"msg":"archived"/);
  t.ok(rows > samples / 3 && rows < samples, `${rows} of ${samples}`);
  t.same(await rowsOf(where.archive), { rows, different: rows });
  t.not(JSON.stringify(await answers(second, false)), all, 'memory alone has less');
  t.same(await answers(second), expected);

  t.equal((await second.post('/api/v2/admin/archive', '')).json.shards[0].rows, 0, 'no more');
  await second.kill();
  const third = await start(t, where, { retention: '4h' });
  await third.post('/api/v2/admin/archive', '');
  t.same(await rowsOf(where.archive), { rows, different: rows }, 'nothing twice after kill -9');
  t.same(await answers(third), expected);
  await third.stop();

  // Other shards, and nothing in memory: the archive is all there is.
  rmSync(where.data, { recursive: true });
  const fourth = await start(t, where, { retention: '4h', shards: 1 });
  const part = { ...requests(true)[4], queries: [{ metric: 'mem_used', host: HOSTS[0] }] };
  const { json } = await fourth.query(part);
  t.equal(json.results[0][0].data.length, 60);
  t.notMatch((await fourth.query({ ...part, archive: false })).text, /"data"/);
  const refused = await fourth.query({ ...part, archive: 1 });
  t.equal(refused.status, 400);
  t.match(refused.text, /archive must be true or false, not 1/);
});

t.test('a crash before it is noted that a run is done makes no sample twice', async (t) => {
  const where = folders(t);
  const first = await start(t, where, { retention: '48h' });
  await fill(first);
  const expected = await answers(first, false);
  await first.stop();
  const copy = `${where.data}-before`;
  cpSync(where.data, copy, { recursive: true });

  const second = await start(t, where, { retention: '4h' });
  t.ok(await archived(second));
  await second.kill();
  const { rows } = await rowsOf(where.archive);
  // As if the files had come to the disk, and what was noted behind them had not.
  rmSync(where.data, { recursive: true });
  cpSync(copy, where.data, { recursive: true });

  const third = await start(t, where, { retention: '4h' });
  t.ok(await archived(third));
  const now = await rowsOf(where.archive);
  t.equal(now.rows, now.different);
  t.ok(now.rows >= rows);
  t.same(await answers(third), expected);
  const files = readdirSync(join(where.archive, 'alex'));
  t.ok(
    files.some((file) => file.endsWith('.superseded')),
    'the files of before are kept aside',
  );
});

t.test('an archive that can not be written keeps everything in memory', async (t) => {
  const where = folders(t);
  const first = await start(t, where, { retention: '48h' });
  await fill(first);
  const expected = await answers(first, false);
  await first.stop();
  // A file where the folder should be.
  writeFileSync(where.archive, '');
  const second = await start(t, where, { retention: '4h' });
  t.ok(await eventually(async () => (await counter(second, 'archive_failures_total')) >= 2));
  t.match(second.output(), /archiving failed, everything stays in memory/);
  const { status, text } = await second.post('/api/v2/admin/archive', '');
  t.equal(status, 500);
  t.match(text, /archiving failed, everything stays in memory: .*(ENOTDIR|EEXIST)/);
  t.same(await answers(second, false), expected);
  rmSync(where.archive);
  mkdirSync(where.archive);
  t.equal((await second.post('/api/v2/admin/archive', '')).status, 200);
  t.not(JSON.stringify(await answers(second, false)), JSON.stringify(expected));
  t.same(await answers(second), expected);
  t.match(second.output(), /the archive can be written again/);
});

t.test('under memory-cap the oldest is archived before it goes', async (t) => {
  const where = folders(t);
  const capped = { retention: '48h', shards: 1, memoryCapGb: 0.006 };
  const server = await start(t, where, capped);
  const random = new Random(seed);
  let written = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const time = OLDEST + round * STEP;
    const lines = Array.from({ length: 3000 }, (_, i) => {
      const host = `n${Math.floor(i / 100)}`;
      return `m,cluster=c,hostname=${host},type=hwthread,type-id=${i % 100} value=${random.next()} ${time}`;
    });
    for (let tries = 0; tries < 200; tries++) {
      const { status, json } = await server.write(lines.join('\n'));
      // What was taken of it is the same when it is sent again.
      if (status === 200) {
        written += json.written;
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  t.equal(written, ROUNDS * 3000, 'everything was taken in the end');
  t.ok(await archived(server));
  const { json } = await server.query({
    cluster: 'c',
    from: OLDEST,
    to: NEWEST + STEP,
    archive: true,
    queries: [{ metric: 'm', host: 'n7', type: 'hwthread', 'type-ids': ['0', '57', '99'] }],
  });
  for (const { data } of json.results[0]) {
    t.equal(data.length, ROUNDS);
    const missing = data.flatMap((value: number | null, i: number) => (value === null ? i : []));
    t.same(missing, [], 'nothing is missing');
  }
});

t.test('mode delete archives nothing; a damaged file is told; the limit holds', async (t) => {
  const where = folders(t);
  const first = await start(t, where, { retention: '48h' });
  await fill(first);
  await first.stop();
  const deleting = await start(t, where, { retention: '4h', mode: 'delete' });
  t.throws(() => readdirSync(where.archive));
  const { status, text } = await deleting.post('/api/v2/admin/archive', '');
  t.equal(status, 400);
  t.match(text, /set metric-store\.cleanup\.mode to \\"archive\\"/);
  t.equal((await deleting.query(requests(true)[0]!)).status, 200);
  await deleting.kill();

  const other = folders(t);
  const again = await start(t, other, { retention: '48h' });
  await fill(again);
  await again.stop();
  const limited = await start(t, other, {
    retention: '4h',
    limits: { 'archive-samples-max': 2000 },
  });
  t.ok(await archived(limited));
  const refused = await limited.query(requests(true)[0]!);
  t.match(refused.text, /archive-samples-max is 2000/);
  const few = { ...requests(true)[4], queries: [{ metric: 'mem_used', host: HOSTS[0] }] };
  t.equal((await limited.query(few)).status, 200);
  const folder = join(other.archive, 'alex');
  for (const file of readdirSync(folder)) {
    if (file.endsWith('.index')) writeFileSync(join(folder, file), 'garbage');
  }
  await limited.kill();
  const damaged = await start(t, other, { retention: '4h' });
  const told = await damaged.query(few);
  t.equal(told.status, 500);
  t.match(told.text, /the archive can not be asked: .*\.index can not be read: it is cut off/);
  t.equal((await damaged.query({ ...few, archive: false })).status, 200, 'memory is served');
});
