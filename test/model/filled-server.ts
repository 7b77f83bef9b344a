import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { temporaryFolder } from '../helpers/durable.js';
import { Random } from '../helpers/random.js';
import { startServer, type TestServer } from '../helpers/server.js';
import { NaiveUnits, type NaiveUnit, type PlacedSeries } from './naive-units.js';
import { bodiesOf, clusterJson, METRICS, topologyOf } from './random-series.js';

/** A store with a cluster.json and all samples of some series, which come in an order of its own. */
export async function startFilled(
  t: Test,
  series: readonly PlacedSeries[],
  { shards, adapter, seed }: { shards: number; adapter: string; seed: number },
): Promise<TestServer> {
  const file = join(temporaryFolder(t, 'select'), 'cluster.json');
  writeFileSync(file, JSON.stringify(clusterJson()));
  const metrics = METRICS.map(({ name, step, aggregation, unit }) => [
    name,
    { frequency: step, aggregation, unit },
  ]);
  const server = await startServer({
    metrics: Object.fromEntries(metrics),
    metricshard: { shards, 'http-adapter': adapter, 'retention-enforced': false, clusters: [file] },
  });
  t.teardown(() => server.stop());
  for (const body of bodiesOf(series, new Random(seed))) {
    const { status, json } = await server.write(body);
    if (status !== 200 || json.rejected > 0) t.fail('a body is not taken', { status, json });
  }
  return server;
}

/** Finds units of hosts among series. */
export function unitsOf(
  series: readonly PlacedSeries[],
  cluster: string,
  host: string,
  metricName: string,
  find: (units: NaiveUnits) => NaiveUnit[],
): NaiveUnit[] {
  const own = series.filter((one) => {
    return one.cluster === cluster && one.host === host && one.metric === metricName;
  });
  const metric = METRICS.find(({ name }) => name === metricName)!;
  return find(new NaiveUnits(own, topologyOf(cluster, host), metric));
}
