import type { Worker } from 'node:worker_threads';
import t, { type Test } from 'tap';
import { freezeDeep } from '../../src/config/config.js';
import { parseConfig } from '../../src/config/parse-config.js';
import type { ShardSet } from '../../src/routing/shard-set.js';
import { startStore } from '../../src/routing/start-store.js';
import { Random, seed } from '../helpers/random.js';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const NOW = 1_790_000_040;
const HOSTS = Array.from({ length: 14 }, (_, i) => (i === 5 ? 'höst' : `h${i}`));
const METRICS = ['m', 'n', 'o'];
/** More texts than are kept. */
const TEXTS = 300;

async function start(t: Test, shards: number, limits = {}): Promise<ShardSet> {
  const { config } = parseConfig({
    metrics: Object.fromEntries(
      METRICS.map((name) => [name, { frequency: 60, aggregation: 'sum' }]),
    ),
    'metric-store': { checkpoints: { directory: '' } },
    metricshard: { shards, 'retention-enforced': false, limits },
  });
  const store = await startStore(freezeDeep(config).store, config.limits, quiet);
  t.teardown(() => store.stop());
  return store;
}

async function write(store: ShardSet, lines: readonly string[]): Promise<void> {
  const body = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  const session = store.beginWrite({ cluster: 'c', precision: 0, bytesExpected: body.length });
  session.push(body);
  await session.finish();
}

function query(store: ShardSet, request: object): Promise<string> {
  return new Promise((resolve) => {
    store.query(
      JSON.stringify({ cluster: 'c', from: NOW, to: NOW + 600, ...request }),
      (answer) => {
        resolve(
          answer.ok
            ? Buffer.from(answer.json).toString()
            : `${answer.error.code}: ${answer.error.message}`,
        );
      },
    );
  });
}

const lineOf = (host: string, random: Random): string => {
  const part = random.pick(['', ',type=hwthread,type-id=0', ',type=hwthread,type-id=1']);
  const at = NOW + 60 * random.below(10);
  return `${random.pick(METRICS)},hostname=${host}${part} value=${random.below(1000)} ${at}`;
};

function randomRequest(random: Random, queriesMax: number): object {
  const type = random.pick([
    {},
    { type: 'hwthread', 'type-ids': ['0', '1', '7'] },
    { type: 'hwthread', 'type-ids': ['1', '0'], aggreg: true },
  ]);
  const host = random.pick(HOSTS);
  const isOneHost = random.chance(0.3);
  const queries = Array.from({ length: random.below(queriesMax + 1) }, () => ({
    metric: random.chance(0.1) ? 'unknown' : random.pick(METRICS),
    host: isOneHost ? host : random.chance(0.1) ? 'unseen' : random.pick(HOSTS),
    ...type,
  }));
  const all = random.pick([null, null, [], ['m'], ['n', 'm', 'unknown']]);
  return {
    cluster: random.chance(0.05) ? 'unseen' : 'c',
    queries: random.chance(0.1) ? null : queries,
    'for-all-nodes': all,
    'with-stats': random.chance(0.8),
    'with-data': random.chance(0.8),
    'with-padding': random.chance(0.5),
  };
}

/** Asks all stores the same, several times at once. */
async function agree(t: Test, stores: readonly ShardSet[], request: object): Promise<string> {
  const [expected, ...others] = await Promise.all(
    stores.flatMap((store) => [query(store, request), query(store, request)]),
  );
  for (const other of others) {
    if (other !== expected) t.equal(other, expected, JSON.stringify(request));
  }
  return expected!;
}

t.test(`1, 2 and 3 shards answer alike, seed ${seed}`, async (t) => {
  const random = new Random(seed);
  const stores = await Promise.all([1, 2, 3].map((shards) => start(t, shards)));
  const requests = Array.from({ length: TEXTS }, () => randomRequest(random, 12));
  const seen = new Set<string>();
  for (let round = 0; round < 6; round++) {
    for (const host of HOSTS) if (random.chance(0.4)) seen.add(host);
    const lines = [...seen].flatMap((host) =>
      Array.from({ length: 1 + random.below(5) }, () => lineOf(host, random)),
    );
    await Promise.all(stores.map((store) => write(store, lines)));
    for (const request of requests) await agree(t, stores, request);
    // In the second half hosts vanish.
    const gone = HOSTS.filter(() => round >= 2 && random.chance(0.5));
    for (const store of stores)
      await store.free(
        gone.map((host) => ['c', host]),
        4e9,
      );
    for (const host of gone) seen.delete(host);
    // Many at once, so that a shard's memory is used again before other shards have answered.
    await Promise.all(requests.slice(0, 150).map((request) => agree(t, stores, request)));
    t.pass(`round ${round}, ${seen.size} hosts`);
  }
});

t.test('hosts that appear or vanish are in the next answer, or not', async (t) => {
  for (const shards of [1, 2, 3]) {
    const store = await start(t, shards);
    const random = new Random(1);
    const check = async (hosts: string[], title: string): Promise<void> => {
      for (const time of ['first', 'again']) {
        const text = await query(store, { 'for-all-nodes': ['m'] });
        const { queries, results } = JSON.parse(text) as {
          queries: { host: string }[];
          results: unknown[];
        };
        t.same(
          [queries.map(({ host }) => host), results.length],
          [hosts, hosts.length],
          title + time,
        );
      }
    };
    await check([], 'none, ');
    for (const [count, host] of ['b', 'd', 'a', 'c'].entries()) {
      await write(store, [lineOf(host, random)]);
      await check(['b', 'd', 'a', 'c'].slice(0, count + 1).sort(), `${host} comes, `);
    }
    await store.free([['c', 'd']], 4e9);
    await check(['a', 'b', 'c'], 'd goes, ');
    await store.free(
      [
        ['c', 'a'],
        ['c', 'b'],
        ['c', 'c'],
      ],
      4e9,
    );
    await check([], 'all go, ');
    await write(store, [lineOf('e', random)]);
    await check(['e'], 'e comes, ');
  }
});

t.test(`limits are told alike, seed ${seed}`, async (t) => {
  const random = new Random(seed);
  for (const limits of [
    { 'queries-max': 6 },
    { 'series-per-query-max': 6 },
    { 'points-max': 40 },
    { 'answer-bytes-max': 700 },
  ]) {
    const stores = await Promise.all([1, 2, 3].map((shards) => start(t, shards, limits)));
    const lines = HOSTS.flatMap((host) => Array.from({ length: 6 }, () => lineOf(host, random)));
    await Promise.all(stores.map((store) => write(store, lines)));
    let refused = 0;
    for (let round = 0; round < 100; round++) {
      // Separators count for one shard only: with `answer-bytes-max` the others may be more lenient.
      const request = randomRequest(random, 12);
      const isExact = !('answer-bytes-max' in limits);
      const text = isExact
        ? await agree(t, stores, request)
        : await query(stores[1 + random.below(2)]!, request);
      if (text.startsWith('limit-exceeded')) refused++;
    }
    t.ok(refused > 5 && refused < 95, `${Object.keys(limits)[0]}: ${refused} of 100 refused`);
  }
});

t.test('a shard that was restarted counts its lists of hosts anew', async (t) => {
  const workers: Worker[] = [];
  const onWorker = (worker: Worker): number => workers.push(worker);
  process.on('worker', onWorker);
  const store = await start(t, 2);
  process.off('worker', onWorker);
  const random = new Random(1);
  const [old, fresh] = HOSTS.filter((host) => store.shardOf('c', host) === 0);
  const stays = HOSTS.find((host) => store.shardOf('c', host) === 1)!;
  await write(store, [lineOf(old!, random), lineOf(stays, random)]);
  const all = { 'for-all-nodes': ['m'] };
  const hosts = async (): Promise<string[]> => {
    const { queries } = JSON.parse(await query(store, all)) as { queries: { host: string }[] };
    return queries.map(({ host }) => host);
  };
  for (const time of ['first', 'again']) t.same(await hosts(), [old, stays].sort(), time);

  const asked = Promise.all([
    query(store, all),
    query(store, { queries: [{ metric: 'm', host: old }] }),
  ]);
  await workers[0]!.terminate();
  for (const text of await asked) t.match(text, /^(\{|shard-unavailable)/, 'asked before it died');
  t.match(await query(store, all), /^shard-unavailable: shard 0/);
  t.match(await query(store, { queries: [{ metric: 'm', host: old }] }), /^shard-unavailable/);
  t.match(
    await query(store, { queries: [{ metric: 'm', host: stays }] }),
    /^\{/,
    'of the other shard',
  );

  while (!store.status().ready) await new Promise((resolve) => setTimeout(resolve, 10));
  // Nothing is asked while it is empty: its next list has the number the old one had.
  await write(store, [lineOf(fresh!, random)]);
  for (const time of ['first', 'again']) t.same(await hosts(), [fresh, stays].sort(), time);
});
