import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { parseCluster } from '../../src/config/cluster-json.js';
import type { ClusterDescription } from '../../src/model/cluster.js';

function read(value: unknown): { cluster: ClusterDescription | undefined; odd: string[] } {
  const odd: string[] = [];
  const cluster = parseCluster(value, (path, message) => odd.push(`${path}: ${message}`));
  return { cluster, odd };
}

function real(name: string, expected: readonly string[] = []): ClusterDescription {
  const { cluster, odd } = read(
    JSON.parse(readFileSync(`test/fixtures/cluster-${name}.json`, 'utf8')),
  );
  t.same(odd, expected, `what is odd in ${name}`);
  return cluster!;
}

t.test('files of real clusters', async (t) => {
  const alex = real('alex');
  t.equal(alex.name, 'alex');
  t.equal(Object.keys(alex.metrics).length, 15);
  t.same(alex.metrics.mem_used, {
    unit: 'GB',
    scope: 'node',
    stepSec: 60,
    aggregation: 'sum',
    footprint: 'max',
    energy: '',
    removedIn: [],
  });
  t.equal(alex.metrics.flops_any!.unit, 'GFlops/s');
  t.equal(alex.metrics.nv_temp!.unit, '°C');
  t.equal(alex.metrics.acc_power!.energy, 'power');
  t.equal(alex.metrics.acc_power!.scope, 'accelerator');
  t.same(
    alex.subClusters.map(({ name }) => name),
    ['a40', 'a100', 'a100m80'],
  );
  t.equal(alex.subClusters[1]!.nodes, 'a[0601-0605],a[0701-0705],a[0801-0805],a[0901-0905]');
  const { topology } = alex.subClusters[0]!;
  t.equal(topology.node.length, 128);
  t.equal(topology.socket.length, 2);
  t.same(topology.die, []);
  t.equal(topology.accelerators[0], '00000000:01:00.0');

  const fritz = real('fritz', [
    'subClusters.1.topology.node: [5152] are in no socket; they are left out',
    'subClusters.1.topology.node: [51,52] of sockets are missing; they are taken',
  ]);
  t.equal(fritz.subClusters[1]!.topology.node.length, 104);
  t.same(fritz.metrics.flops_sp!.removedIn, ['spr1tb', 'spr2tb']);
  t.same(fritz.metrics.flops_any!.removedIn, ['spr2tb']);
  t.equal(fritz.metrics.ib_recv_pkts!.unit, 'packets/s');

  const emmy = real('emmy');
  t.equal(emmy.metrics.cpu_load!.footprint, '');
  t.same(emmy.metrics.nfs4_read!.removedIn, ['haswell']);
});

t.test('what is missing has a default, and unknown keys are nobody’s business', async (t) => {
  const { cluster, odd } = read({
    name: 'c',
    metricConfig: [{ name: 'm', timestep: 10 }],
    subClusters: [{ name: 's', nodes: '*', topology: { socket: null } }],
    colour: 'blue',
  });
  t.same(odd, []);
  t.same(cluster, {
    name: 'c',
    metrics: {
      m: {
        unit: '',
        scope: 'node',
        stepSec: 10,
        aggregation: null,
        footprint: '',
        energy: '',
        removedIn: [],
      },
    },
    subClusters: [
      {
        name: 's',
        nodes: '*',
        topology: { node: [], socket: [], memoryDomain: [], die: [], core: [], accelerators: [] },
      },
    ],
  });
});

t.test('files of older versions', async (t) => {
  const metric = (more: object): unknown =>
    read({ name: 'c', metricConfig: [{ name: 'm', timestep: 60, ...more }], subClusters: [] });
  const check = (more: object, expected: object): void => {
    t.match(metric(more), { cluster: { metrics: { m: expected } }, odd: [] }, JSON.stringify(more));
  };
  check({ unit: 'load 1m' }, { unit: 'load 1m' });
  check({ unit: { base: 'B/s', prefix: null } }, { unit: 'B/s' });
  check({ unit: null, aggregation: null, scope: '' }, { unit: '', scope: 'node' });
  check({ footprint: true }, { footprint: 'avg' });
  check({ footprint: false }, { footprint: '' });
  check({ aggregation: '' }, { aggregation: null });
  check({ scope: 'cpu' }, { scope: 'hwthread' });
});

t.test('ids in any order, units with none', async (t) => {
  const topology = {
    node: [3, 1, 2, 1],
    core: [[2, 0], null, [1]],
    accelerators: ['x', { id: 7 }],
  };
  const { cluster, odd } = read({
    name: 'c',
    metricConfig: [],
    subClusters: [{ name: 's', nodes: 'a1', topology }],
  });
  t.same(odd, []);
  t.match(cluster!.subClusters[0]!.topology, {
    node: [1, 2, 3],
    core: [[0, 2], [], [1]],
    accelerators: ['x', '7'],
  });
});

t.test('what makes no sense is left out and told, with its place', async (t) => {
  const { cluster, odd } = read({
    name: 'c',
    metricConfig: [
      7,
      { timestep: 60 },
      { name: 'm', timestep: 60 },
      { name: 'm', timestep: 30 },
      { name: 'odd', unit: 5, scope: 'rack', timestep: '60', aggregation: 'max', footprint: 'p' },
      { name: 'odder', unit: { base: 1 }, timestep: 0, energy: true, subClusters: {} },
    ],
    subClusters: [
      { name: 'a', nodes: 'a[1-' },
      { name: 'b' },
      { name: 'd', nodes: 'd1', topology: { node: [0, -1, 'x'], socket: 3, accelerators: [{}] } },
      { name: 'e', nodes: 'e[0-9999999]', topology: [] },
    ],
  });
  t.same(Object.keys(cluster!.metrics), ['m', 'odd', 'odder']);
  t.equal(cluster!.metrics.m!.stepSec, 60);
  t.same(
    cluster!.subClusters.map(({ nodes }) => nodes),
    ['', '', 'd1', ''],
  );
  t.same(cluster!.subClusters[2]!.topology.node, [0]);
  const expected = [
    'subClusters.0.nodes: host list "a[1-", character 2: the bracket is not closed',
    'subClusters.1.nodes: must be a host list',
    'subClusters.2.topology.node: -1 is not',
    'subClusters.2.topology.node: "x" is not',
    'subClusters.2.topology.socket: must be a list, not 3',
    'subClusters.2.topology.accelerators.0: {} has no id',
    'subClusters.3.nodes: names 10000000 hosts, more than 1000000',
    'subClusters.3.topology: must be an object',
    'metricConfig.0: must be an object, not 7',
    'metricConfig.1.name: must be a name, not nothing',
    'metricConfig.3.name: "m" is there already',
    'metricConfig.4.unit: 5 is neither',
    'metricConfig.4.scope: "rack" is not one of node, socket',
    'metricConfig.4.timestep: must be a number of seconds, not "60"',
    'metricConfig.4.aggregation: "max" is not one of sum, avg',
    'metricConfig.4.footprint: "p" is not one of avg, min, max',
    'metricConfig.5.unit: {"base":1} is neither',
    'metricConfig.5.timestep: must be a number of seconds, not 0',
    'metricConfig.5.energy: true is not one of power, energy',
    'metricConfig.5.subClusters: must be a list, not {}',
  ];
  for (const start of expected)
    t.ok(
      odd.some((line) => line.startsWith(start)),
      start,
    );
  t.equal(odd.length, expected.length, odd.join('\n'));
  t.same(read({ name: 'c' }).odd.length, 2, 'both lists are missing');
});

t.test('what is no cluster', async (t) => {
  for (const value of [null, 1, [], {}, { name: '' }, { name: 3 }]) {
    t.equal(read(value).cluster, undefined, JSON.stringify(value));
  }
});

t.test('names that objects have themselves', async (t) => {
  const { cluster } = read({
    name: 'c',
    metricConfig: [{ name: '__proto__', timestep: 1 }],
    subClusters: [],
  });
  t.ok(Object.hasOwn(cluster!.metrics, '__proto__'));
});

t.test('any JSON is read or refused', async () => {
  const key = fc.constantFrom('name', 'metricConfig', 'subClusters', 'topology', 'unit', 'node');
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(null, true, 1, -1, '', 'a[1-2]', 'avg'),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(key, tie('tree'), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      const object = typeof value === 'object' && !Array.isArray(value) ? value : {};
      return read({ ...object, name: 'c' }).cluster !== undefined;
    }),
    { numRuns: 2000 },
  );
});
