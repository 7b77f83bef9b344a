import type { Allowance } from './allowance.js';
import { StoreError } from './errors.js';
import { parseIdList } from './id-list.js';
import { hostList, metricNames, nameList } from './name-fields.js';
import { RESAMPLE_ALGORITHMS, type ResampleAlgorithm } from './query-request.js';
import {
  booleanField,
  checkKeys,
  choiceField,
  eachOf,
  isObject,
  keysOf,
  nameField,
  wrong,
  type JsonObject,
} from './request-fields.js';
import { AGGREGATES, GROUP_KEYS, type GroupKey, type Selection } from './selection.js';
import { ALL_STATISTICS, parseStatistics } from './statistics-field.js';
import { parseStep } from './time-expression.js';

/** What all selections of a request may have together. */
export interface SelectionAllowances {
  readonly names: Allowance;
  readonly hosts: Allowance;
  readonly ids: Allowance;
}

const KEYS = keysOf(
  [
    'metric',
    'hosts',
    'scope',
    'ids',
    'sub-scope',
    'sub-ids',
    'aggregate',
    'by',
    'step',
    'points',
    'resample',
    'unit',
    'stats',
    'data',
    'missing',
  ],
  {
    metrics: 'did you mean "metric"? It takes a list, too',
    host: 'did you mean "hosts"? It takes one, too',
    hostname: 'did you mean "hosts"?',
    nodes: 'did you mean "hosts"?',
    type: 'did you mean "scope"?',
    'type-ids': 'did you mean "ids"?',
    subtype: 'did you mean "sub-scope"?',
    'subtype-ids': 'did you mean "sub-ids"?',
    'sub-cluster': 'write "hosts": {"sub-cluster": …}',
    aggreg: 'did you mean "aggregate"?',
    'group-by': 'did you mean "by"?',
    resolution: 'did you mean "step"?',
    interval: 'did you mean "step"?',
    'scale-by': 'ask for a "unit"',
    ...Object.fromEntries(
      ['cluster', 'from', 'to', 'archive'].map((key) => [key, 'it belongs beside "select"']),
    ),
  },
);
const HOSTS_KEYS = keysOf(['sub-cluster'], {});

const HOSTS_WANTED =
  'a host, a host list such as "a[0100-0185]", a pattern, a list of them, or {"sub-cluster": …}';
const POINTS_MAX = 1_000_000;

/** Reads one selection, at the path `where`. */
export function parseSelection(
  source: unknown,
  where: string,
  { names, hosts, ids }: SelectionAllowances,
): Selection {
  if (!isObject(source)) throw wrong(where, 'an object such as {"metric": "flops_any"}', source);
  checkKeys(source, where, KEYS);
  const stats = parseStatistics(source['stats'], `${where}.stats`, ALL_STATISTICS, []);
  const data = source['data'] === undefined || booleanField(source['data'], `${where}.data`);
  if (!data && stats.length === 0) {
    const what = 'there is nothing to answer without "stats", such as "stats": true';
    throw new StoreError('bad-request', `${where}.data is false: ${what}`);
  }
  const scope = parseScope(source, where);
  if (source['sub-ids'] !== undefined && scope.subScope === '') {
    const what = 'needs a "sub-scope", such as "filesystem"';
    throw new StoreError('bad-request', `${where}.sub-ids ${what}`);
  }
  return {
    metrics: metricNames(source['metric'], `${where}.metric`, names),
    ...parseHosts(source['hosts'], `${where}.hosts`, hosts, names),
    ...scope,
    ids: parseIds(source['ids'], `${where}.ids`, ids),
    subIds: parseIds(source['sub-ids'], `${where}.sub-ids`, ids),
    ...parseGroups(source, where),
    ...parseSampling(source, where),
    unit: source['unit'] === undefined ? '' : parseUnit(source['unit'], `${where}.unit`),
    stats,
    data,
    missingAsNull: isMissingNull(source['missing'], `${where}.missing`),
  };
}

/** Host lists are checked and counted; which of the hosts there are, the shards know. */
function parseHosts(
  value: unknown,
  field: string,
  hosts: Allowance,
  names: Allowance,
): Pick<Selection, 'hosts' | 'subClusters'> {
  if (value === undefined) return { hosts: null, subClusters: null };
  if (isObject(value)) {
    checkKeys(value, field, HOSTS_KEYS);
    const wanted = 'the name of a sub-cluster, or a list of them';
    const subClusters = nameList(value['sub-cluster'], `${field}.sub-cluster`, wanted, names);
    return { hosts: null, subClusters };
  }
  const expressions: string[] = [];
  eachOf(value, field, HOSTS_WANTED, (entry, field) => {
    expressions.push(hostList(entry, field, HOSTS_WANTED, hosts));
  });
  return { hosts: expressions, subClusters: null };
}

function parseIds(value: unknown, field: string, ids: Allowance): string[] | null {
  return value === undefined ? null : parseIdList(value, field, ids);
}

/** `socket`, or both in one: `node/filesystem`. */
function parseScope(source: JsonObject, where: string): Pick<Selection, 'scope' | 'subScope'> {
  const field = `${where}.scope`;
  const wanted = 'a type such as "node", "socket" or "hwthread", or "node/filesystem"';
  const text = source['scope'] === undefined ? 'node' : nameField(source['scope'], field, wanted);
  const [type, subScope, ...more] = text.split('/');
  if (type === '' || subScope === '' || more.length > 0) throw wrong(field, wanted, text);
  if (type === 'cluster' || type === 'host') {
    throw wrong(field, `"node", grouped with "by": "${type}"`, text);
  }
  // Collectors once called it so.
  const scope = type === 'cpu' ? 'hwthread' : type!;
  const own = source['sub-scope'];
  if (own === undefined) return { scope, subScope: subScope ?? '' };
  if (subScope !== undefined) {
    throw new StoreError(
      'bad-request',
      `${where}.sub-scope is in ${field} already, as ${subScope}`,
    );
  }
  return { scope, subScope: nameField(own, `${where}.sub-scope`, 'a type such as "filesystem"') };
}

/**
 * Neither `aggregate` nor `by`: each unit for itself. `by` alone: the metric's own strategy.
 * `aggregate` alone: all in one.
 */
function parseGroups(source: JsonObject, where: string): Pick<Selection, 'aggregate' | 'by'> {
  const { aggregate: name, by: keys } = source;
  const aggregate = name === undefined ? null : choiceField(name, `${where}.aggregate`, AGGREGATES);
  if (keys === undefined) return { aggregate, by: aggregate === null ? null : [] };
  if (Array.isArray(keys) && keys.length === 0) return { aggregate, by: [] };
  const by = new Set<GroupKey>();
  eachOf(keys, `${where}.by`, '', (entry, field) => by.add(choiceField(entry, field, GROUP_KEYS)));
  return { aggregate, by: [...by] };
}

function parseSampling(
  source: JsonObject,
  where: string,
): Pick<Selection, 'stepSec' | 'points' | 'resample'> {
  const { step, points, resample } = source;
  if (step !== undefined && points !== undefined) {
    const what = 'can not both be given; leave one out';
    throw new StoreError('bad-request', `${where}.step and ${where}.points ${what}`);
  }
  if (resample !== undefined && step === undefined && points === undefined) {
    const what = 'needs a "step" such as "5m", or "points"';
    throw new StoreError('bad-request', `${where}.resample ${what}`);
  }
  return {
    stepSec: step === undefined ? 0 : parseStep(step, `${where}.step`),
    points: points === undefined ? 0 : parsePoints(points, `${where}.points`),
    resample: resample === undefined ? '' : parseAlgorithm(resample, `${where}.resample`),
  };
}

function parsePoints(value: unknown, field: string): number {
  const isCount = Number.isSafeInteger(value) && (value as number) >= 1;
  if (isCount && (value as number) <= POINTS_MAX) return value as number;
  throw wrong(field, `a whole number from 1 to ${POINTS_MAX}`, value);
}

/** The mean has one name in requests, and another as an algorithm, from before there were statistics. */
function parseAlgorithm(value: unknown, field: string): ResampleAlgorithm {
  return choiceField(value === 'avg' ? 'average' : value, field, RESAMPLE_ALGORITHMS);
}

function parseUnit(value: unknown, field: string): string {
  return nameField(value, field, 'a unit such as "GB/s"');
}

function isMissingNull(value: unknown, field: string): boolean {
  return value !== undefined && choiceField(value, field, ['skip', 'null']) === 'null';
}
