import t, { type Test } from 'tap';
import { becomesReady } from '../helpers/durable.js';
import { startWithLevers, type Levers } from '../helpers/levers.js';
import { eventually } from '../helpers/metrics.js';
import type { Reply, TestServer } from '../helpers/server.js';

const STEP_SEC = 60;
/** Shards settle a time 120 s after it, which is seen 30 s later; slots may be 2 steps off. */
const SETTLED_SEC = 150 + 2 * STEP_SEC;
const HOSTS = 5;
const QUERY = '/api/v2/query';
const JOBS = '/api/v2/job-stats';

const nowSec = Math.floor(Date.now() / 1000 / STEP_SEC) * STEP_SEC;
const FROM = nowSec - 7200;
const TO = nowSec - 3600;
const select = { metric: 'm', scope: 'hwthread', by: [] };
const query = { cluster: 'c', from: FROM, to: TO, select };
const jobStats = {
  cluster: 'c',
  from: FROM,
  to: TO,
  metrics: 'm',
  jobs: [{ id: 1, hosts: 'h[0-9]' }],
};

async function start(t: Test, shards: number): Promise<TestServer & Levers> {
  const server = await startWithLevers({
    metrics: { m: { frequency: STEP_SEC, aggregation: 'sum' } },
    metricshard: { shards },
  });
  t.teardown(() => server.kill());
  const lines: string[] = [];
  for (let sec = FROM - 3600; sec < nowSec; sec += STEP_SEC) {
    for (let host = 0; host < HOSTS; host++) lines.push(linesOf(host, 1, sec));
  }
  const { status } = await server.write(lines.join(''));
  t.equal(status, 200);
  return server;
}

/** Of four hardware threads. */
function linesOf(host: number, value: number, sec: number): string {
  const tags = `cluster=c,hostname=h${host},type=hwthread`;
  return [0, 1, 2, 3].map((id) => `m,${tags},type-id=${id} value=${value} ${sec}\n`).join('');
}

async function write(server: TestServer, host: number, value: number, sec: number): Promise<void> {
  const { status, json } = await server.write(linesOf(host, value, sec));
  if (status !== 200 || json.written !== 4) throw new Error(`status ${status}`);
}

function ask(
  server: TestServer,
  path: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<Reply> {
  return server.request(path, { method: 'POST', body: JSON.stringify(body), headers });
}

async function tagOf(
  server: TestServer,
  path = QUERY,
  body: object = query,
): Promise<string | null> {
  const { status, headers } = await ask(server, path, body);
  if (status !== 200) throw new Error(`status ${status}`);
  return headers.get('etag');
}

for (const shards of [1, 3]) {
  t.test(`what is settled has a tag, ${shards} shard(s)`, async (t) => {
    const server = await start(t, shards);
    for (const [path, body] of [
      [QUERY, query],
      [JOBS, jobStats],
    ] as const) {
      const first = await ask(server, path, body);
      const tag = first.headers.get('etag')!;
      t.match(tag, /^W\/"[\w-]{20,}"$/, path);
      t.equal(first.headers.get('cache-control'), 'no-cache');
      const again = await ask(server, path, body, { 'if-none-match': `"x", ${tag}` });
      t.equal(again.status, 304);
      t.equal(again.text, '');
      t.equal(again.headers.get('etag'), tag);
      const other = await ask(server, path, body, { 'if-none-match': '"x"' });
      t.equal(other.status, 200);
      t.equal(other.text, first.text);

      await write(server, 0, 5, nowSec);
      t.equal(await tagOf(server, path, body), tag, 'the same after a new sample');

      await write(server, 1, 5, FROM + 600);
      const late = await ask(server, path, body, { 'if-none-match': tag });
      t.equal(late.status, 200, 'another after a late sample');
      t.not(late.headers.get('etag'), tag);
      t.not(late.text, first.text, 'which is answered');
      await write(server, 1, 1, FROM + 600);
      const back = await ask(server, path, body, { 'if-none-match': tag });
      t.equal(back.status, 200, 'no tag comes twice');
      t.equal(back.text, first.text);
    }
    const before = await ask(server, QUERY, query);
    await write(server, HOSTS, 7, FROM + 1200);
    const tag = before.headers.get('etag')!;
    const after = await ask(server, QUERY, query, { 'if-none-match': tag });
    t.equal(after.status, 200, 'another after a sample of a new host');
    t.equal(after.json.results[0].series, (HOSTS + 1) * 4);
    const freed = await server.post(`/api/free?to=${nowSec}`, [['c', `h${HOSTS}`]]);
    t.equal(freed.status, 200, freed.text);
    t.not(await tagOf(server), after.headers.get('etag'), 'another after a host is freed');
    t.equal((await ask(server, QUERY, query)).text, before.text);
  });
}

t.test('forms, bodies and ranges', async (t) => {
  const server = await start(t, 2);
  const tags = new Set<string>();
  for (const format of ['json', 'ndjson', 'csv', 'arrow']) {
    const path = `${QUERY}?format=${format}`;
    const tag = (await tagOf(server, path))!;
    tags.add(tag);
    const { status, headers } = await ask(server, path, query, { 'if-none-match': tag });
    t.equal(status, 304, format);
    t.equal(headers.get('vary'), 'Accept, Accept-Encoding');
    const packed = await ask(server, path, query, { 'accept-encoding': 'gzip' });
    t.equal(packed.headers.get('etag'), tag, 'the same packed');
  }
  const byHeader = await ask(server, QUERY, query, { accept: 'text/csv' });
  t.ok(tags.has(byHeader.headers.get('etag')!), 'the same by Accept');
  tags.add((await tagOf(server, QUERY, { ...query, to: TO - 60 }))!);
  tags.add((await tagOf(server, QUERY, { ...query, select: { ...select, by: 'host' } }))!);
  t.equal(tags.size, 6, 'no two the same');

  const none = async (body: object, title: string): Promise<void> => {
    const { headers, status } = await ask(server, QUERY, body, { 'if-none-match': '*' });
    t.equal(status, 200, title);
    t.equal(headers.get('etag'), null, title);
  };
  await none({ ...query, from: '-2h' }, 'a relative begin');
  await none({ ...query, to: '-1h' }, 'a relative end');
  await none({ cluster: 'c', from: FROM, select }, 'no end');
  await none({ ...query, to: nowSec + 1e6 }, 'an end to come');
  const open = Math.floor(Date.now() / 1000) - SETTLED_SEC + 20;
  await none({ ...query, to: open }, 'an end that is not settled');
  t.ok(await tagOf(server, QUERY, { ...query, to: open - 40 }), 'one that is');
  const jobs = { ...jobStats, jobs: [jobStats.jobs[0], { id: 2, hosts: 'h1', to: open }] };
  t.equal(await tagOf(server, JOBS, jobs), null, 'one job that is not');
  await server.clockAhead(100);
  t.ok(await tagOf(server, QUERY, { ...query, to: open }), 'it becomes settled');
  t.ok(await tagOf(server, JOBS, jobs));
  const bad = await ask(server, QUERY, { ...query, select: {} }, { 'if-none-match': '*' });
  t.equal(bad.status, 400);
});

t.test('a shard that begins anew', async (t) => {
  const server = await start(t, 2);
  const before = await ask(server, QUERY, query);
  server.crash(1);
  t.ok(await eventually(() => server.output().includes('shard is back'), 20_000));
  t.ok(await becomesReady(server));
  const after = await ask(server, QUERY, query, { 'if-none-match': before.headers.get('etag')! });
  t.equal(after.status, 200);
  t.equal(after.text, before.text);
});
