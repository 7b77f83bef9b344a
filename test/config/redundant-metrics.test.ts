import t from 'tap';
import { redundantMetricWarnings } from '../../src/config/redundant-metrics.js';
import { described as cluster } from '../engine/small-store.js';

t.test('keys that a cluster.json makes redundant', async (t) => {
  const alex = cluster('alex', {
    same: { stepSec: 30, aggregation: 'sum', unit: 'MBytes/s' },
    other: { stepSec: 10, aggregation: 'avg', unit: 'GB/s' },
    silent: {},
  });
  const fritz = cluster('fritz', { other: { stepSec: 60 } });
  const metrics = {
    same: { frequency: 30, aggregation: 'sum', unit: 'MB/s' },
    other: { frequency: 60, aggregation: 'sum', unit: 'MB/s' },
    silent: { frequency: 30, aggregation: 'sum' },
    alone: { frequency: 30, aggregation: 'sum' },
    '*': { frequency: 60, aggregation: 'avg' },
  } as const;
  const [warning, ...more] = redundantMetricWarnings({ metrics, clusters: [alex, fritz] });
  t.same(more, []);
  t.equal(
    warning,
    'cluster.json wins for the clusters it describes; overruled: metrics.other.frequency (60; alex: 10), ' +
      'metrics.other.aggregation ("sum"; alex: "avg"), metrics.other.unit ("MB/s"; alex: "GB/s"); ' +
      'of no effect there, since it says the same: metrics.same.frequency, metrics.same.aggregation, ' +
      'metrics.same.unit',
  );
  t.same(redundantMetricWarnings({ metrics, clusters: [] }), []);
  t.same(redundantMetricWarnings({ metrics: {}, clusters: [alex] }), []);
});

t.test('a long list is cut, and says so', async (t) => {
  const names = Array.from({ length: 30 }, (_, i) => `m${i}`);
  const metrics = Object.fromEntries(
    names.map((name) => [name, { frequency: 10, aggregation: 'sum' as const }]),
  );
  const all = Object.fromEntries(names.map((name) => [name, { stepSec: 10 }]));
  const [warning] = redundantMetricWarnings({ metrics, clusters: [cluster('c', all)] });
  t.match(warning, /metrics\.m19\.frequency and 10 more$/);
});
