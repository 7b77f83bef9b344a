import type { Worker } from 'node:worker_threads';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { freezeDeep, type Limits, type StoreConfig } from '../../src/config/config.js';
import { parseConfig } from '../../src/config/parse-config.js';
import { StoreError } from '../../src/model/errors.js';
import { needsRestart } from '../../src/routing/restart-settings.js';
import type { ShardSet } from '../../src/routing/shard-set.js';
import { startStore } from '../../src/routing/start-store.js';
import type { ReconfigureSummary, WriteSummary } from '../../src/routing/store.js';
import { described } from '../engine/small-store.js';
import { temporaryFolder } from '../helpers/durable.js';
import { eventually } from '../helpers/metrics.js';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const NOW = Math.floor(Date.now() / 1000);
/** A full hour, so that slots of all steps begin there. */
const FROM = NOW - (NOW % 3600) - 7200;
const HOSTS = Array.from({ length: 8 }, (_, i) => `h${i}`);

interface Started {
  readonly store: ShardSet;
  /** Goes on with parts of the configuration that differ from what it was started with. */
  change(next: Partial<StoreConfig>, limits?: Partial<Limits>): Promise<ReconfigureSummary>;
}

async function start(t: Test, config: object = {}, directory = ''): Promise<Started> {
  const parsed = parseConfig({
    metrics: { m: { frequency: 60, aggregation: 'sum', unit: 'MB/s' } },
    'metric-store': { checkpoints: { directory } },
    metricshard: { shards: 2 },
    ...config,
  }).config;
  const base = freezeDeep(parsed).store;
  const store = await startStore(base, { ...parsed.limits }, quiet);
  t.teardown(() => store.stop());
  return {
    store,
    change: (next, limits = {}) =>
      store.reconfigure(freezeDeep({ ...base, ...next }), { ...parsed.limits, ...limits }),
  };
}

function write(store: ShardSet, lines: readonly string[]): Promise<WriteSummary> {
  const body = lines.map((line) => `${line}\n`).join('');
  const session = store.beginWrite({ cluster: 'c', precision: 0, bytesExpected: body.length });
  session.push(Buffer.from(body));
  return session.finish();
}

interface Shown {
  data?: (number | null)[];
  error?: string;
  resolution: number;
}

function query(
  store: ShardSet,
  query: object,
  range: object = { from: FROM, to: FROM + 600 },
): Promise<Shown[]> {
  const request = { cluster: 'c', ...range, queries: [{ resolution: 0, ...query }] };
  return new Promise((resolve, reject) => {
    store.query(JSON.stringify(request), (answer) => {
      if (!answer.ok) reject(answer.error);
      else resolve(JSON.parse(Buffer.from(answer.json).toString()).results[0] as Shown[]);
    });
  });
}

const rule = (frequency: number, unit = 'MB/s') =>
  ({ frequency, aggregation: 'sum', unit }) as const;

const total = (store: ShardSet, counter: string): number =>
  store.status().shards.reduce((sum, { counters }) => sum + (counters[counter] ?? 0), 0);

t.test('a metric comes: lines that were ignored by their first bytes are taken', async (t) => {
  const { store, change } = await start(t);
  const lines = HOSTS.map((host) => `n,hostname=${host} value=5 ${FROM}`);
  for (let times = 0; times < 3; times++) t.match(await write(store, lines), { ignored: 8 });
  const summary = await change({ metrics: { m: rule(60), n: rule(30) } });
  t.same(summary.metrics, { added: ['n'], removed: [], changed: [] });
  t.equal(
    summary.shards.reduce((sum, shard) => sum + shard!.prefixesRebound, 0),
    8,
  );
  for (let times = 0; times < 2; times++) t.match(await write(store, lines), { written: 8 });
  const [shown] = await query(store, { metric: 'n', host: 'h3' });
  t.equal(shown!.resolution, 30);
  t.equal(shown!.data![0], 5);
  const back = await change({});
  t.same(back.metrics.removed, ['n']);
  for (let times = 0; times < 2; times++) t.match(await write(store, lines), { ignored: 8 });
  t.equal((await query(store, { metric: 'n', host: 'h3' }))[0]!.data![0], 5, 'it can be asked for');
});

t.test('units, strategies and sub-clusters', async (t) => {
  const { store, change } = await start(t);
  const lines = (sec: number): string[] =>
    ['0', '1'].map((id) => `m,hostname=a1,type=hwthread,type-id=${id},unit=MB/s value=4000 ${sec}`);
  for (let i = 0; i < 2; i++) await write(store, lines(FROM + i * 60));
  const ranges = [{ fromSec: FROM, toSec: FROM + 600 }];
  const tag = store.versionOf(ranges, 'text', undefined);
  t.ok(tag);
  t.equal(store.versionOf(ranges, 'text', undefined), tag);
  const asAvg = { m: { frequency: 60, aggregation: 'avg', unit: 'GB/s' } } as const;
  const summary = await change({ metrics: asAvg });
  t.same(summary.metrics.changed, [
    {
      metric: 'm',
      changes: [
        'aggregation sum → avg',
        'unit MB/s → GB/s: what is stored keeps its numbers, which are in the new unit now',
      ],
    },
  ]);
  t.not(store.versionOf(ranges, 'text', undefined), tag, 'no kept answer is taken for today’s');
  for (let i = 2; i < 4; i++) await write(store, lines(FROM + i * 60));
  const [shown] = await query(store, { metric: 'm', host: 'a1' });
  t.same(shown!.data!.slice(0, 4), [4000, 4000, 4, 4]);
  const removed = described(
    'c',
    { m: { removedIn: ['bare'], unit: 'GB/s' } },
    { bare: 'a*', other: 'h*' },
  );
  await change({ metrics: asAvg, clusters: [removed] });
  t.match(await write(store, lines(FROM + 240)), { written: 0, ignored: 2 });
  t.match(await write(store, [`m,hostname=h1 value=1 ${FROM}`]), { written: 1 });
  t.equal(total(store, 'ignored:removed in sub-cluster'), 2);
  await change({ metrics: asAvg });
  t.match(await write(store, lines(FROM + 240)), { written: 2 });
});

t.test('steps change while samples come: nothing is lost', async (t) => {
  const directory = temporaryFolder(t, 'reconfigure');
  const { store, change } = await start(t, {}, directory);
  // On the grid of all steps.
  const step = 120;
  const count = 60;
  const range = { from: FROM, to: FROM + count * step };
  const lineOf = (host: string, thread: number, i: number): string =>
    `m,hostname=${host},type=hwthread,type-id=${thread} value=${i} ${FROM + i * step - 3600}`;
  let isOver = false;
  const changes = (async () => {
    const summaries: ReconfigureSummary[] = [];
    for (let i = 0; !isOver && i < 1000; i++) {
      summaries.push(await change({ metrics: { m: rule([10, 30, 120, 60][i % 4]!) } }));
      await sleep(2);
    }
    return summaries;
  })();
  for (let i = 0; i < count; i++) {
    const lines = HOSTS.flatMap((host) => [0, 1, 2].map((thread) => lineOf(host, thread, i)));
    t.match(await write(store, lines), { written: lines.length, rejected: 0 });
  }
  isOver = true;
  const summaries = await changes;
  t.ok(summaries.length > 2, `${summaries.length} changes`);
  const regridded = summaries.flatMap(({ shards }) =>
    shards.map((shard) => shard!.seriesRegridded),
  );
  t.ok(regridded.some((series) => series > 0));
  await change({ metrics: { m: rule(120) } });
  const shifted = { from: range.from - 3600, to: range.to - 3600 };
  const expected = Array.from({ length: count }, (_, i) => i);
  const check = async (host: string): Promise<void> => {
    const ids = { type: 'hwthread', 'type-ids': ['0', '1', '2'] };
    const shown = await query(store, { metric: 'm', host, ...ids }, shifted);
    for (const { data } of shown) t.same(data, expected, host);
  };
  for (const host of HOSTS) await check(host);
});

t.test('a step changes while the archive is written', async (t) => {
  const folder = temporaryFolder(t, 'reconfigure');
  const metrics = { m: rule(10) };
  const archive = { cleanup: { mode: 'archive', directory: join(folder, 'archive') } };
  const checkpoints = { directory: join(folder, 'data') };
  const { store, change } = await start(t, {
    metrics,
    'metric-store': { checkpoints, ...archive },
  });
  const count = 60;
  const range = { from: FROM, to: FROM + count * 120 };
  for (let i = 0; i < count; i++) {
    const sec = FROM + i * 120;
    await write(
      store,
      HOSTS.map((host) => `m,hostname=${host} value=${i} ${sec}`),
    );
  }
  await change({ metrics, retentionSec: 600 });
  const changed = change({ metrics: { m: rule(120) }, retentionSec: 600 });
  const [summaries] = await Promise.all([store.archive(), store.archive(), changed]);
  t.ok(
    summaries.some(({ rows }) => rows > 0),
    'something was archived',
  );
  for (const host of HOSTS) {
    const [shown] = await query(store, { metric: 'm', host }, { ...range, archive: true });
    t.same(
      shown!.data,
      Array.from({ length: count }, (_, i) => i),
      host,
    );
  }
});

t.test('a shard that dies starts with the configuration as it is now', async (t) => {
  const workers: Worker[] = [];
  const onWorker = (worker: Worker): number => workers.push(worker);
  process.on('worker', onWorker);
  const { store, change } = await start(t, {}, temporaryFolder(t, 'reconfigure'));
  process.off('worker', onWorker);
  const body = HOSTS.map((host) => `m,hostname=${host} value=1 ${FROM}`);
  await write(store, body);
  const dying = workers[0]!.terminate();
  const summary = await change({ metrics: { m: rule(30), n: rule(30) } });
  await dying;
  t.equal(summary.shards.length, 2);
  // That the thread is gone is seen a moment after it: until then a write fails, and is sent again.
  const isTaken = async (): Promise<boolean> => {
    const lines = HOSTS.map((host) => `n,hostname=${host} value=1 ${FROM}`);
    const written = await write(store, lines).catch((error: StoreError) => error);
    if (written instanceof StoreError) t.equal(written.code, 'shard-unavailable');
    else t.match(written, { written: 8 });
    return !(written instanceof StoreError);
  };
  t.ok(await eventually(isTaken));
  t.ok(await eventually(() => store.status().ready));
  for (const host of HOSTS) {
    const [shown] = await query(store, { metric: 'm', host });
    t.same([shown!.resolution, shown!.data![0]], [30, 1], host);
  }
});

t.test('limits, retention and memory', async (t) => {
  const { store, change } = await start(t);
  await write(
    store,
    HOSTS.map((host) => `m,hostname=${host} value=1 ${FROM}`),
  );
  t.equal(total(store, 'prefixes_current') || 8, 8);
  const more = HOSTS.map((host) => `m,hostname=${host},type=socket,type-id=0 value=1 ${FROM}`);
  await change({}, { seriesMax: 2, prefixesMax: 2, queriesMax: 1 });
  const refused = await write(store, more);
  t.equal(refused.rejected, 8);
  t.match(refused.first[0]!.reason, /series-max \(2/);
  t.ok(await eventually(() => total(store, 'prefixes_current') <= 4), 'prefixes go');
  await change({}, {});
  t.match(await write(store, more), { written: 8 });
  const early = [`m,hostname=h1 value=1 ${NOW + 7200}`];
  t.match(await write(store, early), { rejected: 1 });
  await change({ futureSec: 10_000 });
  t.match(await write(store, early), { written: 1 });
  await change({ retentionSec: 600 });
  t.match(await write(store, more), { rejected: 8 }, 'too old now');
  t.ok(await eventually(() => total(store, 'blocks_freed_total') > 0), 'and what is too old goes');
});

t.test('what wants a restart is refused, and nothing is changed', async (t) => {
  const { store, change } = await start(t);
  const base = freezeDeep(parseConfig({ metrics: { m: rule(60) } }).config).store;
  const check = (next: Partial<StoreConfig>, names: RegExp[]): void => {
    const reasons = needsRestart(base, { ...base, ...next });
    t.equal(reasons.length, names.length, reasons.join());
    names.forEach((name, i) => t.match(reasons[i], name));
  };
  check({}, []);
  check({ shardCount: base.shardCount + 1 }, [/^metricshard\.shards: all data/]);
  check({ checkpoints: { ...base.checkpoints, directory: '/x', writesJson: true } }, [
    /^metric-store\.checkpoints\.directory/,
    /^metric-store\.checkpoints\.file-format/,
  ]);
  check({ checkpoints: { ...base.checkpoints, intervalSec: 5, logSync: 'always' } }, []);
  check({ s3: { ...base.s3, attempts: 9 } }, [/^metricshard\.s3/]);
  const archive = { directory: '/a', location: '', queueBytesMax: 1, intervalSec: 1 };
  check({ archive }, [/cleanup\.mode/, /cleanup\.directory/]);
  const refused = change({ shardCount: 3, metrics: { m: rule(60), n: rule(60) } });
  await t.rejects(refused, { code: 'bad-request', message: /metricshard\.shards/ });
  t.match(await write(store, [`n,hostname=h1 value=1 ${FROM}`]), { ignored: 1 });
});
