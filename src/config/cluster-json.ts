import {
  LEVEL_TYPES,
  type ClusterDescription,
  type ClusterMetric,
  type SubCluster,
} from '../model/cluster.js';
import { CLUSTER_HOSTS_MAX, countHostList } from '../model/host-list.js';
import { unitOfBaseAndPrefix } from '../units/unit.js';
import { parseTopology } from './cluster-topology.js';
import { isObject, listOf, show, type Report } from './tolerant.js';

const FOOTPRINTS = ['avg', 'min', 'max'] as const;
const ENERGIES = ['power', 'energy'] as const;
const AGGREGATIONS = ['sum', 'avg'] as const;

/**
 * Reads a parsed cluster.json as tolerantly as it can: unknown keys are nobody's business, what is
 * missing has the default of cc-backend, and what makes no sense is reported and left out.
 *
 * @returns undefined if it is not one cluster with a name; that is for the caller to tell.
 */
export function parseCluster(value: unknown, report: Report): ClusterDescription | undefined {
  if (!isObject(value) || typeof value.name !== 'string' || value.name === '') return undefined;
  const subClusters = namedItems(value.subClusters, 'subClusters', report);
  const metrics = namedItems(value.metricConfig, 'metricConfig', report);
  return {
    name: value.name,
    metrics: Object.fromEntries(
      metrics.map(({ name, item, path }) => [name, parseMetric(item, path, report)]),
    ),
    subClusters: subClusters.map(({ name, item, path }) =>
      parseSubCluster(name, item, path, report),
    ),
  };
}

type JsonObject = Readonly<Record<string, unknown>>;

interface NamedItem {
  readonly name: string;
  readonly item: JsonObject;
  readonly path: string;
}

/** The objects of a list by their names; the first of a name is taken. */
function namedItems(value: unknown, path: string, report: Report): NamedItem[] {
  const names = new Set<string>();
  if (value === undefined) report(path, 'is missing');
  return listOf(value, path, report).flatMap((item, i) => {
    const itemPath = `${path}.${i}`;
    if (!isObject(item)) {
      report(itemPath, `must be an object, not ${show(item)}; it is left out`);
      return [];
    }
    const { name } = item;
    if (typeof name !== 'string' || name === '') {
      report(`${itemPath}.name`, `must be a name, not ${show(name)}; the entry is left out`);
      return [];
    }
    if (names.has(name)) {
      report(`${itemPath}.name`, `"${name}" is there already; this one is left out`);
      return [];
    }
    names.add(name);
    return [{ name, item, path: itemPath }];
  });
}

function parseMetric(metric: JsonObject, path: string, report: Report): ClusterMetric {
  const choose = <Value extends string>(
    key: string,
    allowed: readonly Value[],
  ): Value | undefined => {
    const value = metric[key];
    if (allowed.includes(value as Value)) return value as Value;
    const isUnset = value === undefined || value === null || value === '' || value === false;
    if (!isUnset) {
      report(
        `${path}.${key}`,
        `${show(value)} is not one of ${allowed.join(', ')}; it is not used`,
      );
    }
    return undefined;
  };
  // Files of older versions only said that there is one.
  const footprint = metric.footprint === true ? 'avg' : choose('footprint', FOOTPRINTS);
  // cpu is an old name.
  const scope = metric.scope === 'cpu' ? 'hwthread' : choose('scope', LEVEL_TYPES);
  return {
    unit: parseUnit(metric.unit, `${path}.unit`, report),
    scope: scope ?? 'node',
    stepSec: parseStep(metric.timestep, `${path}.timestep`, report),
    aggregation: choose('aggregation', AGGREGATIONS) ?? null,
    footprint: footprint ?? '',
    energy: choose('energy', ENERGIES) ?? '',
    removedIn: listOf(metric.subClusters, `${path}.subClusters`, report).flatMap((override) =>
      isObject(override) && override.remove === true && typeof override.name === 'string'
        ? override.name
        : [],
    ),
  };
}

/** `{"base": "B/s", "prefix": "G"}`, or free text in older files. */
function parseUnit(unit: unknown, path: string, report: Report): string {
  if (unit === undefined || unit === null) return '';
  if (typeof unit === 'string') return unit;
  if (isObject(unit)) {
    const base = unit.base ?? '';
    const prefix = unit.prefix ?? '';
    if (typeof base === 'string' && typeof prefix === 'string')
      return unitOfBaseAndPrefix(base, prefix);
  }
  report(path, `${show(unit)} is neither a text nor {"base": …, "prefix": …}; it is not used`);
  return '';
}

function parseStep(step: unknown, path: string, report: Report): number {
  if (typeof step === 'number' && Number.isInteger(step) && step > 0) return step;
  report(path, `must be a number of seconds, not ${show(step)}; it is not used`);
  return 0;
}

function parseSubCluster(name: string, item: JsonObject, path: string, report: Report): SubCluster {
  return {
    name,
    nodes: parseNodes(item.nodes, `${path}.nodes`, report),
    topology: parseTopology(item.topology, `${path}.topology`, report),
  };
}

/** A host list that can be read, '' if there is none. */
function parseNodes(nodes: unknown, path: string, report: Report): string {
  if (typeof nodes !== 'string' || nodes === '') {
    report(path, `must be a host list such as a[0100-0185], not ${show(nodes)}; no host is of it`);
    return '';
  }
  try {
    const count = countHostList(nodes);
    if (count <= CLUSTER_HOSTS_MAX) return nodes;
    report(path, `names ${count} hosts, more than ${CLUSTER_HOSTS_MAX}; no host is of it`);
    return '';
  } catch (error) {
    report(path, `${(error as Error).message}; no host is of it`);
    return '';
  }
}
