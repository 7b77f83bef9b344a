import t from 'tap';
import type { ClusterDescription, ClusterMetric } from '../../src/model/cluster.js';
import { SmallStore, T0 } from '../engine/small-store.js';

const METRIC: ClusterMetric = {
  unit: 'W',
  scope: 'node',
  stepSec: 60,
  aggregation: 'sum',
  footprint: '',
  energy: '',
  removedIn: [],
};
const CLUSTER: ClusterDescription = {
  name: 'c',
  metrics: {
    sum: { ...METRIC, footprint: 'avg', energy: 'power' },
    avg: { ...METRIC, unit: '', footprint: 'max' },
    quiet: { ...METRIC, footprint: 'min' },
  },
  subClusters: [],
};

t.test('statistics of jobs, and what stands for them', async (t) => {
  const store = new SmallStore({}, { clusters: [CLUSTER] });
  store.put('sum', ['a1'], [1, 2, 3, 4]);
  store.put('sum', ['a2', 'hwthread', '0'], [10, 20, null, 40]);
  store.put('sum', ['a2', 'hwthread', '1'], [1, 1, 1, 1]);
  store.put('avg', ['a1'], [7, 8]);
  const range = { from: T0, to: T0 + 240 };
  const job = { id: 17, cluster: 'c', hosts: 'a[1-2]', ...range };
  t.strictSame(store.jobStats({ jobs: [job] }), [
    {
      id: 17,
      cluster: 'c',
      hosts: 2,
      ...range,
      metrics: {
        sum: { unit: 'W', avg: (10 + 11 + 21 + 1 + 41) / 8, min: 1, max: 41, hosts: 2 },
        avg: { avg: 7.5, min: 7, max: 8, hosts: 1 },
      },
      footprint: { sum_avg: 10.5, avg_max: 8 },
      energy: { sum: 84 * 60 },
    },
  ]);
  const named = store.jobStats({
    jobs: [
      { ...job, id: 'x', metrics: ['su*', 'bananas'], hosts: 'a2', ids: [1] },
      { ...job, hosts: 'z9' },
    ],
    'by-host': true,
    stats: ['count', 'stddev'],
  });
  t.strictSame(named, [
    {
      id: 'x',
      cluster: 'c',
      hosts: 1,
      ...range,
      metrics: {
        sum: {
          unit: 'W',
          count: 4,
          stddev: 0,
          hosts: 1,
          'by-host': { a2: { count: 4, stddev: 0 } },
        },
      },
      footprint: { sum_avg: 1 },
      energy: { sum: 240 },
      problems: ['unknown metric: bananas'],
    },
    { id: 17, cluster: 'c', hosts: 1, ...range, metrics: {} },
  ]);
});

t.test('shares of shards are put together', async (t) => {
  const whole = new SmallStore({}, { clusters: [CLUSTER] });
  const shards = [0, 1].map(() => new SmallStore({}, { clusters: [CLUSTER] }));
  for (let host = 0; host < 10; host++) {
    const values = Array.from({ length: 5 }, (_, slot) => (slot === host ? null : host * 7 + slot));
    for (const store of [whole, shards[host % 2]!]) store.put('sum', [`h${host}`], values);
  }
  const request = {
    jobs: [
      { id: 1, hosts: 'h[0-9]' },
      { id: 2, hosts: 'h[0,2]' },
      { id: 3, hosts: 'h1', metrics: 'bananas' },
    ],
    cluster: 'c',
    from: T0,
    to: T0 + 300,
    'by-host': true,
    stats: ['count', 'sum', 'avg', 'min', 'max', 'stddev', 'integral'],
  };
  const shares = shards.map((shard) => shard.jobShare(request));
  const joined = shards[1]!.jobStats(request, shares);
  t.strictSame(rounded(joined), rounded(whole.jobStats(request)));
});

function rounded(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, entry: unknown) =>
      typeof entry === 'number' ? Number(entry.toPrecision(12)) : entry,
    ),
  );
}

t.test('a job without a strategy', async (t) => {
  const store = new SmallStore();
  store.put('none', ['a1', 'hwthread', '0'], [1]);
  store.put('none', ['a1', 'hwthread', '1'], [1]);
  const jobs = [{ id: 1, hosts: 'a1', cluster: 'c', from: T0, to: T0 + 60, metrics: 'none' }];
  const [job] = store.jobStats({ jobs }) as { problems: string[] }[];
  t.match(job!.problems, [/metric none has no aggregation, and 2 series of a1/]);
});
