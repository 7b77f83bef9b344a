import type { Identity } from '../auth/identity.js';
import {
  CATALOGUE_KINDS,
  KEY_PARTS,
  PAGE_ENTRIES_DEFAULT,
  PAGE_ENTRIES_MAX,
  type CatalogueKind,
  type CatalogueRequest,
} from '../model/catalogue.js';
import type { Store } from '../routing/store.js';
import { answerError, answerJsonText } from './answers.js';
import { clustersOf, requireClusters } from './cluster-access.js';
import {
  checkHosts,
  checkParameters,
  decodeCursor,
  encodeCursor,
  isLowPriority,
  limitOf,
} from './parameters.js';
import type { Route } from './route.js';
import type { HttpExchange } from './server.js';

/** Parameters of each list, beside those of its pages. */
const PARAMETERS: Readonly<Record<CatalogueKind, readonly string[]>> = {
  clusters: ['match'],
  metrics: ['cluster', 'match'],
  hosts: ['cluster', 'match', 'sub-cluster'],
  series: ['match', 'cluster', 'host', 'metric', 'type'],
};
const PAGE_PARAMETERS: readonly string[] = ['limit', 'after', 'priority'];

/**
 * `GET /api/v2/clusters`, `/metrics`, `/hosts` and `/series`: what is in memory, page by page. An
 * answer's `next` is the `after` of the next page, null on the last one.
 */
export function catalogueRoutes(store: Store): Readonly<Record<string, Route>> {
  return Object.fromEntries(
    CATALOGUE_KINDS.map((kind) => [
      `/api/v2/${kind}`,
      {
        methods: ['GET'],
        permission: 'query',
        run: (exchange, identity) => list(exchange, store, kind, identity),
      },
    ]),
  );
}

/** Where no cluster is named, those that may be asked are meant. */
function list(exchange: HttpExchange, store: Store, kind: CatalogueKind, identity: Identity): void {
  const request = parseRequest(kind, exchange.query);
  const clusters = clustersOf(identity, 'query');
  if (request.cluster !== '') requireClusters(identity, 'query', [request.cluster]);
  store
    .catalogue(clusters === null ? request : { ...request, clusters: [...clusters] })
    .then(({ entries, next }) => {
      const page = { [kind]: entries, next: next && encodeCursor(next) };
      answerJsonText(exchange, JSON.stringify(page));
    })
    .catch((error: unknown) => answerError(exchange, error));
}

/** Throws `bad-request` with the name of the parameter and its value. */
function parseRequest(kind: CatalogueKind, query: URLSearchParams): CatalogueRequest {
  checkParameters(query, [...PARAMETERS[kind], ...PAGE_PARAMETERS]);
  const text = (name: string): string => query.get(name) ?? '';
  const hostsParameter = kind === 'hosts' ? 'match' : 'host';
  const hosts = text(hostsParameter);
  checkHosts(hostsParameter, hosts);
  return {
    kind,
    cluster: text('cluster'),
    match: kind === 'hosts' ? '' : text('match'),
    hosts,
    metric: text('metric'),
    type: text('type'),
    subCluster: text('sub-cluster'),
    after: decodeCursor(query, KEY_PARTS[kind].length),
    limit: limitOf(query, PAGE_ENTRIES_DEFAULT, PAGE_ENTRIES_MAX),
    isLow: isLowPriority(query),
  };
}
