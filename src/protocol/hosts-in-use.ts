/**
 * Hosts by cluster that keep their data beyond the retention, since a job has them. `all`: nobody has told
 * yet which they are, so any may be one.
 */
export type HostsInUse = 'all' | ReadonlyMap<string, ReadonlySet<string>>;

export const NONE_IN_USE: HostsInUse = new Map();

/** Those that a shard owns. */
export function hostsOwned(
  hosts: HostsInUse,
  owns: (cluster: string, host: string) => boolean,
): HostsInUse {
  if (hosts === 'all') return hosts;
  const owned = new Map<string, Set<string>>();
  for (const [cluster, names] of hosts) {
    const own = [...names].filter((host) => owns(cluster, host));
    if (own.length > 0) owned.set(cluster, new Set(own));
  }
  return owned;
}

export function countHosts(hosts: HostsInUse): number {
  if (hosts === 'all') return 0;
  return [...hosts.values()].reduce((sum, { size }) => sum + size, 0);
}
