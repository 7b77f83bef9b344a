import t, { type Test } from 'tap';
import type { LevelsPage, PrefixDetail } from '../../src/model/inspection.js';
import { startServer, type TestServer } from '../helpers/server.js';

const NOW = Math.floor(Date.now() / 60_000) * 60 - 60;
const HOSTS = 60;
const THREADS = 4;
const SLOTS = 150;
const DEBUG = '/api/v2/debug';

function linesOf(cluster: string, host: number): string {
  const lines: string[] = [];
  for (let slot = SLOTS - 1; slot >= 0; slot--) {
    const time = NOW - slot * 60;
    lines.push(`load,cluster=${cluster},hostname=h${host} value=${slot} ${time}\n`);
    for (let thread = 0; thread < THREADS; thread++) {
      const tags = `cluster=${cluster},hostname=h${host},type=hwthread,type-id=${thread}`;
      lines.push(`clock,${tags} value=${2000 + slot} ${time}\n`);
    }
  }
  return lines.join('');
}

async function start(t: Test, shards: number): Promise<TestServer> {
  const server = await startServer({
    metrics: {
      clock: { frequency: 60, aggregation: 'avg', unit: 'MHz' },
      load: { frequency: 60, aggregation: 'sum' },
    },
    metricshard: { shards },
  });
  t.teardown(() => server.stop());
  const bodies = Array.from({ length: HOSTS }, (_, host) =>
    server.write(linesOf(host % 2 ? 'alex' : 'fritz', host)),
  );
  t.ok((await Promise.all(bodies)).every(({ status }) => status === 200));
  return server;
}

/** A page after the other; all entries of a list. */
async function allPages<Entry>(
  server: TestServer,
  path: string,
  list: string,
  pagesMax = 500,
): Promise<Entry[]> {
  const entries: Entry[] = [];
  let after: string | null = '';
  for (let pages = 0; after !== null; pages++) {
    if (pages > pagesMax) throw new Error(`${path} does not end`);
    const { json } = await server.get(`${path}&after=${after}`);
    entries.push(...json[list]);
    after = json.next;
  }
  return entries;
}

for (const shards of [1, 3]) {
  t.test(`what a store of ${shards} shard(s) holds`, async (t) => {
    const server = await start(t, shards);
    await t.test('levels', (t) => levels(t, server));
    await t.test('blocks', (t) => blocks(t, server));
    await t.test('prefixes', (t) => prefixes(t, server, shards));
    await t.test('rejected lines', (t) => rejected(t, server));
    await t.test('what is wrong with requests', (t) => garbage(t, server, shards));
    await t.test('what would be freed', (t) => previewFree(t, server));
  });
}

async function levels(t: Test, server: TestServer): Promise<void> {
  const root = await server.get(`${DEBUG}/levels`);
  t.equal(root.status, 200, root.text);
  const half = HOSTS / 2;
  t.same(root.json, {
    path: [],
    series: [],
    children: [
      { name: 'alex', series: 0, children: half },
      { name: 'fritz', series: 0, children: half },
    ],
    next: null,
  });
  const odd = Array.from({ length: half }, (_, i) => `h${2 * i + 1}`).toSorted();
  for (const limit of [1, 7, 1000]) {
    const path = `${DEBUG}/levels?level=alex&limit=${limit}`;
    const hosts = await allPages<{ name: string }>(server, path, 'children');
    t.same(
      hosts.map(({ name }) => name),
      odd,
      `hosts of all shards, by ${limit}`,
    );
  }
  const host = (await server.get(`${DEBUG}/levels?level=alex&level=h7`)).json as LevelsPage;
  t.equal(host.children.length, THREADS);
  t.match(host.series, [{ metric: 'load', unit: '', samples: SLOTS, lastSec: NOW, lastValue: 0 }]);
  const thread = `${DEBUG}/levels?level=alex&level=h7&level=hwthread2`;
  const { series } = (await server.get(thread)).json as LevelsPage;
  t.match(series, [{ metric: 'clock', unit: 'MHz', stepSec: 60, lastValue: 2000 }]);
  t.equal(series[0]!.firstSec, NOW - (SLOTS - 1) * 60);
}

async function blocks(t: Test, server: TestServer): Promise<void> {
  const path = `${DEBUG}/blocks?level=alex&level=h7&level=hwthread2&metric=clock`;
  const before = (await server.get(path)).json;
  t.match(before, { metric: 'clock', unit: 'MHz', stepSec: 60, next: null });
  const samples = before.blocks.map((block: { samples: number }) => block.samples);
  t.equal(
    samples.reduce((a: number, b: number) => a + b),
    SLOTS,
  );
  t.match(before.blocks.at(-1), { sealed: false, codec: 'head' });
  t.match(before.blocks[0], { sealed: true, saved: false, archived: false });
  t.same(await allPages(server, `${path}&limit=1`, 'blocks'), before.blocks);
  t.equal((await server.post('/api/v2/admin/checkpoint', '')).status, 200);
  const after = (await server.get(path)).json;
  t.match(after.blocks[0], { sealed: true, saved: true, archived: false }, 'in a checkpoint');
}

async function prefixes(t: Test, server: TestServer, shards: number): Promise<void> {
  await server.write(`events,cluster=alex,hostname=h7 value=1 ${NOW}\n`);
  await server.write(
    `clock,cluster=alex,hostname=h7,type=hwthread,type-id=0,unit=GHz value=2 ${NOW}\n`,
  );
  const all: PrefixDetail[] = [];
  for (let shard = 0; shard < shards; shard++) {
    const path = `${DEBUG}/prefixes?shard=${shard}&limit=50`;
    const first = (await server.get(path)).json;
    const found = await allPages<PrefixDetail>(server, path, 'prefixes');
    t.match(first, { shard, count: found.length, max: 1_000_000, evictions: 0 });
    all.push(...found);
  }
  t.equal(all.length, HOSTS * (THREADS + 1) + 2, 'of all shards');
  const clock = 'clock,cluster=alex,hostname=h7,type=hwthread,type-id=2 value=';
  t.match(
    all.find(({ prefix }) => prefix === clock),
    { kind: 'series', metric: 'clock', level: ['alex', 'h7', 'hwthread2'], wasUsed: true },
  );
  t.match(
    all.find(({ kind }) => kind === 'converted'),
    { metric: 'clock', level: ['alex', 'h7', 'hwthread0'] },
  );
  t.match(
    all.find(({ kind }) => kind === 'ignored'),
    { prefix: 'events,cluster=alex,hostname=h7 ', metric: 'events', level: null },
  );
  const some: PrefixDetail[] = [];
  for (let shard = 0; shard < shards; shard++) {
    const path = `${DEBUG}/prefixes?shard=${shard}&contains=hostname%3Dh7,type`;
    some.push(...(await allPages<PrefixDetail>(server, path, 'prefixes')));
  }
  t.equal(some.length, THREADS + 1);
}

async function rejected(t: Test, server: TestServer): Promise<void> {
  t.same((await server.get(`${DEBUG}/rejected`)).json, { rejected: [] });
  const good = `load,cluster=alex,hostname=h1 value=1 ${NOW}\n`;
  const { json } = await server.write(
    `${good}load,cluster=alex value=1\nload,hostname=h1 value=x\n`,
  );
  t.equal(json.rejected, 2);
  const kept = (await server.get(`${DEBUG}/rejected`)).json.rejected;
  const { timeSec, ...example } = kept[1];
  t.same(example, { source: 'http', caller: '127.0.0.1', ...json.first[0] });
  t.ok(Math.abs(timeSec - Date.now() / 1000) < 60);
  t.equal(kept[0].line, 3, 'the newest first');
}

async function previewFree(t: Test, server: TestServer): Promise<void> {
  const half = NOW - 60 * (SLOTS / 2);
  const requests: [to: number, selectors: string[][]][] = [
    [half, [['alex', 'h7'], ['alex']]],
    [NOW + 60, [['fritz', 'h8', 'hwthread1'], ['nobody']]],
    [NOW + 60, [['alex']]],
    [NOW + 60, [['alex'], []]],
  ];
  let seriesLeft = HOSTS * (THREADS + 1);
  for (const [to, selectors] of requests) {
    const preview = await server.post(`/api/free?to=${to}&preview=true`, selectors);
    t.equal(preview.status, 200, preview.text);
    const again = await server.post(`/api/free?to=${to}&preview=true`, selectors);
    t.same(again.json, preview.json, 'it has freed nothing');
    const { text } = await server.post(`/api/free?to=${to}`, selectors);
    t.equal(text, `buffers freed: ${preview.json.blocks}\n`);
    seriesLeft -= preview.json.series;
  }
  t.equal(seriesLeft, 0, 'all series were told to go');
  const { json } = await server.post('/api/free?to=1900000000&preview=true', [[]]);
  t.same(json, { blocks: 0, series: 0, bytes: 0, hosts: 0 });
}

async function garbage(t: Test, server: TestServer, shards: number): Promise<void> {
  const check = async (path: string, status: number, message: RegExp): Promise<void> => {
    const answer = await server.get(`${DEBUG}/${path}`);
    t.equal(answer.status, status, path);
    t.match(answer.json.error, message, path);
  };
  await check('levels?level=', 404, /there is no level/);
  await check('levels?level=alex&level=h8', 404, /there is no level "alex \/ h8"/);
  await check(`levels?level=${'x'.repeat(5000)}`, 404, /there is no level/);
  await check(`levels${'?level=a'.repeat(1)}${'&level=a'.repeat(4)}`, 400, /at most 4/);
  await check(
    'levels?levels=alex',
    400,
    /"levels" is not known here; known are level, limit, after/,
  );
  await check('levels?limit=0', 400, /parameter limit: "0" is not a whole number from 1 to 10000/);
  await check('levels?limit=1&limit=2', 400, /parameter limit is there more than once/);
  for (const after of ['x', '%00', 'AAAA', '🦊']) {
    await check(`levels?after=${after}`, 400, /parameter after/);
    await check(`blocks?level=alex&level=h7&metric=load&after=${after}`, 400, /parameter after/);
    await check(`prefixes?after=${after}`, 400, /parameter after/);
  }
  await check('blocks?level=alex&metric=load', 400, /a level of two names or more/);
  await check('blocks?level=alex&level=h7', 400, /a level of two names or more/);
  await check('blocks?level=alex&level=h7&metric=constructor', 404, /no series of "constructor"/);
  await check(`prefixes?shard=${shards}`, 400, /is not one of the shards/);
  await check('prefixes?shard=-1', 400, /parameter shard: "-1" is not a number/);
  await check('rejected?limit=1', 400, /"limit" is not known here; there are none/);
  for (const preview of ['preview', 'preview=1', 'preview=true&preview=true', 'preview=TRUE']) {
    const { status, json } = await server.post(`/api/free?to=${NOW + 60}&${preview}`, [[]]);
    t.equal(status, 400, preview);
    t.match(json.error, /parameter preview/);
  }
  const root = (await server.get(`${DEBUG}/levels`)).json as LevelsPage;
  t.equal(root.children.length, 2, 'nothing was freed');
}
