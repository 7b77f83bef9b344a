import fc from 'fast-check';
import t from 'tap';
import { readClusters } from '../../src/config/cluster-files.js';
import type { ClusterDescription, TopologyLists } from '../../src/model/cluster.js';
import { Topologies, Topology, TYPES_BY_COARSENESS } from '../../workers/engine/topology.js';

const NO_LISTS: TopologyLists = {
  node: [],
  socket: [],
  memoryDomain: [],
  die: [],
  core: [],
  accelerators: [],
};
const real = readClusters(
  ['alex', 'fritz', 'emmy'].map((name) => `test/fixtures/cluster-${name}.json`),
).clusters;

/** Two sockets of two cores of two threads; the siblings are half the threads apart. */
const small = new Topology({
  ...NO_LISTS,
  node: [0, 1, 2, 3, 4, 5, 6, 7],
  socket: [
    [0, 1, 4, 5],
    [2, 3, 6, 7],
  ],
  core: [
    [0, 4],
    [1, 5],
    [2, 6],
    [3, 7],
  ],
  accelerators: ['00000000:49:00.0'],
});

t.test('units and what is in them', async (t) => {
  const check = (found: readonly string[], ...expected: string[]) => t.same(found, expected);
  check(small.idsOf('node'), '');
  check(small.idsOf('socket'), '0', '1');
  check(small.idsOf('die'));
  check(small.idsOf('llc'));
  check(small.idsOf('filesystem'));
  check(small.idsOf('cpu'), '0', '1', '2', '3', '4', '5', '6', '7');
  check(small.idsOf('accelerator'), '00000000:49:00.0');
  check(small.hwthreadsOf('socket', '1'), '2', '3', '6', '7');
  check(small.hwthreadsOf('core', '1'), '1', '5');
  check(small.hwthreadsOf('hwthread', '7'), '7');
  check(small.hwthreadsOf('cpu', '7'), '7');
  check(small.hwthreadsOf('hwthread', '8'));
  check(small.hwthreadsOf('accelerator', '00000000:49:00.0'));
  t.equal(small.hwthreadsOf('node', '').length, 8);
  check(small.childrenOf('node', '', 'socket'), '0', '1');
  check(small.childrenOf('socket', '1', 'core'), '2', '3');
  check(small.childrenOf('socket', '1', 'core'), '2', '3');
  check(small.childrenOf('core', '3', 'hwthread'), '3', '7');
  check(small.childrenOf('core', '3', 'cpu'), '3', '7');
  check(small.childrenOf('core', '3', 'socket'));
  check(small.childrenOf('core', '3', 'core'));
  check(small.childrenOf('core', '9', 'hwthread'));
  check(small.childrenOf('rack', '0', 'node'));
  check(small.childrenOf('node', '', 'accelerator'), '00000000:49:00.0');
  check(small.childrenOf('socket', '0', 'accelerator'));
});

t.test('units of a job’s threads', async (t) => {
  const check = (type: string, threads: readonly string[], ...expected: string[]) =>
    t.same(small.unitsOfHwthreads(type, threads), expected, `${type} of ${threads.join()}`);
  check('socket', ['6', '7'], '1');
  check('socket', ['7', '0'], '0', '1');
  check('core', ['4', '1', '5'], '0', '1');
  check('hwthread', ['5', '3', '99', '05'], '3', '5');
  check('node', ['5'], '');
  check('node', []);
  check('memoryDomain', ['5']);
  check('accelerator', ['5']);
});

t.test('a memory domain that is larger than a socket is in none', async (t) => {
  const topology = new Topologies(real).topologyOf('alex', 'a0121')!;
  t.same(topology.idsOf('memoryDomain'), ['0']);
  t.same(topology.childrenOf('socket', '0', 'memoryDomain'), []);
  t.same(topology.childrenOf('node', '', 'memoryDomain'), ['0']);
  t.equal(topology.childrenOf('socket', '1', 'hwthread').length, 64);
  t.equal(topology.idsOf('accelerator').length, 8);
});

t.test('a thread that is missing from a list is a thread of the node', async (t) => {
  const topology = new Topologies(real).topologyOf('fritz', 'f2157')!;
  t.equal(topology.idsOf('hwthread').length, 104);
  t.equal(topology.hwthreadsOf('node', '').length, 104);
  t.equal(topology.childrenOf('node', '', 'socket').length, 2);
  const alex = new Topologies(real).topologyOf('alex', 'a0121')!;
  t.equal(alex.idsOf('core').length, 127);
  t.equal(alex.idsOf('hwthread').length, 128);
  t.same(alex.unitsOfHwthreads('core', ['72']), []);
});

t.test('units without threads keep the numbers of the others', async (t) => {
  const topology = new Topology({ ...NO_LISTS, socket: [[], [1, 0]] });
  t.same(topology.idsOf('socket'), ['1']);
  t.same(topology.childrenOf('node', '', 'socket'), ['1']);
  t.same(topology.hwthreadsOf('socket', '0'), []);
});

t.test('sub-clusters of hosts', async (t) => {
  const topologies = new Topologies(real);
  const check = (cluster: string, host: string, expected: string): void => {
    t.equal(topologies.subClusterOf(cluster, host), expected, `${cluster} ${host}`);
    t.equal(topologies.subClusterOf(cluster, host), expected, 'again');
  };
  check('alex', 'a0121', 'a40');
  check('alex', 'a0831', 'a100m80');
  check('alex', 'a9999', '');
  check('fritz', 'f0101', 'main');
  check('fritz', 'f2157', 'spr1tb');
  // Both list it: the first one counts.
  check('fritz', 'f2181', 'spr1tb');
  check('emmy', 'w1127', 'haswell');
  check('nowhere', 'a0121', '');
  t.ok(topologies.describes('alex') && !topologies.describes('nowhere'));
  t.same(topologies.subClusterNames('fritz'), ['main', 'spr1tb', 'spr2tb']);
  t.same(topologies.subClusterNames('nowhere'), []);
  t.equal(topologies.topologyOf('alex', 'a9999'), undefined);
  t.equal(
    topologies.topologyOf('fritz', 'f0101'),
    topologies.topologyOf('fritz', 'f0102'),
    'one for all hosts of a sub-cluster',
  );
});

t.test('`*` is every host, a sub-cluster without a list has none', async (t) => {
  const description: ClusterDescription = {
    name: 'c',
    metrics: {},
    subClusters: [
      { name: 'none', nodes: '', topology: NO_LISTS },
      { name: 'some', nodes: 'a[1-2]', topology: NO_LISTS },
      { name: 'all', nodes: '*', topology: { ...NO_LISTS, accelerators: ['x'] } },
    ],
  };
  const topologies = new Topologies([description]);
  t.equal(topologies.subClusterOf('c', 'a2'), 'some');
  t.equal(topologies.topologyOf('c', 'a2'), undefined, 'nothing is known of its hardware');
  t.equal(topologies.subClusterOf('c', 'zebra'), 'all');
  t.same(topologies.topologyOf('c', 'zebra')?.idsOf('accelerator'), ['x']);
});

t.test('equals what sets say, on random topologies', async () => {
  const units = fc.array(fc.uniqueArray(fc.nat(11), { maxLength: 6 }), { maxLength: 4 });
  const lists = fc.record({
    node: fc.uniqueArray(fc.nat(11)),
    socket: units,
    die: units,
    memoryDomain: units,
    core: units,
    accelerators: fc.constant([]),
  });
  fc.assert(
    fc.property(lists, fc.uniqueArray(fc.nat(11)), (given, job) => {
      const topology = new Topology(given);
      const setOf = (type: string, id: string): Set<string> =>
        new Set(topology.hwthreadsOf(type, id));
      const jobSet = new Set(job.map(String));
      TYPES_BY_COARSENESS.forEach((type, rank) => {
        const inJob = topology
          .idsOf(type)
          .filter((id) => topology.hwthreadsOf(type, id).some((thread) => jobSet.has(thread)));
        equal(topology.unitsOfHwthreads(type, [...jobSet]), inJob);
        for (const id of topology.idsOf(type)) {
          for (const childType of TYPES_BY_COARSENESS.slice(rank + 1)) {
            const parent = setOf(type, id);
            const expected = topology
              .idsOf(childType)
              .filter((child) => [...setOf(childType, child)].every((one) => parent.has(one)));
            equal(topology.childrenOf(type, id, childType), expected);
          }
        }
      });
    }),
    { numRuns: 500 },
  );
});

function equal(found: readonly string[], expected: readonly string[]): void {
  if (found.join() !== expected.join())
    throw new Error(`${found.join()} is not ${expected.join()}`);
}
