import type { Config } from '../config/config.js';
import type { ConfigDocument } from '../config/document.js';
import { isSame } from '../config/merge-patch.js';
import { leavesOf, type Change, type Overlay } from '../config/settings.js';

/** An overlay of a patch; what an older one said as well keeps its origin. */
export function overlayOf(
  patch: ConfigDocument,
  older: Overlay | undefined,
  source: string,
): Overlay | undefined {
  const leaves = leavesOf(patch);
  if (leaves.length === 0) return undefined;
  const was = (path: string): unknown => valueAt(older?.patch, path);
  const origins = leaves.map((path) => {
    const isOld = older?.origins[path] !== undefined && isSame(was(path), valueAt(patch, path));
    return [path, isOld ? older.origins[path] : source];
  });
  return { patch, origins: Object.fromEntries(origins) as Record<string, string> };
}

/** By the path of a leaf; a name with a dot in it is not found, so that its origin stays the first. */
function valueAt(patch: ConfigDocument | undefined, path: string): unknown {
  let value: unknown = patch;
  for (const key of path.split('.')) value = (value as ConfigDocument | undefined)?.[key];
  return value;
}

/** Clusters that are described otherwise; no setting need have changed for that. */
export function clusterChanges(before: Config, next: Config): Change[] {
  const known = new Map(before.store.clusters.map((cluster) => [cluster.name, cluster]));
  const changes: Change[] = [];
  for (const cluster of next.store.clusters) {
    const old = known.get(cluster.name);
    known.delete(cluster.name);
    const path = `clusters.${cluster.name}`;
    if (!old) changes.push({ path, before: undefined, after: 'described' });
    else if (!isSame(old, cluster)) {
      changes.push({ path, before: 'described', after: 'described otherwise' });
    }
  }
  for (const name of known.keys()) {
    changes.push({ path: `clusters.${name}`, before: 'described', after: undefined });
  }
  return changes;
}
