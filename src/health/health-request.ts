import type { Identity } from '../auth/identity.js';
import { clustersOf, requireClusters } from '../http/cluster-access.js';
import { LISTED_HOSTS_MAX, PAGE_ENTRIES_DEFAULT, PAGE_ENTRIES_MAX } from '../model/catalogue.js';
import { StoreError } from '../model/errors.js';
import {
  HEALTH_DETAILS,
  HOST_STATES,
  METRIC_STATES,
  type HealthDetail,
  type HealthPageRequest,
} from '../model/health.js';
import { countHostList } from '../model/host-list.js';

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
const CLIP_CHARS = 60;

/**
 * What a page of states is asked with. Where no cluster is named, those that may be asked are meant.
 *
 * @throws StoreError `bad-request` with the name of the parameter and its value, `forbidden`.
 */
export function parseHealthRequest(query: URLSearchParams, identity: Identity): HealthPageRequest {
  checkNames(query, PARAMETERS);
  const text = (name: string): string => query.get(name) ?? '';
  const hosts = text('host');
  if (hosts !== '') checkHosts(hosts);
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
    after: decodeCursor(text('after')),
    limit: parseLimit(text('limit')),
    ...(clusters && { clusters: [...clusters] }),
  };
}

/** Of which clusters a client wants to be told, and may; null = of all. */
export function parseEventsRequest(
  query: URLSearchParams,
  identity: Identity,
): ReadonlySet<string> | null {
  checkNames(query, ['cluster']);
  const clusters = readableClusters(query, identity);
  const cluster = query.get('cluster') ?? '';
  return cluster === '' ? clusters : new Set([cluster]);
}

function readableClusters(query: URLSearchParams, identity: Identity): ReadonlySet<string> | null {
  const cluster = query.get('cluster') ?? '';
  if (cluster !== '') requireClusters(identity, 'query', [cluster]);
  return clustersOf(identity, 'query');
}

function checkNames(query: URLSearchParams, known: readonly string[]): void {
  for (const name of new Set(query.keys())) {
    if (!known.includes(name)) {
      const what = `parameter "${clip(name)}" is not known here; known are ${known.join(', ')}`;
      throw new StoreError('bad-request', what);
    }
    if (query.getAll(name).length > 1) {
      throw new StoreError('bad-request', `parameter ${name} is there more than once`);
    }
  }
}

function checkHosts(hosts: string): void {
  let count: number;
  try {
    count = countHostList(hosts);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new StoreError(error.code, `parameter host: ${error.message}`);
  }
  if (count <= LISTED_HOSTS_MAX) return;
  const what = `"${clip(hosts)}" is more than ${LISTED_HOSTS_MAX} hosts; use a pattern such as a01*`;
  throw new StoreError('limit-exceeded', `parameter host: ${what}`);
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

function parseLimit(text: string): number {
  if (text === '') return PAGE_ENTRIES_DEFAULT;
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= PAGE_ENTRIES_MAX) return limit;
  const what = `parameter limit: "${clip(text)}" is not a number from 1 to ${PAGE_ENTRIES_MAX}`;
  throw new StoreError('bad-request', what);
}

/** A key as text that needs no escapes in a URL. Nobody is meant to look into it. */
export function encodeCursor(key: readonly string[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

function decodeCursor(text: string): readonly string[] {
  if (text === '') return [];
  try {
    const key: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    const isKey = Array.isArray(key) && key.length === 2;
    if (isKey && key.every((part) => typeof part === 'string')) return key;
  } catch {
    // Not even JSON: told below.
  }
  const what = `parameter after: "${clip(text)}" is not what \`next\` of a page was`;
  throw new StoreError('bad-request', what);
}

function clip(text: string): string {
  return text.length > CLIP_CHARS ? `${text.slice(0, CLIP_CHARS - 1)}…` : text;
}
