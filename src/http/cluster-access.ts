import type { ClusterSet, Identity, Permission } from '../auth/identity.js';
import { StoreError } from '../model/errors.js';

/** Clusters that an identity's permission is limited to; null = all. Empty if it has not got it. */
export function clustersOf(identity: Identity, permission: Permission): ClusterSet {
  const clusters = identity.grants.get(permission);
  return clusters === undefined ? new Set() : clusters;
}

/**
 * Throws `forbidden` unless an identity may do something with all of some clusters. It is the same
 * answer for one that is there and one that is not.
 */
export function requireClusters(
  identity: Identity,
  permission: Permission,
  named: Iterable<string>,
): void {
  const clusters = clustersOf(identity, permission);
  if (clusters === null) return;
  for (const cluster of named) {
    if (clusters.has(cluster)) continue;
    const what =
      cluster === ''
        ? 'the token is limited to some clusters; name one of them'
        : `the token does not give "${permission}" for the cluster "${cluster.slice(0, 128)}"`;
    throw new StoreError('forbidden', what);
  }
}

/** Throws `forbidden` if an identity's permission is limited to some clusters. */
export function requireAllClusters(identity: Identity, permission: Permission): void {
  if (clustersOf(identity, permission) === null) return;
  const what = 'this concerns all clusters, and the token is limited to some';
  throw new StoreError('forbidden', what);
}
