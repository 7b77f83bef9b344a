import type { Identity } from '../auth/identity.js';
import { clip } from '../model/clip.js';
import { StoreError } from '../model/errors.js';
import { INSPECTED_ENTRIES_DEFAULT, INSPECTED_ENTRIES_MAX } from '../model/inspection.js';
import type { Store } from '../routing/store.js';
import { answerError, answerJsonText } from './answers.js';
import { clustersOf, requireAllClusters, requireClusters } from './cluster-access.js';
import { checkParameters, limitOf } from './parameters.js';
import type { Route } from './route.js';
import type { HttpExchange } from './server.js';

/** Names of a path at most: cluster, host, type, sub-type. */
const PATH_LEVELS_MAX = 4;
const PAGE = ['limit', 'after'];

type Answer = (exchange: HttpExchange, store: Store, identity: Identity) => Promise<object>;

/**
 * `GET /api/v2/debug/levels`, `/blocks`, `/prefixes`, `/rejected`: what lies in memory, for those who look
 * for a mistake. An answer's `next` is the `after` of the next page, null on the last one.
 */
export function debugRoutes(store: Store): Readonly<Record<string, Route>> {
  const get = (answer: Answer): Route => ({
    methods: ['GET'],
    permission: 'admin',
    isPolled: true,
    run: (exchange, identity) => {
      answer(exchange, store, identity)
        .then((page) => answerJsonText(exchange, JSON.stringify(page)))
        .catch((error: unknown) => answerError(exchange, error));
    },
  });
  return {
    '/api/v2/debug/levels': get(levels),
    '/api/v2/debug/blocks': get(blocks),
    '/api/v2/debug/prefixes': get(prefixes),
    '/api/v2/debug/rejected': get(rejected),
  };
}

async function levels({ query }: HttpExchange, store: Store, identity: Identity): Promise<object> {
  checkParameters(query, ['level', ...PAGE], ['level']);
  const path = pathOf(query, identity);
  const clusters = clustersOf(identity, 'admin');
  const inspection = await store.inspection();
  const request = { kind: 'levels', path, ...pageOf(query) } as const;
  return inspection.levels(clusters === null ? request : { ...request, clusters: [...clusters] });
}

async function blocks({ query }: HttpExchange, store: Store, identity: Identity): Promise<object> {
  checkParameters(query, ['level', 'metric', ...PAGE], ['level']);
  const path = pathOf(query, identity);
  const metric = query.get('metric') ?? '';
  if (path.length < 2 || metric === '') {
    const what = 'a series has a level of two names or more and a metric';
    throw new StoreError('bad-request', `${what}: ?level=CLUSTER&level=HOST&metric=NAME`);
  }
  const inspection = await store.inspection();
  return inspection.blocks({ kind: 'blocks', path, metric, ...pageOf(query) });
}

/** Lines may be of any cluster. */
async function prefixes(
  { query }: HttpExchange,
  store: Store,
  identity: Identity,
): Promise<object> {
  requireAllClusters(identity, 'admin');
  checkParameters(query, ['shard', 'contains', ...PAGE]);
  const shard = query.get('shard') ?? '0';
  if (!/^\d{1,4}$/.test(shard)) {
    throw new StoreError('bad-request', `parameter shard: "${clip(shard)}" is not a number`);
  }
  const inspection = await store.inspection();
  const contains = query.get('contains') ?? '';
  return inspection.prefixes(Number(shard), { kind: 'prefixes', contains, ...pageOf(query) });
}

async function rejected(
  { query }: HttpExchange,
  store: Store,
  identity: Identity,
): Promise<object> {
  requireAllClusters(identity, 'admin');
  checkParameters(query, []);
  return { rejected: store.rejectedLines.list() };
}

function pathOf(query: URLSearchParams, identity: Identity): string[] {
  const path = query.getAll('level');
  if (path.length > PATH_LEVELS_MAX) {
    const what = `parameter level is there ${path.length} times, and no level is so deep`;
    throw new StoreError('bad-request', `${what}: at most ${PATH_LEVELS_MAX}`);
  }
  if (path.length > 0) requireClusters(identity, 'admin', [path[0]!]);
  return path;
}

function pageOf(query: URLSearchParams): { readonly after: string; readonly limit: number } {
  return {
    after: query.get('after') ?? '',
    limit: limitOf(query, INSPECTED_ENTRIES_DEFAULT, INSPECTED_ENTRIES_MAX),
  };
}
