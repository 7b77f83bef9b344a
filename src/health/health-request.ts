import type { Identity } from '../auth/identity.js';
import { clustersOf, requireClusters } from '../http/cluster-access.js';
import { checkHosts, checkParameters, decodeCursor, limitOf } from '../http/parameters.js';
import { PAGE_ENTRIES_DEFAULT, PAGE_ENTRIES_MAX } from '../model/catalogue.js';
import { clip } from '../model/clip.js';
import { StoreError } from '../model/errors.js';
import {
  HEALTH_DETAILS,
  HOST_STATES,
  METRIC_STATES,
  type HealthDetail,
  type HealthPageRequest,
} from '../model/health.js';

const PARAMETERS: readonly string[] = [
  'cluster',
  'sub-cluster',
  'host',
  'state',
  'metric-state',
  'metric',
  'detail',
  'limit',
  'after',
];
/** Cluster and host. */
const KEY_NAMES = 2;

/**
 * What a page of states is asked with. Where no cluster is named, those that may be asked are meant.
 *
 * @throws StoreError `bad-request` with the name of the parameter and its value, `forbidden`.
 */
export function parseHealthRequest(query: URLSearchParams, identity: Identity): HealthPageRequest {
  checkParameters(query, PARAMETERS);
  const text = (name: string): string => query.get(name) ?? '';
  const hosts = text('host');
  checkHosts('host', hosts);
  const detail = text('detail') || 'metrics';
  checkChoice('detail', detail, HEALTH_DETAILS);
  const clusters = readableClusters(query, identity);
  return {
    detail: detail as HealthDetail,
    cluster: text('cluster'),
    subCluster: text('sub-cluster'),
    hosts,
    states: parseList('state', text('state'), HOST_STATES),
    metricStates: parseList('metric-state', text('metric-state'), METRIC_STATES),
    metric: text('metric'),
    after: decodeCursor(query, KEY_NAMES),
    limit: limitOf(query, PAGE_ENTRIES_DEFAULT, PAGE_ENTRIES_MAX),
    ...(clusters && { clusters: [...clusters] }),
  };
}

/** Of which clusters a client wants to be told, and may; null = of all. */
export function parseEventsRequest(
  query: URLSearchParams,
  identity: Identity,
): ReadonlySet<string> | null {
  checkParameters(query, ['cluster']);
  const clusters = readableClusters(query, identity);
  const cluster = query.get('cluster') ?? '';
  return cluster === '' ? clusters : new Set([cluster]);
}

function readableClusters(query: URLSearchParams, identity: Identity): ReadonlySet<string> | null {
  const cluster = query.get('cluster') ?? '';
  if (cluster !== '') requireClusters(identity, 'query', [cluster]);
  return clustersOf(identity, 'query');
}

function parseList<Name extends string>(
  parameter: string,
  text: string,
  choices: readonly Name[],
): Name[] {
  if (text === '') return [];
  return text.split(',').map((name) => {
    checkChoice(parameter, name, choices);
    return name as Name;
  });
}

function checkChoice(parameter: string, text: string, choices: readonly string[]): void {
  if (choices.includes(text)) return;
  const what = `parameter ${parameter}: "${clip(text)}" is none of ${choices.join(', ')}`;
  throw new StoreError('bad-request', what);
}
