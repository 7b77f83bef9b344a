import t from 'tap';
import { readClusters } from '../../src/config/cluster-files.js';
import {
  compareKeys,
  keyOf,
  type CatalogueEntry,
  type CatalogueKind,
  type CatalogueRequest,
  type MetricEntry,
  type SeriesEntry,
} from '../../src/model/catalogue.js';
import { globMatcher } from '../../src/model/glob.js';
import { Catalogue } from '../../workers/engine/catalogue.js';
import { SmallestEntries } from '../../workers/engine/smallest-entries.js';
import { LowTurns } from '../../workers/low-turns.js';
import { Pace } from '../../workers/pace.js';
import { Topologies } from '../../workers/engine/topology.js';
import { Random, seed } from '../helpers/random.js';
import { SmallStore, T0 } from './small-store.js';

const clusters = readClusters(['test/fixtures/cluster-alex.json']).clusters;

function catalogueOf({ engine, kernel }: SmallStore): Catalogue {
  const unitOf = (cluster: string, metric: string): string =>
    cluster === 'alex' && metric === 'sum' ? 'GB' : '';
  return new Catalogue({
    engine,
    kernel,
    topologies: new Topologies(clusters),
    store: { clusters },
    unitOf,
    lowTurns: () => new LowTurns(new Pace(), () => false, 60_000),
  });
}

function requestOf(kind: CatalogueKind, more: Partial<CatalogueRequest> = {}): CatalogueRequest {
  const all = { cluster: '', match: '', hosts: '', metric: '', type: '', subCluster: '' };
  return { kind, ...all, after: [], limit: 1000, ...more };
}

/** Stores samples of slots `first` … `last` in a series named as in entries. */
function put(
  { engine, kernel }: SmallStore,
  [cluster, host, type = '', typeId = '', stype = '', stypeId = '']: readonly string[],
  metric: string,
  slots: readonly number[],
): void {
  const names = { cluster: cluster!, host: host!, type, typeId, stype, stypeId };
  const series = engine.seriesFor({ ...names, metric });
  for (const slot of slots) kernel.appendSample(series, T0 + slot * 60, slot);
}

function smallCluster(): SmallStore {
  const store = new SmallStore();
  put(store, ['alex', 'a0121'], 'sum', [0, 5]);
  put(store, ['alex', 'a0121', 'hwthread', '1'], 'sum', [2, 9]);
  put(store, ['alex', 'a0121', 'hwthread', '0'], 'avg', [1]);
  put(store, ['alex', 'a0601', '', '', 'filesystem', '/home'], 'avg', [3]);
  put(store, ['alex', 'a0601', 'socket', '0', 'memory', 'x'], 'sum', [4]);
  put(store, ['zoo', 'z1', 'cpu', '0'], 'none', [7]);
  return store;
}

t.test('clusters', async (t) => {
  const catalogue = catalogueOf(smallCluster());
  const alex = {
    name: 'alex',
    hostCount: 2,
    seriesCount: 5,
    isDescribed: false,
    subClusters: [],
    firstSec: T0,
    lastSec: T0 + 540,
  };
  const zoo = { ...alex, name: 'zoo', hostCount: 1, seriesCount: 1 };
  const times = { firstSec: T0 + 420, lastSec: T0 + 420 };
  t.same(await catalogue.list(requestOf('clusters')), [alex, { ...zoo, ...times }]);
  t.same(await catalogue.list(requestOf('clusters', { match: 'a*' })), [alex]);
  t.same(await catalogue.list(requestOf('clusters', { match: 'b*' })), []);
});

t.test('metrics', async (t) => {
  const catalogue = catalogueOf(smallCluster());
  const found = (await catalogue.list(requestOf('metrics'))) as MetricEntry[];
  t.same(
    found.map(({ cluster, name }) => `${cluster} ${name}`),
    ['alex avg', 'alex sum', 'zoo none'],
  );
  t.same(found[1], {
    cluster: 'alex',
    name: 'sum',
    unit: 'GB',
    stepSec: 60,
    aggregation: 'sum',
    scopes: ['node', 'socket', 'hwthread'],
    subTypes: ['memory'],
    footprint: '',
    seriesCount: 3,
    firstSec: T0,
    lastSec: T0 + 540,
  });
  t.same(found[0]!.subTypes, ['filesystem']);
  t.same(found[2]!.scopes, ['cpu']);
  t.equal(found[2]!.aggregation, null);
  const some = await catalogue.list(requestOf('metrics', { cluster: 'alex', match: 's?m' }));
  t.same(some, [found[1]]);
  t.same(await catalogue.list(requestOf('metrics', { cluster: 'nowhere' })), []);
});

t.test('the footprint is that of cluster.json', async (t) => {
  const store = new SmallStore({}, { metrics: { '*': { frequency: 60, aggregation: null } } });
  put(store, ['alex', 'a1'], 'mem_used', [0]);
  put(store, ['alex', 'a1'], 'constructor', [0]);
  put(store, ['zoo', 'a1'], 'mem_used', [0]);
  const found = (await catalogueOf(store).list(requestOf('metrics'))) as MetricEntry[];
  t.same(
    found.map(({ footprint }) => footprint),
    ['', 'max', ''],
  );
});

t.test('hosts', async (t) => {
  const catalogue = catalogueOf(smallCluster());
  const check = async (more: Partial<CatalogueRequest>, ...expected: string[]): Promise<void> => {
    const found = await catalogue.list(requestOf('hosts', more));
    t.same(
      found.map((entry) => keyOf('hosts', entry).join(' ')),
      expected,
      JSON.stringify(more),
    );
  };
  await check({}, 'alex a0121', 'alex a0601', 'zoo z1');
  await check({ hosts: 'a[0100-0200]' }, 'alex a0121');
  await check({ hosts: '?06*,z1' }, 'alex a0601', 'zoo z1');
  await check({ cluster: 'zoo' }, 'zoo z1');
  await check({ subCluster: 'a100' }, 'alex a0601');
  await check({ subCluster: 'a40', hosts: '*6*' });
  await check({ after: ['alex', 'a0121'] }, 'alex a0601', 'zoo z1');
  await check({ after: ['alex', 'a02'] }, 'alex a0601', 'zoo z1');
  await check({ limit: 1 }, 'alex a0121', 'alex a0601');
  t.same((await catalogue.list(requestOf('hosts')))[1], {
    cluster: 'alex',
    name: 'a0601',
    subCluster: 'a100',
    seriesCount: 2,
    firstSec: T0 + 180,
    lastSec: T0 + 240,
  });
});

t.test('series', async (t) => {
  const catalogue = catalogueOf(smallCluster());
  const check = async (more: Partial<CatalogueRequest>, ...expected: string[]): Promise<void> => {
    const found = await catalogue.list(requestOf('series', more));
    t.same(
      found.map((entry) => keyOf('series', entry).join()),
      expected,
      JSON.stringify(more),
    );
  };
  const all = [
    'alex,a0121,hwthread,0,,,avg',
    'alex,a0121,hwthread,1,,,sum',
    'alex,a0121,node,,,,sum',
    'alex,a0601,node,,filesystem,/home,avg',
    'alex,a0601,socket,0,memory,x,sum',
    'zoo,z1,cpu,0,,,none',
  ];
  await check({}, ...all);
  await check({ match: 'alex/a0121/*' }, ...all.slice(0, 3));
  await check({ match: 'alex/a0121/sum' }, all[2]!);
  await check({ match: '*/hwthread?/sum' }, all[1]!);
  await check({ match: '*/filesystem/home/avg' }, all[3]!);
  await check({ match: 'alex/a0601/socket0/memoryx/sum' }, all[4]!);
  await check({ metric: 's*', cluster: 'alex' }, all[1]!, all[2]!, all[4]!);
  await check({ type: 'node' }, all[2]!, all[3]!);
  await check({ type: 'filesystem' });
  await check({ hosts: 'z[1-9]' }, all[5]!);
  await check({ after: all[2]!.split(',') }, ...all.slice(3));
  await check({ limit: 2 }, ...all.slice(0, 3));
  t.same((await catalogue.list(requestOf('series')))[1], {
    cluster: 'alex',
    host: 'a0121',
    type: 'hwthread',
    id: '1',
    subType: '',
    subId: '',
    metric: 'sum',
    unit: 'GB',
    stepSec: 60,
    firstSec: T0 + 120,
    lastSec: T0 + 540,
  });
});

t.test('what was freed is not listed', async (t) => {
  const store = smallCluster();
  store.engine.free([['alex', 'a0121']], T0 + 60 * 100_000);
  const catalogue = catalogueOf(store);
  t.equal((await catalogue.list(requestOf('hosts'))).length, 2);
  t.equal((await catalogue.list(requestOf('series'))).length, 3);
});

t.test(`pages are parts of the whole, whatever their size (SEED=${seed})`, async (t) => {
  const random = new Random(seed);
  const store = new SmallStore();
  const stored = new Map<string, SeriesEntry>();
  for (let i = 0; i < 2000; i++) {
    const [cluster, host] = [random.pick(['alex', 'b', 'ä']), `h${random.below(30)}`];
    const [type, id] = random.pick([
      ['node', ''],
      ['hwthread', String(random.below(12))],
      ['socket', '0'],
    ]);
    const [subType, subId] = random.pick([
      ['', ''],
      ['disk', 'a'],
    ]);
    const metric = random.pick(['sum', 'avg', 'none']);
    const first = random.below(200);
    const slots = 1 + random.below(3);
    const names = { cluster, host, type: type!, id: id!, subType: subType!, subId: subId!, metric };
    const key = keyOf('series', names as SeriesEntry).join();
    if (stored.has(key)) continue;
    const tagType = type === 'node' ? '' : type!;
    put(
      store,
      [cluster, host, tagType, id!, subType!, subId!],
      metric,
      [first, first + 20, first + 300].slice(0, slots),
    );
    const times = {
      firstSec: T0 + first * 60,
      lastSec: T0 + (first + [0, 20, 300][slots - 1]!) * 60,
    };
    const unit = cluster === 'alex' && metric === 'sum' ? 'GB' : '';
    stored.set(key, { ...names, unit, stepSec: 60, ...times });
  }
  const catalogue = catalogueOf(store);
  const order = (kind: CatalogueKind, entries: CatalogueEntry[]): CatalogueEntry[] =>
    entries.sort((a, b) => compareKeys(keyOf(kind, a), keyOf(kind, b)));
  const series = order('series', [...stored.values()]) as SeriesEntry[];
  const pages = async (request: CatalogueRequest): Promise<CatalogueEntry[]> => {
    const all: CatalogueEntry[] = [];
    let after: readonly string[] = [];
    for (;;) {
      const found = await catalogue.list({ ...request, after });
      all.push(...found.slice(0, request.limit));
      if (found.length <= request.limit) return all;
      after = keyOf(request.kind, found[request.limit - 1]!);
    }
  };
  for (const limit of [1, 7, 100, 10_000]) {
    if (limit > 1) t.same(await pages(requestOf('series', { limit })), series, `by ${limit}`);
    const some = series.filter(
      ({ cluster, metric, type }) => cluster === 'b' && metric === 'sum' && type === 'hwthread',
    );
    const request = requestOf('series', { cluster: 'b', metric: 'sum', type: 'hwthread', limit });
    t.same(await pages(request), some, `some by ${limit}`);
    const metrics = (await pages(requestOf('metrics', { limit }))) as MetricEntry[];
    t.same(
      metrics.map(({ cluster, name, seriesCount }) => [cluster, name, seriesCount]),
      ['alex', 'b', 'ä'].flatMap((cluster) =>
        ['avg', 'none', 'sum'].map((name) => [
          cluster,
          name,
          series.filter((one) => one.cluster === cluster && one.metric === name).length,
        ]),
      ),
    );
    const hosts = await pages(requestOf('hosts', { limit, hosts: 'h1*' }));
    const isWanted = globMatcher('h1*');
    const names = series.flatMap(({ cluster, host }) =>
      isWanted(host) ? `${cluster} ${host}` : [],
    );
    t.same(
      hosts.map((host) => keyOf('hosts', host).join(' ')),
      [...new Set(names)],
    );
  }
});

t.test('series come and go while a list is made, and one list is made at a time', async (t) => {
  const store = new SmallStore();
  const hosts = 40;
  for (let host = 0; host < hosts; host++) {
    for (let id = 0; id < 1500; id++) {
      put(store, ['c', `h${host}`, 'hwthread', String(id)], 'sum', [0]);
    }
  }
  const catalogue = catalogueOf(store);
  const order: string[] = [];
  let turns = 0;
  const lists = (['clusters', 'metrics'] as const).map(async (kind) => {
    const found = await catalogue.list(requestOf(kind));
    order.push(kind);
    return found;
  });
  let isDone = false;
  void Promise.all(lists).then(() => (isDone = true));
  while (!isDone) {
    await new Promise((resolve) => setImmediate(resolve));
    const host = hosts - 1 - turns++;
    if (host < 1) continue;
    store.engine.free([['c', `h${host}`]], T0 + 60 * 100_000);
    put(store, ['c', `h${host}`, 'socket', '0'], 'avg', [1]);
  }
  t.ok(turns > 1, `${turns} turns`);
  t.same(order, ['clusters', 'metrics']);
  const [cluster] = await lists[0]!;
  t.match(cluster, { name: 'c', firstSec: T0 });
  t.equal((await catalogue.list(requestOf('hosts'))).length, hosts);
});

t.test(`the smallest of many (SEED=${seed})`, async (t) => {
  const random = new Random(seed);
  for (let run = 0; run < 50; run++) {
    const countMax = 1 + random.below(8);
    const smallest = new SmallestEntries('clusters', countMax);
    const names = Array.from({ length: random.below(60) }, () => `c${random.below(1000)}`);
    const unique = [...new Set(names)];
    for (const name of unique) smallest.add({ name } as CatalogueEntry);
    const found = smallest.sorted().map((entry) => keyOf('clusters', entry)[0]);
    t.same(found, unique.sort().slice(0, countMax));
  }
});
