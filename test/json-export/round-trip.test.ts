import { execFile } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { becomesReady, temporaryFolder } from '../helpers/durable.js';
import { startWithLevers } from '../helpers/levers.js';
import { eventually, metricSum } from '../helpers/metrics.js';
import { startServer, type TestServer } from '../helpers/server.js';
import { jsonBytes, writeHostFile } from '../migration/reference-files.js';

const IMPORT = fileURLToPath(new URL('../../scripts/import.js', import.meta.url));
const METRICS = {
  load: { frequency: 60, aggregation: 'avg' },
  clock: { frequency: 60, aggregation: 'avg' },
  power: { frequency: 30, aggregation: 'sum' },
};
/** Far inside the retention, on the grid. */
const T0 = Math.floor(Date.now() / 3_600_000) * 3600 - 6 * 3600;
const STEPS = 200;
const HOSTS = ['a1', 'a2', 'a3', 'a4', 'a5'];

function config(
  directory: string,
  format: string,
  shards = 2,
  more: object = {},
): Record<string, unknown> {
  return {
    metrics: METRICS,
    'metric-store': { ...more, checkpoints: { directory, 'file-format': format } },
    metricshard: { shards },
  };
}

function linesOf(host: string, step: number): string[] {
  const tags = `cluster=alex,hostname=${host}`;
  const sec = T0 + 60 * step;
  const base = Number(host.slice(1)) * 1000 + step;
  return [
    `load,${tags} value=${base / 10} ${sec}`,
    `clock,${tags},type=hwthread,type-id=0 value=${base} ${sec}`,
    `clock,${tags},type=hwthread,type-id=1,stype=device,stype-id=x value=${-base / 7} ${sec}`,
    `power,${tags},type=accelerator,type-id=00000000:49:00.0 value=${base}e-9 ${sec}`,
    `power,${tags},stype=filesystem,stype-id=/home value=1e300 ${sec + 30}`,
  ];
}

async function fill(server: TestServer, from: number, until: number): Promise<void> {
  for (let step = from; step < until; step++) {
    if (step % 17 === 5) continue;
    const { status } = await server.write(HOSTS.flatMap((host) => linesOf(host, step)).join('\n'));
    if (status !== 200) throw new Error(`${status}`);
  }
}

const QUERIES = [
  { metric: 'load' },
  { metric: 'clock', type: 'hwthread', 'type-ids': ['0', '1'] },
  { metric: 'power', type: 'accelerator', 'type-ids': ['00000000:49:00.0'] },
  { metric: 'clock' },
];

async function answers(server: TestServer): Promise<string[]> {
  const queries = HOSTS.flatMap((host) => QUERIES.map((query) => ({ ...query, host })));
  const range = { from: T0 - 3600, to: T0 + 60 * (STEPS + 100) };
  const data = await server.query({ cluster: 'alex', ...range, queries });
  const tree = HOSTS.map(async (host) => {
    const { json } = await server.get(`/api/debug?selector=alex:${host}`);
    return JSON.stringify(Object.keys(json.children).sort());
  });
  return [data.text, ...(await Promise.all(tree))];
}

function jsonFiles(directory: string): string[] {
  return readdirSync(join(directory, 'json'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.includes('.json'))
    .sort();
}

async function startedOn(
  t: Test,
  directory: string,
  format: string,
  shards = 2,
): Promise<TestServer> {
  const server = await startServer(config(directory, format, shards));
  t.teardown(() => server.stop());
  if (!(await becomesReady(server))) throw new Error(server.output());
  return server;
}

t.test('there and back: equal answers', async (t) => {
  const directory = join(temporaryFolder(t, 'json'), 'data');
  const first = await startedOn(t, directory, 'json');
  t.notMatch(first.output(), /file-format/, 'no warning');
  await fill(first, 0, 150);
  const { status } = await first.post('/api/v2/admin/checkpoint', '');
  t.equal(status, 200);
  const before = jsonFiles(directory);
  t.ok(before.length >= HOSTS.length * 3, 'hour by hour');
  t.same(
    before.filter((name) => name.endsWith('.new')),
    [],
  );
  const level = JSON.parse(readFileSync(join(directory, 'json', before[0]!), 'utf8'));
  t.match(level, { from: Number, to: Number, metrics: { load: { frequency: 60, start: T0 } } });
  t.same(Object.keys(level.children).sort(), [
    'accelerator00000000:49:00.0',
    'filesystem/home',
    'hwthread0',
    'hwthread1',
  ]);
  t.same(level.children.hwthread1.children.devicex.metrics.clock.data[0], -1000 / 7);
  const bytes = before.reduce((sum, name) => sum + statSync(join(directory, 'json', name)).size, 0);
  t.equal(await metricSum(first, 'metricshard_json_written_bytes_total'), bytes);
  t.equal(await metricSum(first, 'metricshard_json_files_written_total'), before.length);
  await fill(first, 150, STEPS);
  // Late ones for a time that was exported, and one that is new to the second.
  await first.write(linesOf('a2', 5).join('\n'));
  await first.write(linesOf('a3', 3).join('\n').replaceAll('value=', 'value=9'));
  await first.write(`load,cluster=alex,hostname=a1 value=4 ${T0 + 60 * (STEPS + 50)}`);
  const expected = await answers(first);
  t.equal(await first.stop(), 0);

  // Its own start does not take them for something to import.
  const again = await startedOn(t, directory, 'json');
  t.notMatch(again.output(), /importing/);
  t.same(await answers(again), expected);
  await again.stop();

  // Another store takes the folder as its own.
  const taken = join(temporaryFolder(t, 'taken'), 'data');
  cpSync(join(directory, 'json'), taken, { recursive: true });
  const second = await startedOn(t, taken, 'wal', 3);
  t.match(second.output(), /"hosts":5,.*"imported"/);
  t.notMatch(second.output(), /import: /, 'nothing to complain of');
  t.same(await answers(second), expected);
  await second.stop();
  t.notOk(existsSync(join(taken, 'json')), 'wal writes none');

  // The script sends it to a running one.
  const third = await startedOn(t, join(temporaryFolder(t, 'sent'), 'data'), 'wal', 1);
  const { code, output } = await runImport(join(directory, 'json'), '--url', third.url);
  t.equal(code, 0, output);
  t.same(await answers(third), expected);
});

function runImport(...argv: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [IMPORT, ...argv], (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), output: stdout + stderr });
    });
  });
}

t.test(
  'killed between, and with another number of shards: no second is in two files',
  async (t) => {
    const directory = join(temporaryFolder(t, 'json'), 'data');
    const first = await startedOn(t, directory, 'json');
    await fill(first, 0, 100);
    await first.post('/api/v2/admin/checkpoint', '');
    await fill(first, 100, 120);
    await first.kill();
    const second = await startedOn(t, directory, 'json', 3);
    await fill(second, 120, 150);
    await second.post('/api/v2/admin/checkpoint', '');
    await second.kill();
    const third = await startedOn(t, directory, 'json', 3);
    await fill(third, 150, STEPS);
    const expected = await answers(third);
    t.equal(await third.stop(), 0);
    const ranges = new Map<string, [number, number][]>();
    for (const name of jsonFiles(directory)) {
      const { from, to } = JSON.parse(readFileSync(join(directory, 'json', name), 'utf8'));
      const host = name.slice(0, name.lastIndexOf('/'));
      ranges.set(host, [...(ranges.get(host) ?? []), [from, to]]);
    }
    for (const [host, times] of ranges) {
      const isDisjoint = times.every(([from], i) => i === 0 || times[i - 1]![1] <= from);
      t.ok(isDisjoint, `${host}: ${JSON.stringify(times)}`);
    }
    const other = await startedOn(t, join(directory, 'json'), 'wal', 1);
    t.same(await answers(other), expected);
  },
);

t.test('files older than the retention go, as data does', async (t) => {
  const directory = join(temporaryFolder(t, 'json'), 'data');
  const server = await startWithLevers(
    config(directory, 'json', 1, { 'retention-in-memory': '8h' }),
  );
  t.teardown(() => server.stop());
  await fill(server, 0, STEPS);
  await server.post('/api/v2/admin/checkpoint', '');
  const before = jsonFiles(directory);
  // Half an hour from where another file goes, so that an hour may end meanwhile.
  const ahead = 4.5 * 3600;
  await server.clockAhead(ahead);
  await server.post('/api/v2/admin/checkpoint', '');
  const oldest = Date.now() / 1000 + ahead - 8 * 3600;
  const after = jsonFiles(directory);
  t.ok(after.length < before.length && after.length > 0, `${after.length} of ${before.length}`);
  t.ok(after.every((name) => Number(/(\d+)\.json$/.exec(name)![1]) + 3600 > oldest));
  await server.clockAhead(20 * 3600);
  t.ok(
    await eventually(async () => {
      await server.post('/api/v2/admin/checkpoint', '');
      return jsonFiles(directory).length === 0;
    }),
    'in the end none is left',
  );
  t.same(readdirSync(join(directory, 'json', 'alex')), [], 'nor their folders');
});

t.test('a cluster of cc-metric-store that is named json', async (t) => {
  const directory = join(temporaryFolder(t, 'json'), 'data');
  const column = { frequency: 60, start: T0, data: [1, 2] };
  const level = { metrics: { load: column } };
  const file = writeHostFile(directory, 'json', 'h1', `${T0}.json`, jsonBytes(T0, T0 + 120, level));
  const first = await startedOn(t, directory, 'json', 1);
  t.match(first.output(), /"hosts":1,.*"samples":2,.*"imported"/);
  await first.post('/api/v2/admin/checkpoint', '');
  t.same(jsonFiles(directory), [`h1/${T0}.json`, `json/h1/${T0}.json`]);
  await first.stop();
  const second = await startedOn(t, directory, 'json', 1);
  t.notMatch(second.output(), /importing|import: /, 'what was written is not taken for it');
  const query = {
    cluster: 'json',
    from: T0,
    to: T0 + 120,
    queries: [{ metric: 'load', host: 'h1' }],
  };
  t.same((await second.query(query)).json.results[0][0].data, [1, 2]);
  t.ok(existsSync(file), 'its own stays');
});
