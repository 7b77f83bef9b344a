import t from 'tap';
import type { ClusterDescription } from '../../src/model/cluster.js';
import { SmallStore, T0 } from '../engine/small-store.js';

const THREADS = [0, 1, 2, 3];

/** Two sockets of two threads each. */
const CLUSTER: ClusterDescription = {
  name: 'c',
  metrics: {
    sum: {
      unit: 'GB/s',
      scope: 'hwthread',
      stepSec: 60,
      aggregation: 'sum',
      footprint: 'avg',
      energy: '',
      removedIn: [],
    },
  },
  subClusters: [
    {
      name: 'small',
      nodes: 'a[1-2]',
      topology: {
        node: THREADS,
        socket: [
          [0, 1],
          [2, 3],
        ],
        memoryDomain: [],
        die: [],
        core: [[0], [1], [2], [3]],
        accelerators: [],
      },
    },
    {
      name: 'other',
      nodes: 'b*',
      topology: { node: [], socket: [], memoryDomain: [], die: [], core: [], accelerators: [] },
    },
  ],
};

function threads(store: SmallStore, host: string, metric = 'sum'): void {
  for (const id of THREADS) {
    store.put(metric, [host, 'hwthread', `${id}`], [10 ** id, 2 * 10 ** id, 3 * 10 ** id]);
  }
}

t.test('a metric of hosts, without anything else', async (t) => {
  const store = new SmallStore();
  store.put('sum', ['a2'], [1, null, 3]);
  store.put('sum', ['a1'], [5, 6, 7, 8, 9]);
  t.strictSame(store.selected({ metric: 'sum' }), [
    {
      select: 0,
      metric: 'sum',
      cluster: 'c',
      host: 'a1',
      series: 1,
      from: T0,
      step: 60,
      data: [5, 6, 7, 8, 9],
    },
    {
      select: 0,
      metric: 'sum',
      cluster: 'c',
      host: 'a2',
      series: 1,
      from: T0,
      step: 60,
      data: [1, null, 3, null, null],
    },
  ]);
});

t.test('hosts: lists, patterns, sub-clusters', async (t) => {
  const store = new SmallStore({}, { clusters: [CLUSTER] });
  for (const host of ['a1', 'a2', 'a3', 'b1']) store.put('sum', [host], [1]);
  const hosts = (asked: unknown): (string | undefined)[] =>
    store.selected({ metric: 'sum', hosts: asked }).map(({ host }) => host);
  t.strictSame(hosts('a[2-3]'), ['a2', 'a3']);
  t.strictSame(hosts(['b1', 'a1']), ['a1', 'b1']);
  t.strictSame(hosts('a*'), ['a1', 'a2', 'a3']);
  t.strictSame(hosts({ 'sub-cluster': 'small' }), ['a1', 'a2']);
  const bySub = store.selected({ metric: 'sum', by: 'sub-cluster' });
  t.strictSame(
    bySub.map((result) => [result['sub-cluster'], result.series, result.data?.[0]]),
    [
      [undefined, 1, 1],
      ['other', 1, 1],
      ['small', 2, 2],
    ],
  );
});

t.test('without a topology a host is the aggregate of what was sent', async (t) => {
  const store = new SmallStore();
  threads(store, 'a1');
  const [node] = store.selected({ metric: 'sum' });
  t.strictSame(node?.data, [1111, 2222, 3333, null, null]);
  t.equal(node?.series, 4);
  const all = store.selected({ metric: 'sum', scope: 'hwthread' });
  t.strictSame(
    all.map(({ id, data }) => [id, data?.[0]]),
    [
      ['0', 1],
      ['1', 10],
      ['2', 100],
      ['3', 1000],
    ],
  );
  const { summary } = store.select({ select: { metric: 'sum', scope: 'core' } });
  t.match(summary.problems[0]?.error, /no data of metric sum at scope core.*stored at hwthread/);
});

t.test('a topology tells what lies in what', async (t) => {
  const store = new SmallStore({}, { clusters: [CLUSTER] });
  threads(store, 'a1');
  const sockets = store.selected({ metric: 'sum', scope: 'socket' });
  t.strictSame(
    sockets.map(({ id, data, unit }) => [id, data?.[0], unit]),
    [
      ['0', 11, 'GB/s'],
      ['1', 1100, 'GB/s'],
    ],
  );
  const cores = store.selected({ metric: 'sum', scope: 'core', ids: [2] });
  t.strictSame(cores[0]?.data?.slice(0, 3), [100, 200, 300]);
  // What a socket sends itself goes first; where it is silent, its threads speak.
  store.put('sum', ['a1', 'socket', '0'], [7, null, 9]);
  const [first] = store.selected({ metric: 'sum', scope: 'socket', ids: '0' });
  t.strictSame(first?.data, [7, 22, 9, null, null]);
  const [node] = store.selected({ metric: 'sum' });
  t.strictSame(node?.data, [1107, 2222, 3309, null, null]);
});

t.test("a job's threads", async (t) => {
  const store = new SmallStore({}, { clusters: [CLUSTER] });
  threads(store, 'a1');
  const job = { metric: 'sum', hosts: 'a1', ids: ['0-1'] };
  t.strictSame(store.selected(job)[0]?.data?.[0], 11);
  t.strictSame(store.selected({ ...job, scope: 'hwthread', by: 'host' })[0]?.data?.[0], 11);
  // Of a metric of sockets those that they run on.
  store.put('avg', ['a1', 'socket', '0'], [4]);
  store.put('avg', ['a1', 'socket', '1'], [8]);
  t.strictSame(store.selected({ ...job, metric: 'avg' })[0]?.data?.[0], 4);
  t.strictSame(store.selected({ ...job, metric: 'avg', ids: ['1-2'] })[0]?.data?.[0], 6);
});

t.test('sub-types', async (t) => {
  const store = new SmallStore();
  store.put('sum', ['a1', 'filesystem', '/home'], [1]);
  store.put('sum', ['a1', 'filesystem', '/work'], [2]);
  store.put('sum', ['a1', 'accelerator', '00:01', 'nvlink', '3'], [4]);
  const shown = (selection: object): unknown[] =>
    store
      .selected({ metric: 'sum', ...selection })
      .map((result) => [result.type, result.id, result['sub-id'], result.data?.[0]]);
  t.strictSame(shown({ scope: 'node/filesystem' }), [
    [undefined, undefined, 'filesystem//home', 1],
    [undefined, undefined, 'filesystem//work', 2],
  ]);
  t.strictSame(shown({ scope: 'node/filesystem', 'sub-ids': ['/work'] }), [
    [undefined, undefined, 'filesystem//work', 2],
  ]);
  t.strictSame(shown({ scope: 'accelerator/nvlink' }), [['accelerator', '00:01', 'nvlink/3', 4]]);
});

t.test('aggregates and groups', async (t) => {
  const store = new SmallStore();
  threads(store, 'a1', 'avg');
  store.put('avg', ['a2', 'hwthread', '0'], [5, null, 9]);
  const one = (selection: object) => store.selected({ metric: 'avg', ...selection });
  // The mean of hosts' means, not of all threads.
  t.strictSame(one({ by: [] })[0]?.data?.slice(0, 3), [(277.75 + 5) / 2, 555.5, (833.25 + 9) / 2]);
  t.strictSame(one({ by: [] })[0]?.coverage, 0.5);
  t.strictSame(one({ by: [], missing: 'null' })[0]?.data?.[1], null);
  t.strictSame(one({ scope: 'hwthread', by: [] })[0]?.data?.[0], 1116 / 5);
  t.strictSame(one({ scope: 'hwthread', aggregate: 'max' })[0]?.data?.slice(0, 2), [1000, 2000]);
  t.strictSame(one({ scope: 'hwthread', aggregate: 'min' })[0]?.data?.slice(0, 2), [1, 2]);
  t.strictSame(one({ scope: 'hwthread', aggregate: 'count' })[0]?.data, [5, 4, 5, null, null]);
  t.strictSame(one({ scope: 'hwthread', aggregate: 'sum' })[0]?.data?.[0], 1116);
  const byId = one({ scope: 'hwthread', by: 'id' });
  t.strictSame(
    byId.map(({ id, series, data }) => [id, series, data?.[0]]),
    [
      ['0', 2, 3],
      ['1', 1, 10],
      ['2', 1, 100],
      ['3', 1, 1000],
    ],
  );
});

t.test('a metric without aggregation', async (t) => {
  const store = new SmallStore();
  threads(store, 'a1', 'none');
  const { summary } = store.select({ select: { metric: 'none' } });
  t.match(summary.problems[0]?.error, /metric none has no aggregation, and 4 series/);
  const [named] = store.selected({ metric: 'none', scope: 'hwthread', aggregate: 'max' });
  t.strictSame(named?.data?.[0], 1000);
  // Nothing says what the host is: the aggregate is of its series.
  const ofHost = (aggregate: string) =>
    store.selected({ metric: 'none', aggregate, by: 'host' })[0]?.data?.[0];
  t.strictSame(['sum', 'avg', 'min', 'max', 'count'].map(ofHost), [1111, 277.75, 1, 1000, 4]);
});

t.test('steps, points and statistics', async (t) => {
  const store = new SmallStore();
  store.put('sum', ['a1'], [1, 2, 3, 4, 5, null, 7, 8, 9, 10]);
  const range = { from: T0, to: T0 + 600 };
  const ask = (selection: object) => store.selected({ metric: 'sum', ...selection }, range)[0]!;
  t.strictSame(ask({ step: '2m', resample: 'avg' }).data, [1.5, 3.5, 5, 7.5, 9.5]);
  t.equal(ask({ step: '2m', resample: 'avg' }).step, 120);
  // The grid is that of the epoch: the first cell begins a minute before.
  t.strictSame(ask({ step: 90, resample: 'sum' }).data, [1, 2, 7, 5, 7, 8, 19]);
  t.equal(ask({ step: 90, resample: 'sum' }).from, T0 - 60);
  t.strictSame(ask({ points: 3, resample: 'max' }).data?.length, 3);
  t.strictSame(ask({ step: 10 }).data?.length, 10);
  t.strictSame(ask({ stats: ['count', 'avg', 'p50'], data: false }), {
    select: 0,
    metric: 'sum',
    cluster: 'c',
    host: 'a1',
    series: 1,
    stats: { count: 9, avg: 49 / 9, p50: 5 },
  });
  // Statistics are of the samples, whatever the points are.
  t.strictSame(ask({ step: '5m', resample: 'first', stats: 'max' }).stats, { max: 10 });
});

t.test('units', async (t) => {
  const store = new SmallStore({}, { clusters: [CLUSTER] });
  store.put('sum', ['a1'], [1234.56, 0.1]);
  const [inMega] = store.selected({ metric: 'sum', unit: 'MB/s', stats: ['max', 'sum'] });
  t.strictSame(inMega?.data?.slice(0, 2), [1_234_560, 100]);
  t.equal(inMega?.unit, 'MB/s');
  t.strictSame(inMega?.stats, { max: 1_234_560, sum: 1_234_660 });
  const wrong = store.select({ select: { metric: 'sum', unit: 'W' } });
  t.match(wrong.summary.problems[0]?.error, /metric sum: cannot convert "GB\/s" to "W"/);
  store.put('avg', ['a1'], [1]);
  const noUnit = store.select({ select: { metric: 'avg', unit: 'W' } });
  t.match(noUnit.summary.problems[0]?.error, /its unit is not known/);
});

t.test('what is not there', async (t) => {
  const store = new SmallStore();
  store.put('sum', ['a1'], [1]);
  const problems = (select: object): string[] =>
    store.select({ select }).summary.problems.map(({ error }) => error);
  t.strictSame(problems({ metric: 'bananas' }), ['unknown metric: bananas']);
  t.match(problems({ metric: 'z*' })[0], /no data of metric z\* at scope node in c: the hosts/);
  t.match(problems({ metric: 'sum', hosts: 'z9' })[0], /none of these hosts is known/);
});

t.test('limits', async (t) => {
  const wide = { from: 0, to: 4_000_000_000, select: { metric: 'sum' } };
  const points = new SmallStore({ pointsMax: 100 });
  points.put('sum', ['a1'], [1]);
  t.throws(() => points.select(wide), /points-max is 100/);
  // Of a long time only what is there is read.
  const store = new SmallStore();
  store.put('sum', ['a1'], [1, 2]);
  const daily = { ...wide, select: { metric: 'sum', step: '366d', resample: 'sum' } };
  const { results } = JSON.parse(store.select(daily).bytes.toString()) as {
    results: { data: (number | null)[] }[];
  };
  t.strictSame(
    results[0]!.data.filter((value) => value !== null),
    [3],
  );
});
