import t from 'tap';
import type { ClusterDescription, TopologyLists } from '../../src/model/cluster.js';
import { SmallStore, type Place, type SelectedShown } from '../engine/small-store.js';

const NO_LISTS: TopologyLists = {
  node: [],
  socket: [],
  memoryDomain: [],
  die: [],
  core: [],
  accelerators: [],
};
/** Two sockets of two cores of two threads; one memory domain reaches into both. */
const TOPOLOGY: TopologyLists = {
  ...NO_LISTS,
  node: [0, 1, 2, 3, 4, 5, 6, 7],
  socket: [
    [0, 1, 4, 5],
    [2, 3, 6, 7],
  ],
  memoryDomain: [[0], [1, 2, 4, 5, 6], [3, 7]],
  core: [
    [0, 4],
    [1, 5],
    [2, 6],
    [3, 7],
  ],
  accelerators: ['00000000:49:00.0', '00000000:4A:00.0'],
};

function storeWith(topology: TopologyLists | undefined): SmallStore {
  const subClusters = topology ? [{ name: 'all', nodes: '*', topology }] : [];
  const clusters: ClusterDescription[] = [{ name: 'c', metrics: {}, subClusters }];
  return new SmallStore({}, { clusters });
}

type Sent = readonly (readonly [place: string, values: readonly (number | null)[]])[];

/** A store with samples of metric `sum` of host a; places as `hwthread/3`, '' = the host. */
function filled(topology: TopologyLists | undefined, sent: Sent, metric = 'sum'): SmallStore {
  const store = storeWith(topology);
  for (const [place, values] of sent) store.put(metric, placeOf(place), values);
  return store;
}

function placeOf(place: string): Place {
  return ['a', ...place.split('/').filter((part) => part !== '')];
}

/** The first values of all units found, by id. */
function values(store: SmallStore, selection: object): Record<string, number | null | undefined> {
  const found = store.selected({ metric: 'sum', ...selection });
  return Object.fromEntries(found.map(({ id = '', data }) => [id, data?.[0]]));
}

const threads = (ids: readonly number[]): Sent => ids.map((id) => [`hwthread/${id}`, [2 ** id]]);
const ALL = threads(TOPOLOGY.node);

t.test('what lies in what, where all is sent', async (t) => {
  const store = filled(TOPOLOGY, ALL);
  t.same(values(store, { scope: 'core' }), { 0: 17, 1: 34, 2: 68, 3: 136 });
  t.same(values(store, { scope: 'socket' }), { 0: 51, 1: 204 });
  t.same(values(store, { scope: 'memoryDomain' }), { 0: 1, 1: 118, 2: 136 });
  t.same(values(store, {}), { '': 255 });
  t.same(values(store, { scope: 'llc' }), {}, 'nothing is known of it');
  t.same(values(store, { scope: 'accelerator' }), {});
});

t.test('units that are silent', async (t) => {
  const missing = filled(TOPOLOGY, threads([0, 3, 4, 5]));
  t.same(values(missing, { scope: 'core' }), { 0: 17, 1: 32, 3: 8 }, 'a core without threads');
  t.same(values(missing, { scope: 'socket' }), { 0: 49, 1: 8 });
  t.same(values(missing, { scope: 'core', ids: '0-9' }), { 0: 17, 1: 32, 3: 8 });
  const oneSocket = filled(TOPOLOGY, [...ALL, ['socket/0', [1000]]]);
  t.same(values(oneSocket, { scope: 'socket' }), { 0: 1000, 1: 204 });
  t.same(values(oneSocket, {}), { '': 1204 }, 'threads speak for the other');
  const late = filled(TOPOLOGY, [...ALL, ['socket/0', [null, 1000]]]);
  t.same(values(late, { scope: 'socket' }), { 0: 51, 1: 204 }, 'threads speak for a gap');
});

t.test('a type that is not in the topology, or across others', async (t) => {
  // The memory domain of both sockets is in none of them: their threads are.
  const domains = filled(TOPOLOGY, [...ALL, ['memoryDomain/1', [7]], ['llc/0', [9]]]);
  t.same(values(domains, { scope: 'memoryDomain' }), { 0: 1, 1: 7, 2: 136 });
  t.same(values(domains, { scope: 'socket' }), { 0: 1, 1: 136 }, 'domains that are within');
  const across = filled(TOPOLOGY, [...threads([1, 2]), ['memoryDomain/1', [7]]]);
  t.same(values(across, { scope: 'socket' }), { 0: 2, 1: 4 }, 'else threads');
  const caches = filled(TOPOLOGY, [...ALL, ['llc/0', [9]]]);
  t.same(values(caches, { scope: 'socket' }), { 0: 51, 1: 204 });
  t.same(values(caches, { scope: 'llc' }), { 0: 9 });
  const noCores = filled({ ...TOPOLOGY, core: [] }, [...ALL, ['core/0', [3]]]);
  t.same(values(noCores, { scope: 'core' }), { 0: 3 });
  t.same(values(noCores, { scope: 'socket' }), { 0: 51, 1: 204 });
});

t.test('without a topology', async (t) => {
  const store = filled(undefined, [...ALL, ['socket/1', [5]]]);
  t.same(values(store, { scope: 'socket' }), { 1: 5 });
  t.same(values(store, { scope: 'core' }), {});
  t.same(values(store, {}), { '': 5 }, 'the coarsest that was sent');
});

t.test('ids that are no numbers, and others than there should be', async (t) => {
  const gpus: Sent = [
    ['accelerator/00000000:49:00.0', [10]],
    ['accelerator/00000000:4A:00.0', [20]],
    ['accelerator/extra', [40]],
  ];
  const store = filled(TOPOLOGY, gpus);
  t.same(values(store, { scope: 'accelerator', ids: '00000000:4A:00.0' }), {
    '00000000:4A:00.0': 20,
  });
  t.same(Object.keys(values(store, { scope: 'accelerator' })).length, 3);
  t.same(values(store, {}), { '': 70 });
  t.same(values(store, { scope: 'socket' }), {}, 'accelerators are in no socket');
  const both = filled(TOPOLOGY, [...ALL, ...gpus]);
  t.same(values(both, {}), { '': 325 });
  t.same(values(both, { scope: 'socket' }), { 0: 51, 1: 204 });
  const odd = filled(TOPOLOGY, [...ALL, ['hwthread/8', [1024]], ['hwthread/x', [2048]]]);
  t.same(values(odd, {}), { '': 255 + 1024 + 2048 }, 'all that was sent counts');
  t.same(values(odd, { scope: 'socket' }), { 0: 51, 1: 204 });
  t.same(Object.keys(values(odd, { scope: 'hwthread' })).length, 10);
});

t.test('the old name of hardware threads', async (t) => {
  const old = filled(
    TOPOLOGY,
    [0, 1, 2, 3, 4, 5, 6, 7].map((id) => [`cpu/${id}`, [2 ** id]]),
  );
  for (const scope of ['cpu', 'hwthread']) {
    const found = old.selected({ metric: 'sum', scope, ids: ['2', '5'] });
    t.same(
      found.map(({ type, id, data }) => [type, id, data?.[0]]),
      [
        ['hwthread', '2', 4],
        ['hwthread', '5', 32],
      ],
    );
  }
  t.same(values(old, { scope: 'socket' }), { 0: 51, 1: 204 });
  t.same(values(old, { ids: '0-1' }), { '': 3 });
  for (const order of [
    ['cpu', 'hwthread'],
    ['hwthread', 'cpu'],
  ]) {
    const store = storeWith(TOPOLOGY);
    for (const type of order) {
      store.put('sum', ['a', type, '0'], type === 'cpu' ? [1, 2, 3] : [null, null, 30, 40]);
    }
    const [renamed, ...more] = store.selected({ metric: 'sum', scope: 'hwthread' });
    t.same(more, []);
    t.same(renamed?.data, [1, 2, 30, 40, null], 'a collector that changed from one to the other');
    t.same(store.selected({ metric: 'sum' })[0]?.data, [1, 2, 30, 40, null]);
  }
});

t.test("a job's threads", async (t) => {
  const job = (store: SmallStore, ids: unknown): unknown => values(store, { ids })[''];
  const all = filled(TOPOLOGY, ALL);
  t.equal(job(all, '0-1'), 3);
  t.equal(job(all, ['7', '99']), 128);
  t.equal(job(all, ['99']), undefined);
  const sockets = filled(TOPOLOGY, [
    ['socket/0', [10]],
    ['socket/1', [20]],
  ]);
  t.equal(job(sockets, [0]), 10, 'the sockets that they are on');
  t.equal(job(sockets, [1, 2]), 30);
  const nodes = filled(TOPOLOGY, [['', [5]]]);
  t.equal(job(nodes, [1]), 5, 'of what is not finer than the host all of it');
  const caches = filled(TOPOLOGY, [['llc/0', [9]]]);
  t.equal(job(caches, [1]), 9, 'and of what the topology does not tell of');
  const unknown = filled(undefined, [['socket/0', [10]]]);
  t.equal(job(unknown, [1]), 10);
  const gpus = filled(TOPOLOGY, [['accelerator/00000000:49:00.0', [10]]]);
  t.equal(job(gpus, [1]), 10);
});

t.test('a metric without aggregation', async (t) => {
  const store = filled(TOPOLOGY, [...ALL, ['socket/0', [5]]], 'none');
  const asked = (selection: object): SelectedShown[] =>
    store.selected({ metric: 'none', ...selection });
  t.equal(asked({ scope: 'socket' })[0]?.data?.[0], 5, 'its own samples');
  t.equal(asked({ scope: 'socket' }).length, 1, 'what is below can not be combined');
  t.equal(asked({ scope: 'hwthread', ids: 3 })[0]?.data?.[0], 8);
  t.equal(asked({ scope: 'hwthread', by: 'host', aggregate: 'max' })[0]?.data?.[0], 128);
});

t.test('series that come and go', async (t) => {
  const store = filled(TOPOLOGY, threads([0, 1]));
  const sum = (): unknown => store.selected({ metric: 'sum', by: [] })[0]?.data?.[0];
  const byType = (): unknown =>
    store.selected({ metric: 'sum', scope: 'socket', by: 'type', aggregate: 'count' })[0]
      ?.data?.[0];
  t.equal(sum(), 3);
  t.equal(byType(), 1);
  store.put('sum', placeOf('hwthread/2'), [4]);
  t.equal(sum(), 7, 'one more thread');
  t.equal(byType(), 2, 'and with it a socket');
  store.put('sum', ['b', 'socket', '0'], [100]);
  t.equal(sum(), 107, 'one more host');
  t.equal(byType(), 3);
  store.engine.free([['c', 'a']], 2 ** 32 - 1);
  t.equal(sum(), 100, 'a host is freed');
  t.equal(byType(), 1);
  store.engine.free([['c', 'b']], 2 ** 32 - 1);
  t.equal(sum(), undefined);
  store.put('sum', placeOf('socket/1'), [5]);
  t.equal(sum(), 5, 'and comes back');
});
