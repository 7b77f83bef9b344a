import t from 'tap';
import { ClusterStates } from '../../src/health/cluster-states.js';
import type { GroupHealth } from '../../src/protocol/health.js';

/** `hosts`: full, partial, failed; `since`: newest, oldest not full, oldest not failed. */
function group(name: string, hosts: number[], since: number[]): GroupHealth {
  const [cluster = '', subCluster = ''] = name.split('/');
  const [newestSec = 0, notFullSec = 0, notFailedSec = 0] = since;
  const metrics = [hosts[0]! * 2, 0, hosts[1]!, hosts[2]! * 2];
  return { cluster, subCluster, hosts, metrics, newestSec, notFullSec, notFailedSec };
}

function shown(states: ClusterStates): string[] {
  return states.clusters.flatMap(({ name, subClusters, ...cluster }) => [
    `${name} ${cluster.state}@${cluster.sinceSec} ${cluster.hosts.join()} ${cluster.metrics.join()}`,
    ...subClusters.map(
      (one) => `${name}/${one.name} ${one.state}@${one.sinceSec} ${one.hosts.join()}`,
    ),
  ]);
}

t.test('shards and sub-clusters are summed up, and since when is remembered', async (t) => {
  const states = new ClusterStates();
  t.same(states.clusters, []);
  states.update([group('b', [1, 0, 0], [5, 0, 5])]);
  t.same(shown(states), ['b full@5 1,0,0 2,0,0,0']);
  // Another shard, in no order; hosts of no sub-cluster count in the cluster alone.
  const first = [group('b', [1, 0, 0], [5, 0, 5]), group('a/y', [0, 0, 2], [9, 7, 0])];
  const second = [
    group('a/x', [2, 1, 0], [8, 6, 3]),
    group('a', [1, 0, 0], [4, 0, 4]),
    group('a/y', [0, 0, 1], [12, 11, 0]),
  ];
  states.update([...first, ...second]);
  t.same(shown(states), [
    'a partial@6 3,1,3 6,0,1,6',
    'a/x partial@6 2,1,0',
    'a/y failed@12 0,0,3',
    'b full@5 1,0,0 2,0,0,0',
  ]);
  // As long as the state is the same, so is since when.
  states.update([
    ...first,
    group('a/x', [0, 3, 0], [99, 50, 50]),
    group('a/y', [0, 0, 1], [99, 98, 0]),
  ]);
  t.same(shown(states), [
    'a partial@6 0,3,3 0,0,3,6',
    'a/x partial@6 0,3,0',
    'a/y failed@12 0,0,3',
    'b full@5 1,0,0 2,0,0,0',
  ]);
  states.update([group('a/y', [1, 0, 2], [120, 7, 120]), group('b', [0, 0, 1], [130, 130, 0])]);
  t.same(shown(states), [
    'a partial@6 1,0,2 2,0,0,4',
    'a/y partial@120 1,0,2',
    'b failed@130 0,0,1 0,0,0,2',
  ]);
  states.update([group('a/y', [3, 0, 0], [150, 0, 120])]);
  t.same(shown(states), ['a full@150 3,0,0 6,0,0,0', 'a/y full@150 3,0,0']);
});
