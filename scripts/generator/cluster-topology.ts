import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { filesAt, readClusters } from '../../src/config/cluster-files.js';
import { isObject } from '../../src/config/tolerant.js';
import type { ClusterDescription, ClusterMetric, SubCluster } from '../../src/model/cluster.js';
import { expandHostList } from '../../src/model/host-list.js';
import { parseUnit } from '../../src/units/unit.js';
import { textHash } from './hash.js';
import { HOSTS_MAX } from './made-topology.js';
import type { Shape } from './shapes.js';
import {
  acceleratorIds,
  filesystemIds,
  HOSTS_OF_GROUP,
  idsOf,
  networkIds,
  seriesAt,
  type HostKind,
  type HostPlan,
  type MetricPlan,
  type Parts,
  type Topology,
} from './topology.js';

/** What the files leave open. */
export interface ClusterOptions {
  /** 0 = as the files say; where they say nothing it is a minute. */
  readonly stepSec: number;
  readonly filesystems: number;
  readonly networks: number;
  /** Parts of nodes whose topology the file does not tell. */
  readonly sockets: number;
  readonly threads: number;
  readonly accelerators: number;
  /** Metrics of threads and cores come by socket: fewer lines of a large cluster. */
  readonly isCoarse: boolean;
  /** Hosts that are taken of each cluster; Infinity = all. */
  readonly hostsMax: number;
}

const STEP_SEC = 60;
const FULL_DEFAULT = 100;

/**
 * The clusters of cluster.json files, as the store itself reads them: hosts, metrics and their scopes,
 * what sub-clusters do not have, ids of accelerators.
 *
 * @throws ConfigError with what can not be read, Error where there is no host.
 */
export function clusterTopology(paths: readonly string[], options: ClusterOptions): Topology {
  const { clusters, warnings } = readClusters(paths);
  const normals = normalsOf(paths);
  const hosts = clusters.flatMap((cluster) =>
    hostsOf(cluster, normals.get(cluster.name) ?? new Map(), options),
  );
  if (hosts.length === 0) throw new Error(`${paths.join(', ')}: no sub-cluster names its nodes`);
  if (hosts.length > HOSTS_MAX) throw new Error(`${hosts.length} hosts: more than ${HOSTS_MAX}`);
  const config = { metricshard: { clusters: paths.map((path) => resolve(path)) } };
  return { hosts, warnings, config };
}

function hostsOf(
  cluster: ClusterDescription,
  normals: ReadonlyMap<string, number>,
  options: ClusterOptions,
): HostPlan[] {
  const hosts = new Map<string, HostPlan>();
  for (const subCluster of cluster.subClusters) {
    if (subCluster.nodes === '' || subCluster.nodes === '*') continue;
    const kind = kindOf(cluster, subCluster, normals, options);
    const first = textHash(`${cluster.name} ${subCluster.name}`) >>> 8;
    for (const [i, name] of expandHostList(subCluster.nodes, HOSTS_MAX).entries()) {
      if (hosts.has(name) || hosts.size >= options.hostsMax) continue;
      const group = first + Math.floor(i / HOSTS_OF_GROUP);
      hosts.set(name, { cluster: cluster.name, name, group, kind });
    }
  }
  return [...hosts.values()];
}

function kindOf(
  cluster: ClusterDescription,
  subCluster: SubCluster,
  normals: ReadonlyMap<string, number>,
  options: ClusterOptions,
): HostKind {
  const parts = partsOf(subCluster, options);
  const metrics: MetricPlan[] = [];
  const series: HostKind['series'][number][] = [];
  for (const [name, metric] of Object.entries(cluster.metrics)) {
    if (metric.removedIn.includes(subCluster.name)) continue;
    const scope = options.isCoarse ? coarseScope(metric.scope) : metric.scope;
    const own = seriesAt(metrics.length, scope, parts, deviceOf(name, scope));
    if (own.length === 0) continue;
    const normal = normals.get(name) ?? FULL_DEFAULT;
    const full = metric.aggregation === 'sum' ? normal / own.length : normal;
    metrics.push(planOf(name, metric, full, options.stepSec));
    series.push(...own);
  }
  return { metrics, series };
}

function coarseScope(scope: string): string {
  return scope === 'hwthread' || scope === 'core' ? 'socket' : scope;
}

function partsOf({ topology }: SubCluster, options: ClusterOptions): Parts {
  const { node, socket, core, memoryDomain, die, accelerators } = topology;
  const isTold = node.length > 0;
  return {
    hwthread: isTold ? node.map(String) : idsOf(options.threads),
    socket: isTold ? idsOf(socket.length) : idsOf(options.sockets),
    core: isTold ? idsOf(core.length) : idsOf(options.threads),
    memoryDomain: idsOf(memoryDomain.length),
    die: idsOf(die.length),
    accelerator: isTold ? accelerators : acceleratorIds(options.accelerators),
    filesystem: filesystemIds(options.filesystems),
    network: networkIds(options.networks),
  };
}

function planOf(
  name: string,
  { unit, stepSec, aggregation, scope }: ClusterMetric,
  full: number,
  stepAskedSec: number,
): MetricPlan {
  const shape = shapeOf(name, unit, scope);
  const isCounted = shape === 'counter' || shape === 'energy' || shape === 'state';
  const decimals = isCounted || shape === 'constant' ? 0 : decimalsFor(full);
  return {
    name,
    unit,
    stepSec: stepAskedSec || stepSec || STEP_SEC,
    aggregation,
    shape,
    full,
    decimals,
    isInteger: isCounted,
  };
}

/** About four digits tell values apart; ratios have more than collectors should send. */
function decimalsFor(full: number): number {
  if (full >= 10_000) return 0;
  if (full >= 1000) return 1;
  return full >= 5 ? 2 : 6;
}

/** How a metric moves, as its name and unit tell. */
function shapeOf(name: string, unit: string, scope: string): Shape {
  const measure = parseUnit(unit);
  const isAccelerator = scope === 'accelerator';
  if (measure?.measure === 'degC' || measure?.measure === 'degF' || /temp/.test(name)) {
    return isAccelerator ? 'accelerator-temperature' : 'temperature';
  }
  if (measure?.measure === 'W' || /power/.test(name)) {
    return isAccelerator ? 'accelerator-power' : 'power';
  }
  if (measure?.measure === 'J' || measure?.measure === 'Wh') return 'energy';
  if (measure?.measure === 'Hz') return 'clock';
  if (/util|percent/.test(name) && isAccelerator) return 'accelerator-percent';
  if (/offset|skew/.test(name)) return 'offset';
  if (/_user|_idle|_system|ratio|percent/.test(name)) return 'percent';
  if (/^ipc$|^cpi$/.test(name)) return 'ratio';
  if (deviceOf(name, 'node') !== '') return measure?.per ? 'io' : 'counter';
  if (/mem.*(total|size|capacity)/.test(name)) return 'constant';
  if (measure?.measure === 'B' && !measure.per) {
    return isAccelerator ? 'accelerator-memory' : 'memory';
  }
  if (/mem_bw|bandwidth/.test(name)) return 'memory-load';
  if (/err|state|fail/.test(name)) return 'state';
  return isAccelerator ? 'accelerator-load' : 'load';
}

/** What of a node a metric is of, where devices are asked for. */
function deviceOf(name: string, scope: string): '' | 'filesystem' | 'network' {
  if (scope !== 'node') return '';
  if (/^(nfs|lustre|gpfs|beegfs|fs|file|disk)/.test(name)) return 'filesystem';
  return /^(ib|net|eth|opa)_/.test(name) ? 'network' : '';
}

/**
 * The usual value of each metric, by cluster: the store has no use for these thresholds, so its
 * reader leaves them out. What makes no sense here has been reported by it.
 */
function normalsOf(paths: readonly string[]): Map<string, Map<string, number>> {
  const normals = new Map<string, Map<string, number>>();
  for (const file of paths.flatMap((path, i) => filesAt(path, i, []))) {
    const value = JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, '')) as unknown;
    const list = isObject(value) && Array.isArray(value.clusters) ? value.clusters : value;
    for (const cluster of Array.isArray(list) ? (list as unknown[]) : [list]) {
      if (!isObject(cluster) || typeof cluster.name !== 'string') continue;
      const metrics = Array.isArray(cluster.metricConfig) ? cluster.metricConfig : [];
      normals.set(cluster.name, new Map(metrics.flatMap(normalOf)));
    }
  }
  return normals;
}

function normalOf(metric: unknown): [string, number][] {
  if (!isObject(metric) || typeof metric.name !== 'string') return [];
  const { name, normal, peak } = metric;
  if (typeof normal === 'number' && normal > 0) return [[name, normal]];
  return typeof peak === 'number' && peak > 0 ? [[name, peak]] : [];
}
