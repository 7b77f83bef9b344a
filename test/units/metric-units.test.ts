import t from 'tap';
import type { ClusterDescription } from '../../src/model/cluster.js';
import { MetricUnits } from '../../src/units/metric-units.js';

function cluster(name: string, units: Record<string, string>): ClusterDescription {
  const metrics = Object.entries(units).map(([metric, unit]) => [
    metric,
    {
      unit,
      scope: 'node',
      stepSec: 60,
      aggregation: null,
      footprint: '' as const,
      energy: '' as const,
      removedIn: [],
    },
  ]);
  return { name, metrics: Object.fromEntries(metrics), subClusters: [] };
}

const CONFIGURED = { frequency: 60, aggregation: null };

t.test('which unit a metric has', async () => {
  const units = new MetricUnits({
    metrics: {
      mem_bw: { ...CONFIGURED, unit: 'MB/s' },
      mem_used: { ...CONFIGURED, unit: ' GB ' },
      clock: CONFIGURED,
      '*': { ...CONFIGURED, unit: 'W' },
    },
    clusters: [cluster('alex', { mem_bw: 'GB/s', mem_used: '', load: 'load 1m', clock: 'MHz' })],
  });
  const check = (name: string, metric: string, unit: string): void => {
    for (let time = 0; time < 2; time++) {
      t.equal(units.unitOf(name, metric), unit, `${metric} of ${name}`);
    }
  };
  check('alex', 'mem_bw', 'GB/s');
  check('fritz', 'mem_bw', 'MB/s');
  check('alex', 'mem_used', 'GB');
  check('alex', 'load', 'load 1m');
  check('fritz', 'load', 'W');
  check('alex', 'clock', 'MHz');
  check('fritz', 'clock', '');
  check('alex', 'power', 'W');
  check('constructor', 'toString', 'W');
});

t.test('nothing is known', async () => {
  const units = new MetricUnits({ metrics: { clock: CONFIGURED }, clusters: [] });
  t.equal(units.unitOf('alex', 'clock'), '');
  t.equal(units.unitOf('alex', '__proto__'), '');
});
