import { globMatcher, isGlob } from '../../src/model/glob.js';
import { HostSet } from '../../src/model/host-list.js';
import type { Selection } from '../../src/model/selection.js';
import type { LevelTree } from '../engine/level-tree.js';
import type { Metrics } from '../engine/metrics.js';
import type { Topologies } from '../engine/topology.js';
import type { Scope } from './units.js';
import { variantsOf, type KnownMetric } from './variants.js';

/** Hosts that one expression may stand for. */
const HOSTS_MAX = 1_000_000;

/** What a selection means in this shard as it is now. */
export class Targets {
  readonly scope: Scope;
  /** Another text for another scope. */
  readonly scopeKey: string;
  readonly #selection: Selection;
  readonly #tree: LevelTree;
  readonly #topologies: Topologies;
  readonly #hosts: HostSet | null;

  constructor(selection: Selection, tree: LevelTree, topologies: Topologies) {
    const { scope, subScope, ids, subIds, hosts } = selection;
    this.#selection = selection;
    this.#tree = tree;
    this.#topologies = topologies;
    this.#hosts = hosts && HostSet.parse(hosts, HOSTS_MAX);
    this.scope = { type: scope === 'node' ? '' : scope, subType: subScope, ids, subIds };
    this.scopeKey = JSON.stringify([scope, subScope, ids, subIds]);
  }

  /** Names of a cluster's hosts that are meant, in sorted order. */
  hostsOf(cluster: string): readonly string[] {
    const { subClusters } = this.#selection;
    const { names } = this.#tree.hosts(cluster);
    if (this.#hosts === null && subClusters === null) return names;
    return names.filter(
      (host) =>
        (this.#hosts?.has(host) ?? true) &&
        (subClusters?.includes(this.#topologies.subClusterOf(cluster, host)) ?? true),
    );
  }

  /**
   * Metrics of clusters that are stored and meant, sorted; those named that nobody knows, and names and
   * globs of which there is nothing here.
   */
  metricsOf(
    metrics: Metrics,
    clusters: readonly string[],
  ): {
    known: readonly KnownMetric[];
    unknown: readonly string[];
    absent: readonly string[];
  } {
    const known = new Map<string, KnownMetric>();
    const note = (name: string): boolean => {
      const variants = variantsOf(metrics, name, clusters);
      if (variants.size > 0) known.set(name, { name, variants });
      return variants.size > 0;
    };
    const unknown: string[] = [];
    const absent: string[] = [];
    for (const pattern of this.#selection.metrics) {
      if (isGlob(pattern)) {
        const matches = globMatcher(pattern);
        const names = new Set(clusters.flatMap((cluster) => [...metrics.namesOf(cluster)]));
        const found = [...names].filter(matches);
        for (const name of found) note(name);
        if (found.length === 0) absent.push(pattern);
      } else if (!note(pattern)) {
        const isTaken = clusters.some((cluster) => metrics.isTaken(pattern, cluster));
        (isTaken ? absent : unknown).push(pattern);
      }
    }
    const sorted = [...known.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    return { known: sorted, unknown, absent };
  }
}
