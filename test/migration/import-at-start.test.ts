import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { eventually, metricSum } from '../helpers/metrics.js';
import { MAIN } from '../helpers/program.js';
import { random as randomFrom, seed } from '../helpers/random.js';
import { startServer, type TestServer } from '../helpers/server.js';
import { binBytes, jsonBytes, walBytes, writeHostFile, type LevelData } from './reference-files.js';

const root = mkdtempSync(join(tmpdir(), 'metricshard-reference-'));
t.teardown(() => rmSync(root, { recursive: true, force: true }));

/** Far inside the retention, on the grid. */
const T0 = Math.floor(Date.now() / 3_600_000) * 3600 - 6 * 3600;
/** What the log says if there was anything to import. */
const IMPORTING = /importing files of cc-metric-store/;
let directories = 0;

function newDirectory(): string {
  const directory = join(root, `d${directories++}`);
  mkdirSync(directory);
  return directory;
}

async function start(directory: string, shards = 2, more: object = {}): Promise<TestServer> {
  const server = await startServer({
    metrics: {
      load: { frequency: 60, aggregation: 'avg' },
      clock: { frequency: 60, aggregation: 'avg' },
      used: { frequency: 60, aggregation: 'sum' },
    },
    'metric-store': { checkpoints: { directory, 'file-format': 'wal' } },
    metricshard: { shards, ...more },
  });
  const isReady = await eventually(async () => (await server.get('/ready')).status === 200, 60_000);
  if (!isReady) throw new Error(`not ready: ${server.output()}`);
  return server;
}

type Values = readonly (number | null)[];

/** Data or error of each element of one query. */
async function ask(server: TestServer, query: object, count: number, from = T0): Promise<unknown> {
  const to = from + 60 * count;
  const { json } = await server.query({ cluster: 'alex', from, to, queries: [query] });
  return json.results[0].map((element: { data?: Values; error?: string }) => {
    return element.data ?? element.error;
  });
}

/** One metric at the host, one at two cores, one at a file system, and one that nobody configured. */
function level(base: number): LevelData {
  const column = (...data: Values): LevelData => ({
    metrics: { clock: { frequency: 60, start: T0, data } },
  });
  return {
    metrics: {
      load: { frequency: 60, start: T0, data: [base + 0.1, null, base + 2] },
      secret: { frequency: 60, start: T0, data: [1, 2] },
    },
    children: {
      hwthread0: column(2400.1, base),
      hwthread1: column(null, base + 1),
      'filesystem/home': { metrics: { used: { frequency: 60, start: T0, data: [base] } } },
    },
  };
}

async function checkLevel(t: Test, server: TestServer, host: string, base: number): Promise<void> {
  t.same(await ask(server, { metric: 'load', host }, 3), [[base + 0.1, null, base + 2]]);
  const cores = { metric: 'clock', host, type: 'hwthread', 'type-ids': ['0', '1'] };
  t.same(await ask(server, cores, 2), [
    [2400.1, base],
    [null, base + 1],
  ]);
  t.same(await ask(server, { metric: 'used', host }, 1), [[base]]);
}

/** Names and contents of the files of the reference. */
function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.startsWith('alex') && statSync(join(directory, name)).isFile())
    .map((name) => `${name} ${readFileSync(join(directory, name)).toString('base64')}`)
    .sort();
}

t.test('all three formats, once, with what is left out told', async (t) => {
  const directory = newDirectory();
  writeHostFile(directory, 'alex', 'a1', `${T0}.json`, jsonBytes(T0, T0 + 180, level(10)));
  writeHostFile(directory, 'alex', 'a2', `${T0}.bin`, binBytes(T0, T0 + 180, level(20)));
  const wal = walBytes([
    { time: T0, metric: 'load', selector: [], value: 30.1 },
    { time: T0, metric: 'clock', selector: ['hwthread0'], value: 2400.1 },
    { time: T0, metric: 'used', selector: ['filesystem/home'], value: 30 },
    { time: T0 + 60, metric: 'clock', selector: ['hwthread0'], value: 30 },
    { time: T0 + 60, metric: 'clock', selector: ['hwthread1'], value: 31 },
    { time: T0 + 60, metric: 'secret', selector: [], value: 1 },
    { time: T0 + 120, metric: 'load', selector: [], value: 32 },
    { time: T0 - 90 * 86400, metric: 'load', selector: [], value: 1 },
    { time: T0 + 180, metric: 'load', selector: [], value: Infinity },
  ]);
  writeHostFile(directory, 'alex', 'a3', 'current.wal', wal);
  writeHostFile(directory, 'alex', 'a3', 'notes.txt', 'mine');
  const before = filesBelow(directory);

  const first = await start(directory);
  await checkLevel(t, first, 'a1', 10);
  await checkLevel(t, first, 'a2', 20);
  await checkLevel(t, first, 'a3', 30);
  const told = first.output();
  t.equal(told.match(/metric secret is not configured/g)?.length, 1, 'told once');
  t.match(told, /"hosts":3,"files":3,.*"samples":18,"outsideRetention":1,.*"imported"/);
  t.match(told, /1 values are not finite/);
  t.match(told, /notes\.txt: neither a checkpoint/);
  t.notMatch(told, /restore: /);
  t.same(filesBelow(directory), before, 'the files are as they were');
  t.ok(existsSync(join(directory, 'IMPORTED')));
  const line = `load,cluster=alex,hostname=a1 value=5 ${T0}`;
  t.equal((await first.write(line)).status, 200);
  await first.kill();

  const second = await start(directory);
  t.notMatch(second.output(), IMPORTING, 'once only');
  t.same(await ask(second, { metric: 'load', host: 'a1' }, 3), [[5, null, 12]], 'not undone');
  await checkLevel(t, second, 'a2', 20);
  t.equal(await second.stop(), 0);

  const other = await start(directory, 3);
  t.notMatch(other.output(), IMPORTING, 'nor after a move to more shards');
  await checkLevel(t, other, 'a3', 30);
  t.equal(await other.stop(), 0);

  // cc-metric-store has run again meanwhile.
  const later = walBytes([{ time: T0 + 600, metric: 'load', selector: [], value: 7 }]);
  writeHostFile(directory, 'alex', 'a2', 'current.wal', later);
  const third = await start(directory, 1);
  t.match(
    third.output(),
    /"hosts":1,.*"imported"/,
    'a folder that has changed, and a move at once',
  );
  t.match(third.output(), /data has moved/);
  await checkLevel(t, third, 'a2', 20);
  t.same(await ask(third, { metric: 'load', host: 'a2' }, 1, T0 + 600), [[7]]);
  t.equal(await third.stop(), 0);
});

t.test('files that overlap: the later one wins', async (t) => {
  const directory = newDirectory();
  const one = (from: number, data: Values): Buffer =>
    binBytes(from, 0, { metrics: { load: { frequency: 60, start: from, data } } });
  writeHostFile(directory, 'alex', 'a1', `${T0}.bin`, one(T0, [1, 1, 1, 1]));
  const json = jsonBytes(T0 + 120, 0, {
    metrics: { load: { frequency: 60, start: T0 + 120, data: [2, null, 2, 2] } },
  });
  writeHostFile(directory, 'alex', 'a1', `${T0 + 120}.json`, json);
  const wal = walBytes([
    { time: T0 + 300, metric: 'load', selector: [], value: 3 },
    { time: T0, metric: 'load', selector: [], value: 3 },
    { time: T0 + 360, metric: 'load', selector: [], value: 3 },
  ]);
  writeHostFile(directory, 'alex', 'a1', 'current.wal', wal);
  const server = await start(directory, 1);
  t.same(await ask(server, { metric: 'load', host: 'a1' }, 7), [[3, 1, 2, 1, 2, 3, 3]]);
  t.equal(await server.stop(), 0);
});

t.test('a longer history, and damage in one of the files', async (t) => {
  const directory = newDirectory();
  const data = Array.from({ length: 300 }, (_, i) => i / 4);
  const children = Object.fromEntries(
    Array.from({ length: 16 }, (_, core) => [
      `hwthread${core}`,
      { metrics: { clock: { frequency: 60, start: T0, data } } },
    ]),
  );
  const hosts = Array.from({ length: 12 }, (_, index) => `a${index}`);
  for (const host of hosts) {
    const bytes = binBytes(T0, 0, { children });
    const kept = host === 'a3' ? bytes.subarray(0, bytes.length / 2) : bytes;
    writeHostFile(directory, 'alex', host, `${T0}.bin`, kept);
  }
  const server = await start(directory);
  t.match(server.output(), /a3\/\d+\.bin, byte \d+: the file ends too early; the rest is not read/);
  for (const host of hosts) {
    const ids = host === 'a3' ? ['0'] : ['0', '15'];
    const query = { metric: 'clock', host, type: 'hwthread', 'type-ids': ids };
    t.same(await ask(server, query, 300), Array(ids.length).fill(data), host);
  }
  t.equal(await server.stop(), 0);
});

t.test('ended before it was done: it begins anew', async (t) => {
  const directory = newDirectory();
  writeHostFile(directory, 'alex', 'a1', `${T0}.bin`, binBytes(T0, 0, level(10)));
  const first = await start(directory, 1);
  await first.kill();
  // As if it had been killed between the checkpoint and the marker.
  rmSync(join(directory, 'IMPORTED'));
  const second = await start(directory, 1);
  t.match(second.output(), IMPORTING);
  await checkLevel(t, second, 'a1', 10);
  await second.kill();
  // Before the checkpoint: nothing of it is on disk.
  for (const name of readdirSync(directory)) {
    if (name !== 'alex') rmSync(join(directory, name), { recursive: true });
  }
  const third = await start(directory, 1);
  t.match(third.output(), IMPORTING);
  await checkLevel(t, third, 'a1', 10);
  t.equal(await third.stop(), 0);
});

t.test('killed at any time, and started until it is ready', async (t) => {
  const directory = newDirectory();
  const data = Array.from({ length: 300 }, (_, i) => i / 4);
  const metrics = { load: { frequency: 60, start: T0, data } };
  const hosts = Array.from({ length: 200 }, (_, index) => `a${index}`);
  for (const host of hosts) {
    writeHostFile(directory, 'alex', host, `${T0}.bin`, binBytes(T0, 0, { metrics }));
  }
  const config = join(directory, 'config.json');
  const metricStore = { checkpoints: { directory } };
  const file = { main: { addr: '127.0.0.1:0' }, 'metric-store': metricStore };
  writeFileSync(config, JSON.stringify({ ...file, metricshard: { shards: 2 } }));
  for (let afterMs = 100; afterMs <= 800; afterMs += 100) {
    const child = spawn(process.execPath, [MAIN, '-config', config], { stdio: 'ignore' });
    const exited = new Promise((resolve) => child.once('exit', resolve));
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    child.kill('SIGKILL');
    await exited;
  }
  const server = await start(directory);
  for (const host of hosts) {
    const [got] = (await ask(server, { metric: 'load', host }, 300)) as Values[];
    if (got?.join() !== data.join()) t.fail(host);
  }
  t.ok(existsSync(join(directory, 'IMPORTED')));
  t.equal(await server.stop(), 0);
});

t.test('recorded data of any age', async (t) => {
  const directory = newDirectory();
  const then = 1_600_000_020;
  const json = jsonBytes(then, 0, {
    metrics: { load: { frequency: 60, start: then, data: [1, 2] } },
  });
  writeHostFile(directory, 'alex', 'a1', `${then}.json`, json);
  const server = await start(directory, 1, { 'retention-enforced': false });
  t.same(await ask(server, { metric: 'load', host: 'a1' }, 2, then), [[1, 2]]);
  t.equal(await server.stop(), 0);
});

t.test('limits hold, and are told', async (t) => {
  const directory = newDirectory();
  const children = Object.fromEntries(
    Array.from({ length: 8 }, (_, core) => [
      `hwthread${core}`,
      { metrics: { clock: { frequency: 60, start: T0, data: [1, 2, null] } } },
    ]),
  );
  writeHostFile(directory, 'alex', 'a1', `${T0}.bin`, binBytes(T0, 0, { children }));
  const server = await start(directory, 1, { limits: { 'series-max': 5 } });
  const told = /"samples":6,"msg":"import: series-max is reached, not all of metric clock"/;
  t.match(server.output(), told, 'samples of the three series too many');
  t.match(server.output(), /"samples":10,.*"imported"/);
  const ids = ['0', '7'];
  const query = { metric: 'clock', host: 'a1', type: 'hwthread', 'type-ids': ids };
  t.match(await ask(server, query, 2), [[1, 2], /hwthread 7 of a1 was never seen/]);
  t.equal(await server.stop(), 0);
});

t.test('under a cap the oldest samples go', async (t) => {
  const directory = newDirectory();
  // Numbers that do not pack: 8 bytes each, some 12 MB.
  const random = randomFrom(seed);
  const count = 1500;
  const start0 = Math.floor(Date.now() / 60_000) * 60 - 60 * count;
  const hosts = Array.from({ length: 10 }, (_, index) => `a${index}`);
  const columns = new Map<string, number[]>();
  for (const host of hosts) {
    const all = Array.from({ length: 100 }, () =>
      Array.from({ length: count }, () => random() * 1e9),
    );
    columns.set(host, all[0]!);
    // A checkpoint each hour.
    for (let from = 0; from < count; from += 60) {
      const start = start0 + 60 * from;
      const children = Object.fromEntries(
        all.map((values, core) => {
          const data = values.slice(from, from + 60);
          return [`hwthread${core}`, { metrics: { clock: { frequency: 60, start, data } } }];
        }),
      );
      writeHostFile(directory, 'alex', host, `${start}.json`, jsonBytes(start, 0, { children }));
    }
  }
  const server = await startServer({
    'metric-store': { 'memory-cap': 0.009, checkpoints: { directory } },
    metricshard: { shards: 1 },
  });
  t.ok(await eventually(async () => (await server.get('/ready')).status === 200, 60_000));
  t.ok((await metricSum(server, 'metricshard_blocks_evicted_total')) > 0, 'some went');
  t.match(server.output(), /memory-cap is reached, \d+ blocks of the oldest samples went again/);
  for (const host of hosts) {
    const query = { metric: 'clock', host, type: 'hwthread', 'type-ids': ['0'] };
    const [got] = (await ask(server, query, count, start0)) as Values[];
    const newest = columns.get(host)!.slice(-200);
    t.same(got!.slice(-200), newest, `${host}: the newest stayed (SEED=${seed})`);
  }
  t.equal(await server.stop(), 0);
});
