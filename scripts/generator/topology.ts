import type { Shape } from './shapes.js';

/** What is made up: clusters of hosts, each of a kind that tells its series. */
export interface Topology {
  readonly hosts: readonly HostPlan[];
  /** What was odd in files. */
  readonly warnings: readonly string[];
  /** What a store needs to know of it, as the sections of its configuration. */
  readonly config: Readonly<Record<string, unknown>>;
}

export interface HostPlan {
  readonly cluster: string;
  readonly name: string;
  /** Nodes of one group have the same jobs. */
  readonly group: number;
  readonly kind: HostKind;
}

/** What nodes of one model have alike; one object for all of them. */
export interface HostKind {
  readonly metrics: readonly MetricPlan[];
  readonly series: readonly SeriesPlan[];
}

export interface MetricPlan {
  readonly name: string;
  /** As configured; '' = none. */
  readonly unit: string;
  readonly stepSec: number;
  readonly aggregation: 'sum' | 'avg' | null;
  readonly shape: Shape;
  /** Value of one series at full load; of counters, what a second adds. */
  readonly full: number;
  readonly decimals: number;
  /** Written with the suffix of integers. */
  readonly isInteger: boolean;
}

export interface SeriesPlan {
  /** Index in the kind's list. */
  readonly metric: number;
  /** '' = the node itself. */
  readonly type: string;
  readonly typeId: string;
  readonly stype: string;
  readonly stypeId: string;
}

/** Ids of the parts of a node by the type of level; a type that is missing has none. */
export type Parts = Readonly<Record<string, readonly string[]>>;

/** Nodes of one job, mostly. */
export const HOSTS_OF_GROUP = 12;

/** The series of a metric on a node: one for each part at its scope, and there one for each device. */
export function seriesAt(
  metric: number,
  scope: string,
  parts: Parts,
  device: '' | 'filesystem' | 'network' = '',
): SeriesPlan[] {
  const type = scope === 'node' ? '' : scope;
  const ids = type === '' ? [''] : (parts[scope] ?? []);
  const devices = device === '' ? [] : (parts[device] ?? []);
  if (devices.length === 0) {
    return ids.map((typeId) => ({ metric, type, typeId, stype: '', stypeId: '' }));
  }
  return ids.flatMap((typeId) =>
    devices.map((stypeId) => ({ metric, type, typeId, stype: device, stypeId })),
  );
}

export function idsOf(count: number): string[] {
  return Array.from({ length: count }, (_, id) => String(id));
}

/** PCI addresses as nodes with eight accelerators have them, then further ones. */
export function acceleratorIds(count: number): string[] {
  const known = ['49', '0E', 'D1', '90', '13', '96', 'CC', '4F'];
  return Array.from({ length: count }, (_, i) => {
    const bus = known[i % known.length]!;
    return `0000${String(Math.floor(i / known.length)).padStart(4, '0')}:${bus}:00.0`;
  });
}

const FILESYSTEMS = ['/home', '/scratch', '/tmp', '/work'];
const NETWORKS = ['ib0', 'eth0', 'ib1', 'eth1'];

export function filesystemIds(count: number): string[] {
  return Array.from({ length: count }, (_, i) => FILESYSTEMS[i] ?? `/fs${i}`);
}

export function networkIds(count: number): string[] {
  return Array.from({ length: count }, (_, i) => NETWORKS[i] ?? `ib${i}`);
}
