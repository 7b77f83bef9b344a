import t from 'tap';
import { parseCluster } from '../../src/config/cluster-json.js';
import { joinClusters } from '../../src/config/cluster-files.js';
import { DEFAULTS, type StoreConfig } from '../../src/config/config.js';
import { metricsByCluster } from '../../src/config/metrics-by-cluster.js';

const describe = (name: string, metricConfig: object[]) =>
  parseCluster({ name, metricConfig, subClusters: [] }, () => undefined)!;

t.test('cluster.json goes before the section', async (t) => {
  const store: StoreConfig = {
    ...DEFAULTS.store,
    metrics: {
      clock: { frequency: 60, aggregation: 'avg', unit: 'MHz' },
      load: { frequency: 10, aggregation: null },
    },
    clusters: [
      describe('alex', [
        { name: 'clock', timestep: 30, aggregation: 'sum', unit: { base: 'Hz', prefix: 'G' } },
        { name: 'load', timestep: 20 },
        { name: 'own', timestep: 5, unit: { base: 'W' } },
        { name: 'bare' },
      ]),
    ],
  };
  const rows = metricsByCluster(store, { alex: 'a.json' });
  const texts = rows.map(
    ({ cluster, metric, stepSec, aggregation, unit, origins }) =>
      `${cluster}/${metric} ${stepSec} ${aggregation} ${unit} | ${Object.values(origins).join(' ')}`,
  );
  t.same(texts, [
    'alex/clock 30 sum GHz | a.json a.json a.json',
    'alex/load 20 null  | a.json - -',
    'alex/own 5 null W | a.json - a.json',
    'alex/bare 60 null  | default - -',
    '/clock 60 avg MHz | metrics metrics metrics',
    '/load 10 null  | metrics metrics metrics',
  ]);
});

t.test('files go before cc-backend', async (t) => {
  const files = { clusters: [describe('a', [])], warnings: ['w'], origins: { a: 'f' } };
  const backend = {
    clusters: [describe('a', []), describe('b', [])],
    warnings: ['v'],
    origins: { a: 'cc', b: 'cc' },
  };
  t.equal(joinClusters(files, undefined), files);
  const joined = joinClusters(files, backend);
  t.same(
    joined.clusters.map(({ name }) => name),
    ['a', 'b'],
  );
  t.equal(joined.clusters[0], files.clusters[0]);
  t.same(joined.origins, { a: 'f', b: 'cc' });
  t.same(joined.warnings, ['w', 'v', 'cc describes "a", too; f holds']);
});
