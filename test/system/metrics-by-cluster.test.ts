import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { becomesReady, problemsOf, temporaryFolder } from '../helpers/durable.js';
import { readMetrics } from '../helpers/metrics.js';
import { startServer, type TestServer } from '../helpers/server.js';

const NOW = Math.floor(Date.now() / 1000);
/** A full hour, so that slots of all steps begin there. */
const FROM = NOW - (NOW % 3600) - 7200;
const SPAN_SEC = 3600;
const RANGE = { from: FROM, to: FROM + SPAN_SEC };
const HOSTS = ['a1', 'a2', 'b1'];

/** `fast` has the metric each 10 s in GB/s, `slow` each 60 s in MB/s; all others each 30 s. */
const CLUSTERS = [
  {
    name: 'fast',
    metricConfig: [
      { name: 'bw', timestep: 10, aggregation: 'sum', unit: { base: 'B/s', prefix: 'G' } },
      {
        name: 'gpu',
        timestep: 10,
        aggregation: 'avg',
        subClusters: [{ name: 'cpus', remove: true }],
      },
    ],
    subClusters: [
      { name: 'gpus', nodes: 'a*' },
      { name: 'cpus', nodes: 'b*' },
    ],
  },
  {
    name: 'slow',
    metricConfig: [
      { name: 'bw', timestep: 60, aggregation: 'avg', unit: { base: 'B/s', prefix: 'M' } },
    ],
    subClusters: [{ name: 'all', nodes: '*' }],
  },
];
const STEPS: Record<string, number> = { fast: 10, slow: 60, plain: 30 };

function configOf(t: Test): Record<string, unknown> {
  const folder = temporaryFolder(t, 'by-cluster');
  const files = CLUSTERS.map((cluster) => {
    const file = join(folder, `${cluster.name}.json`);
    writeFileSync(file, JSON.stringify(cluster));
    return file;
  });
  return {
    metrics: { bw: { frequency: 30, aggregation: 'sum', unit: 'MB/s' } },
    'metric-store': { checkpoints: { directory: join(folder, 'data') } },
    metricshard: { shards: 2, clusters: files },
  };
}

/** One sample in each slot, its number, for two threads of each host. */
function lines(cluster: string, host: string): string {
  const step = STEPS[cluster]!;
  const made: string[] = [];
  for (let sec = FROM, i = 0; sec < FROM + SPAN_SEC; sec += step, i++) {
    for (const thread of [0, 1]) {
      const tags = `cluster=${cluster},hostname=${host},type=hwthread,type-id=${thread}`;
      made.push(`bw,${tags} value=${i + thread} ${sec}`);
    }
  }
  return made.join('\n');
}

async function check(t: Test, server: TestServer): Promise<void> {
  for (const [cluster, step] of Object.entries(STEPS)) {
    const count = SPAN_SEC / step;
    const queries = HOSTS.map((host) => ({ metric: 'bw', host, resolution: 0 }));
    const { json } = await server.query({ cluster, ...RANGE, queries });
    for (const [element] of json.results) {
      t.equal(element.resolution, step);
      // Of threads with i and i + 1.
      const value = (i: number): number => (cluster === 'slow' ? i + 0.5 : 2 * i + 1);
      t.same(
        element.data,
        Array.from({ length: count }, (_, i) => value(i)),
        cluster,
      );
    }
    const listed = await server.get(`/api/v2/metrics?cluster=${cluster}`);
    const { stepSec, aggregation, unit, seriesCount } = listed.json.metrics[0];
    const told = { fast: ['sum', 'GB/s'], slow: ['avg', 'MB/s'], plain: ['sum', 'MB/s'] }[cluster];
    t.same([stepSec, aggregation, unit, seriesCount], [step, ...told!, 2 * HOSTS.length]);
  }
  const select = { metric: 'bw', by: 'cluster', aggregate: 'sum' };
  const body = { ...RANGE, cluster: ['plain', 'slow'], select };
  const totals = await server.post('/api/v2/query', body);
  t.same(
    totals.json.results.map(({ cluster, step, data }: Record<string, unknown[]>) => [
      cluster,
      step,
      data!.length,
    ]),
    [
      ['plain', 30, 120],
      ['slow', 60, 60],
    ],
    'clusters of several shards, each at its step',
  );
  const mixed = await server.post('/api/v2/query', { ...body, select: { metric: 'bw', by: [] } });
  t.match(JSON.stringify(mixed.json.problems), /its steps are not the same/);
  const jobs = ['fast', 'slow'].map((cluster) => ({ id: cluster, cluster, hosts: 'a1', ...RANGE }));
  const stats = await server.post('/api/v2/job-stats', {
    jobs: jobs.map((job) => ({ ...job, metrics: 'bw' })),
    stats: ['count', 'max'],
  });
  t.same(
    stats.json.jobs.map(({ metrics }: { metrics: Record<string, unknown> }) => metrics['bw']),
    [
      { unit: 'GB/s', count: 360, max: 719, hosts: 1 },
      { unit: 'MB/s', count: 60, max: 59.5, hosts: 1 },
    ],
    stats.text.slice(0, 300),
  );
}

t.test('two clusters with different steps; restart and kill -9', async (t) => {
  const config = configOf(t);
  let server = await startServer(config);
  t.teardown(() => server.kill());
  t.match(
    server.output(),
    /cluster\.json wins for the clusters it describes; overruled: metrics\.bw\./,
  );
  for (const cluster of Object.keys(STEPS)) {
    for (const host of HOSTS) {
      const body = lines(cluster, host);
      const { json } = await server.write(body);
      t.same([json.written, json.ignored], [body.split('\n').length, 0]);
    }
  }
  await check(t, server);
  await server.kill();
  server = await startServer(config);
  t.ok(await becomesReady(server));
  await check(t, server);
  t.equal(await server.stop(), 0);
  server = await startServer(config);
  t.ok(await becomesReady(server));
  await check(t, server);
  t.same(problemsOf(server), []);
});

t.test('a metric that a sub-cluster does not have, and one that a cluster does not', async (t) => {
  const server = await startServer(configOf(t));
  t.teardown(() => server.stop());
  const body = ['fast', 'slow', 'plain']
    .flatMap((cluster) =>
      ['a1', 'b1'].map((host) => `gpu,cluster=${cluster},hostname=${host} value=1 ${FROM}`),
    )
    .join('\n');
  // The first time in full, then by their first bytes.
  for (let times = 1; times <= 3; times++) {
    const { json } = await server.write(body);
    t.same([json.written, json.ignored], [1, 5]);
    const metrics = await readMetrics(server);
    const counted = (reason: string): number =>
      [0, 1].reduce((sum, shard) => {
        const labels = `shard="${shard}",reason="${reason}"`;
        return sum + metrics.get(`metricshard_lines_ignored_total{${labels}}`)!;
      }, 0);
    t.equal(counted('removed in sub-cluster'), times);
    t.equal(counted('unknown metric'), 4 * times);
  }
  const health = await server.post('/api/healthcheck', {
    cluster: 'fast',
    nodes: ['b1'],
    'metric-names': ['gpu'],
  });
  t.equal(health.json?.b1?.State, 'failed', 'a host that was never seen');
});
