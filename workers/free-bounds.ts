import type { HostsInUse } from '../src/protocol/hosts-in-use.js';
import type { Engine } from './engine/engine.js';
import type { LevelTree } from './engine/level-tree.js';

/** Up to which second samples leave memory. */
export interface FreeBounds {
  readonly toSec: number;
  /** Hosts that keep more than the others. */
  readonly spared?: SparedHosts;
}

export interface SparedHosts {
  readonly hosts: readonly (readonly [cluster: string, host: string])[];
  /** Up to which theirs leave it; 0: they keep all. */
  readonly toSec: number;
}

/** Which of the hosts there are in a tree are in use. */
export function hostsSpared(tree: LevelTree, hosts: HostsInUse): [cluster: string, host: string][] {
  if (hosts === 'all') return tree.allHosts();
  return [...hosts].flatMap(([cluster, names]) =>
    [...names]
      .filter((host) => tree.find([cluster, host]))
      .map((host): [string, string] => [cluster, host]),
  );
}

/** The bound of each host. */
export function boundOf({ toSec, spared }: FreeBounds): (cluster: string, host: string) => number {
  if (!spared) return () => toSec;
  const isSpared = among(spared.hosts);
  return (cluster, host) => (isSpared(cluster, host) ? spared.toSec : toSec);
}

/** Frees what is before the bounds, of `hosts` only, and only what no sample at or after them can touch. */
export function freeWithin(
  engine: Engine,
  { toSec, spared }: FreeBounds,
  hosts?: readonly (readonly string[])[],
): number {
  if (!spared) return engine.free(hosts ?? [[]], toSec, 'down');
  const isSpared = among(spared.hosts);
  const all = hosts ?? engine.tree.allHosts();
  const others = all.filter(([cluster, host]) => !isSpared(cluster!, host!));
  const freed = engine.free(others, toSec, 'down');
  if (spared.toSec === 0) return freed;
  const kept = all.filter(([cluster, host]) => isSpared(cluster!, host!));
  return freed + engine.free(kept, spared.toSec, 'down');
}

/** 1 at the index of each level of the hosts in use; undefined if there are none. */
export function levelsSpared(tree: LevelTree, hosts: HostsInUse): Uint8Array | undefined {
  const spared = hostsSpared(tree, hosts);
  if (spared.length === 0) return undefined;
  const levels = new Uint8Array(tree.indexEnd);
  for (const path of spared) tree.visit(tree.find(path)!, ({ index }) => (levels[index] = 1));
  return levels;
}

function among(hosts: SparedHosts['hosts']): (cluster: string, host: string) => boolean {
  const byCluster = new Map<string, Set<string>>();
  for (const [cluster, host] of hosts) {
    const names = byCluster.get(cluster);
    if (names) names.add(host);
    else byCluster.set(cluster, new Set([host]));
  }
  return (cluster, host) => byCluster.get(cluster)?.has(host) === true;
}
