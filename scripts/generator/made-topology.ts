import { expandHostList } from '../../src/model/host-list.js';
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

/** What a cluster without a file is like. */
export interface TopologyOptions {
  /** Names, or how many there are. */
  readonly clusters: string;
  /** A host list, or how many there are in each cluster. */
  readonly hosts: string;
  readonly sockets: number;
  readonly cores: number;
  readonly threads: number;
  readonly accelerators: number;
  readonly filesystems: number;
  readonly networks: number;
  /** Names of the table below, or how many there are. */
  readonly metrics: string;
  readonly stepSec: number;
}

export const HOSTS_MAX = 100_000;
export const METRICS_MAX = 1000;
const CLUSTERS_MAX = 100;

interface MetricKind {
  readonly name: string;
  readonly unit: string;
  readonly scope: string;
  readonly shape: Shape;
  /** Of a whole node at full load where values are summed, else of each part. */
  readonly full: number;
  readonly decimals: number;
  readonly aggregation: 'sum' | 'avg';
  readonly device?: 'filesystem' | 'network';
}

/** Metrics as they are found on most clusters; those without decimals are integers. */
const METRICS: readonly MetricKind[] = [
  kind('cpu_load', '', 'node', 'load', 64, 2, 'avg'),
  kind('cpu_user', '%', 'hwthread', 'percent', 100, 2, 'avg'),
  kind('flops_any', 'GF/s', 'hwthread', 'load', 2000, 3, 'sum'),
  kind('mem_bw', 'GB/s', 'socket', 'memory-load', 350, 2, 'sum'),
  kind('mem_used', 'GB', 'node', 'memory', 240, 2, 'sum'),
  kind('clock', 'MHz', 'hwthread', 'clock', 2600, 1, 'avg'),
  kind('ipc', 'IPC', 'hwthread', 'ratio', 2.2, 6, 'avg'),
  kind('cpu_power', 'W', 'socket', 'power', 480, 1, 'sum'),
  kind('core_temp', 'degC', 'core', 'temperature', 85, 1, 'avg'),
  kind('cpu_energy', 'J', 'socket', 'energy', 480, 0, 'sum'),
  { ...kind('net_bytes', 'B', 'node', 'counter', 2e8, 0, 'sum'), device: 'network' },
  { ...kind('fs_read_bw', 'MB/s', 'node', 'io', 800, 2, 'sum'), device: 'filesystem' },
  kind('acc_utilization', '%', 'accelerator', 'accelerator-percent', 100, 0, 'avg'),
  kind('acc_mem_used', 'GB', 'accelerator', 'accelerator-memory', 320, 2, 'sum'),
  kind('acc_power', 'W', 'accelerator', 'accelerator-power', 1600, 1, 'sum'),
  kind('acc_temp', 'degC', 'accelerator', 'accelerator-temperature', 80, 0, 'avg'),
  kind('mem_capacity', 'GB', 'node', 'constant', 256, 0, 'sum'),
  kind('ecc_errors', '', 'socket', 'state', 1, 0, 'sum'),
  kind('clock_offset', 'us', 'node', 'offset', 80, 3, 'avg'),
];

/**
 * Clusters, hosts and metrics from numbers alone.
 *
 * @throws Error that says what can not be made.
 */
export function madeTopology(options: TopologyOptions): Topology {
  const parts: Parts = {
    socket: idsOf(options.sockets),
    core: idsOf(options.cores),
    hwthread: idsOf(options.threads),
    accelerator: acceleratorIds(options.accelerators),
    filesystem: filesystemIds(options.filesystems),
    network: networkIds(options.networks),
  };
  const kinds = chosenMetrics(options.metrics);
  const node: HostKind = {
    metrics: kinds.map((metric) => planOf(metric, parts, options.stepSec)),
    series: kinds.flatMap(({ scope, device }, i) => seriesAt(i, scope, parts, device)),
  };
  const names = hostNames(options.hosts);
  const hosts = clusterNames(options.clusters).flatMap((cluster, c) =>
    names.map((name, i): HostPlan => {
      const group = c * HOSTS_MAX + Math.floor(i / HOSTS_OF_GROUP);
      return { cluster, name, group, kind: node };
    }),
  );
  if (hosts.length > HOSTS_MAX) throw new Error(`${hosts.length} hosts: more than ${HOSTS_MAX}`);
  return { hosts, warnings: [], config: { metrics: metricsSection(node.metrics) } };
}

/** The section `metrics` of a store's configuration. */
function metricsSection(metrics: readonly MetricPlan[]): Record<string, object> {
  return Object.fromEntries(
    metrics.map(({ name, stepSec, aggregation, unit }) => [
      name,
      { frequency: stepSec, aggregation, ...(unit !== '' && { unit }) },
    ]),
  );
}

function planOf(
  { name, unit, scope, shape, full, decimals, aggregation, device }: MetricKind,
  parts: Parts,
  stepSec: number,
): MetricPlan {
  const count = seriesAt(0, scope, parts, device).length;
  const share = aggregation === 'sum' ? Math.max(1, count) : 1;
  const isInteger = decimals === 0;
  return { name, unit, stepSec, aggregation, shape, full: full / share, decimals, isInteger };
}

/** More than the table has are the same again under names with a number. */
function chosenMetrics(text: string): readonly MetricKind[] {
  if (/^\d+$/.test(text)) {
    const count = Number(text);
    if (count < 1 || count > METRICS_MAX) {
      throw new Error(`--metrics ${text}: not a number from 1 to ${METRICS_MAX}`);
    }
    return Array.from({ length: count }, (_, i) => {
      const metric = METRICS[i % METRICS.length]!;
      const copy = Math.floor(i / METRICS.length);
      return copy === 0 ? metric : { ...metric, name: `${metric.name}_${copy + 1}` };
    });
  }
  return [...new Set(text.split(','))].map((name) => {
    const found = METRICS.find((metric) => metric.name === name);
    if (found) return found;
    const known = METRICS.map((metric) => metric.name).join(', ');
    throw new Error(`--metrics: no metric "${name}"; there are ${known}`);
  });
}

function clusterNames(text: string): readonly string[] {
  if (!/^\d+$/.test(text)) return checkedNames('--clusters', text.split(','));
  const count = Number(text);
  if (count < 1 || count > CLUSTERS_MAX) {
    throw new Error(`--clusters ${text}: not a number from 1 to ${CLUSTERS_MAX}`);
  }
  return Array.from({ length: count }, (_, i) => `cluster${i + 1}`);
}

function hostNames(text: string): readonly string[] {
  if (!/^\d+$/.test(text)) return checkedNames('--hosts', expandHostList(text, HOSTS_MAX));
  const count = Number(text);
  if (count < 1 || count > HOSTS_MAX) {
    throw new Error(`--hosts ${text}: not a number from 1 to ${HOSTS_MAX}, nor a host list`);
  }
  return Array.from({ length: count }, (_, i) => `n${String(i + 1).padStart(4, '0')}`);
}

/** Names that are good for tags and folders alike. */
function checkedNames(flag: string, names: readonly string[]): readonly string[] {
  const wrong = names.find((name) => !/^[A-Za-z0-9_.-]{1,64}$/.test(name) || name.includes('..'));
  if (wrong !== undefined) {
    throw new Error(`${flag}: "${wrong}" is no name of letters, digits, and _ . -`);
  }
  return [...new Set(names)];
}

function kind(
  name: string,
  unit: string,
  scope: string,
  shape: Shape,
  full: number,
  decimals: number,
  aggregation: 'sum' | 'avg',
): MetricKind {
  return { name, unit, scope, shape, full, decimals, aggregation };
}
