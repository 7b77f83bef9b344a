import { globMatcher, isGlob } from '../../src/model/glob.js';
import { HostSet } from '../../src/model/host-list.js';
import type { Selection } from '../../src/model/selection.js';
import type { LevelTree } from '../engine/level-tree.js';
import type { Metric, Metrics } from '../engine/metrics.js';
import type { Topologies } from '../engine/topology.js';
import type { Scope } from './units.js';

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
   * Metrics that are stored and meant, sorted; those named that nobody knows, and names and globs of
   * which there is nothing here.
   */
  metricsOf(metrics: Metrics): {
    known: readonly Metric[];
    unknown: readonly string[];
    absent: readonly string[];
  } {
    const known = new Map<string, Metric>();
    const unknown: string[] = [];
    const absent: string[] = [];
    for (const pattern of this.#selection.metrics) {
      if (isGlob(pattern)) {
        const matches = globMatcher(pattern);
        const found = metrics.all().filter(({ name }) => matches(name));
        for (const metric of found) known.set(metric.name, metric);
        if (found.length === 0) absent.push(pattern);
      } else {
        const metric = metrics.find(pattern);
        if (metric) known.set(pattern, metric);
        else (metrics.isKnown(pattern) ? absent : unknown).push(pattern);
      }
    }
    const sorted = [...known.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    return { known: sorted, unknown, absent };
  }
}
