import type { SelectRequest, Selection } from '../../src/model/selection.js';
import type { Metric } from '../engine/metrics.js';
import { groupUnits, operationOf, type FoundHost, type ResultGroup } from './groups.js';
import type { ResultKind } from './result-writer.js';
import type { SelectTools } from './select-tools.js';
import type { Targets } from './targets.js';
import { ListedUnits, seriesOf } from './units.js';
import type { Variants } from './variants.js';

/** Finds the groups of a request in the tree as it is now. */
export class GroupFinder {
  readonly #tools: SelectTools;
  readonly #request: SelectRequest;
  /** Of the metrics that the request has begun with. */
  readonly #version: number;

  constructor(tools: SelectTools, request: SelectRequest) {
    this.#tools = tools;
    this.#request = request;
    this.#version = tools.metrics.version;
  }

  /** Groups of one host. */
  ofHost(cluster: string, name: string, kind: ResultKind, targets: Targets): ResultGroup[] {
    const host = this.#find(cluster, name, kind.metric, kind.selection, targets);
    return host ? group([host], kind, targets) : [];
  }

  /** Groups over all hosts that are meant; what is found is kept for the next request. */
  ofClusters(
    clusters: readonly string[],
    kind: ResultKind,
    variants: Variants,
    targets: Targets,
  ): ResultGroup[] {
    const { groups, tree } = this.#tools;
    const request = { ...this.#request, clusters };
    return groups.get(request, kind.select, kind.metric, tree.generation, () => {
      const found = clusters.flatMap((cluster) => {
        const metric = variants.get(cluster)!;
        return targets
          .hostsOf(cluster)
          .map((name) => this.#find(cluster, name, metric, kind.selection, targets));
      });
      const hosts = found.filter((host) => host !== undefined);
      return group(hosts, kind, targets);
    });
  }

  #find(
    cluster: string,
    name: string,
    metric: Metric,
    selection: Selection,
    { scope, scopeKey }: Targets,
  ): FoundHost | undefined {
    const { tree, topologies, hostUnits, regrid, metrics } = this.#tools;
    if (metrics.version !== this.#version) metrics.checkSame(metric, cluster);
    const level = tree.find([cluster, name]);
    if (!level) return undefined;
    regrid.settle(level, metric);
    const found = hostUnits.find(level, metric, scope, scopeKey, tree.generation);
    if (found.count === 0) return undefined;
    // Without a strategy nothing says what a unit of several series is: the aggregate is of all of them.
    const isLoose = metric.aggregation === null && selection.aggregate !== null;
    const units = isLoose ? new ListedUnits(found.list.flatMap(seriesOf)) : found;
    return { level, cluster, subCluster: topologies.subClusterOf(cluster, name), metric, units };
  }
}

function group(
  hosts: readonly FoundHost[],
  { selection, metric }: ResultKind,
  { scopeKey }: Targets,
): ResultGroup[] {
  return groupUnits(hosts, selection, operationOf(selection, metric) ?? 'sum', scopeKey);
}
