import t from 'tap';
import type { ClusterDescription, ClusterMetric } from '../../src/model/cluster.js';
import { longestStepSec } from '../../src/config/metric-rules.js';
import { Metrics } from '../../workers/engine/metrics.js';
import { described, SmallStore, T0, type Shown } from './small-store.js';

function clusters(): ClusterDescription[] {
  const fast = { stepSec: 10, aggregation: 'sum' } as const;
  return [
    described(
      'fast',
      { m: fast, only: { ...fast, removedIn: ['bare'] }, silent: {} },
      { bare: 'b*' },
    ),
    described('slow', { m: { stepSec: 60, aggregation: 'avg' } satisfies Partial<ClusterMetric> }),
  ];
}

const METRICS = {
  m: { frequency: 30, aggregation: 'sum' },
  silent: { frequency: 20, aggregation: 'sum' },
} as const;

t.test('what a metric is, by cluster', async (t) => {
  for (const any of [undefined, { frequency: 40, aggregation: 'avg' } as const]) {
    const sources = { metrics: any ? { ...METRICS, '*': any } : METRICS, clusters: clusters() };
    const metrics = new Metrics(sources);
    const check = (name: string, cluster: string, expected: string): void => {
      const found = metrics.intern(name, cluster);
      const told = found ? `${found.stepSec} ${found.aggregation}` : 'unknown';
      t.equal(told, expected, `${name} of ${cluster}`);
      t.equal(metrics.find(name, cluster), found);
      t.equal(metrics.isTaken(name, cluster), found !== undefined);
      if (found) t.equal(metrics.at(found.index), found);
    };
    check('m', 'fast', '10 sum');
    check('m', 'slow', '60 avg');
    check('m', 'unheard', '30 sum');
    check('silent', 'fast', '20 sum');
    check('silent', 'slow', '20 sum');
    check('only', 'fast', '10 sum');
    check('only', 'slow', any ? '40 avg' : 'unknown');
    check('new', 'fast', any ? '40 avg' : 'unknown');
    check('constructor', 'fast', any ? '40 avg' : 'unknown');
    t.ok(metrics.isKnown('only'), 'somewhere it is known');
    t.equal(metrics.isKnown('nothing'), any !== undefined);
    t.equal(metrics.namesOf('slow').has('only'), any !== undefined);
    t.equal(longestStepSec(sources), 60);
  }
  const bare = new Metrics({ metrics: {}, clusters: clusters() });
  t.equal(bare.find('silent', 'fast')!.stepSec, 60, 'nobody says a step');
  t.equal(bare.find('silent', 'fast')!.aggregation, null);
});

t.test('two clusters with different steps in one store', async (t) => {
  const store = new SmallStore({}, { metrics: METRICS, clusters: clusters() });
  for (let i = 0; i < 30; i++) {
    store.write('fast', 'm', 'a1', T0 + i * 10, i);
    if (i % 6 === 0) store.write('slow', 'm', 'a1', T0 + i * 10, i);
    if (i % 3 === 0) store.write('plain', 'm', 'a1', T0 + i * 10, i);
  }
  const points = (cluster: string): Shown =>
    store.ask({ metric: 'm', host: 'a1', resolution: 0 }, { cluster })[0]!;
  t.same(
    points('fast').data,
    Array.from({ length: 30 }, (_, i) => i),
  );
  t.equal(points('fast').resolution, 10);
  t.same(points('slow').data, [0, 6, 12, 18, 24]);
  t.equal(points('slow').resolution, 60);
  t.same(points('plain').data, [0, 3, 6, 9, 12, 15, 18, 21, 24, 27]);
  const health = store.engine.health(
    { cluster: 'fast', nodes: ['a1'], metricNames: ['m', 'only'] },
    T0 + 300,
  );
  t.same(health.a1, { state: 'partial', metrics: { degraded: [], missing: ['only'] } });
});

t.test('a sub-cluster without the metric', async (t) => {
  const store = new SmallStore({}, { metrics: METRICS, clusters: clusters() });
  const reason = (metric: string, cluster: string, host: string): string | undefined =>
    store.engine.ignoreReason({
      metric,
      cluster,
      host,
      type: '',
      typeId: '',
      stype: '',
      stypeId: '',
    });
  t.equal(reason('only', 'fast', 'a1'), undefined);
  t.equal(reason('only', 'fast', 'b1'), 'removed in sub-cluster');
  t.equal(reason('only', 'slow', 'b1'), 'unknown metric');
  t.equal(reason('m', 'fast', 'b1'), undefined);
  store.write('fast', 'm', 'b1', T0, 1);
  const request = { cluster: 'fast', nodes: ['b1'], metricNames: ['m', 'only'] };
  const { b1 } = store.engine.health(request, T0);
  t.same(b1, { state: 'full', metrics: { degraded: [], missing: [] } }, 'nobody expects it there');
});

t.test('selections over clusters', async (t) => {
  const store = new SmallStore({}, { metrics: METRICS, clusters: clusters() });
  for (const host of ['a1', 'a2']) {
    for (let i = 0; i < 30; i++) {
      store.write('fast', 'm', host, T0 + i * 10, 1);
      if (i % 6 === 0) store.write('slow', 'm', host, T0 + i * 10, 10);
      if (i % 3 === 0) store.write('plain', 'm', host, T0 + i * 10, 100);
    }
  }
  const all = { cluster: ['slow', 'plain', 'fast'] };
  const shown = (select: object, more: object = all): string[] =>
    store
      .selected(select, more)
      .map(({ cluster, host, step, data }) =>
        [cluster, host, step, data!.length, data![0]]
          .filter((part) => part !== undefined)
          .join(' '),
      );
  t.same(
    shown({ metric: 'm', by: 'host' }),
    ['slow a1 60 5 10', 'slow a2 60 5 10', 'plain a1 30 10 100', 'plain a2 30 10 100'].concat([
      'fast a1 10 30 1',
      'fast a2 10 30 1',
    ]),
    'each host at its step',
  );
  t.same(
    shown({ metric: 'm', by: 'cluster', aggregate: 'sum' }),
    ['fast 10 30 2', 'plain 30 10 200', 'slow 60 5 20'],
    'each cluster at its step',
  );
  const problemOf = (select: object, more: object = all): string[] =>
    store.select({ select, ...more }).summary.problems.map(({ error }) => error);
  t.same(problemOf({ metric: 'm', by: [], aggregate: 'sum' }), [
    'metric m: its steps are not the same (60 s in slow, 30 s in plain, 10 s in fast); ' +
      'ask for one cluster at a time, or by cluster',
  ]);
  t.same(shown({ metric: 'm', by: [], aggregate: 'sum' }, { cluster: 'fast' }), ['10 30 2']);
});

t.test('clusters that agree on the step, and not on the strategy', async (t) => {
  const rule = (aggregation: 'sum' | 'avg'): Partial<ClusterMetric> => ({
    stepSec: 60,
    aggregation,
  });
  const store = new SmallStore(
    {},
    {
      metrics: {},
      clusters: [described('a', { m: rule('sum') }), described('b', { m: rule('avg') })],
    },
  );
  for (const cluster of ['a', 'b']) {
    for (const type of ['0', '1']) {
      store.write(cluster, 'm', 'h', T0, 4, 'hwthread', type);
    }
  }
  const clusters2 = { cluster: ['a', 'b'], to: T0 + 60 };
  const [one] = store.selected({ metric: 'm', by: [], aggregate: 'sum', scope: 'node' }, clusters2);
  t.same(one!.data, [8 + 4], "a host's value goes by its cluster's strategy");
  const problems = store.select({ select: { metric: 'm', by: [] }, ...clusters2 }).summary.problems;
  t.match(problems[0]!.error, /its aggregations are not the same \(sum in a, avg in b\)/);
});
