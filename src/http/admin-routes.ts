import type { Identity } from '../auth/identity.js';
import { StoreError } from '../model/errors.js';
import type { HealthRequest, Store } from '../routing/store.js';
import { answerError, answerJson, answerJsonText, answerText } from './answers.js';
import { clustersOf, requireClusters } from './cluster-access.js';
import type { HttpExchange } from './server.js';

/** POST /api/free?to=T with a list of selectors; with `preview=true` it only tells what would go. */
export function free(exchange: HttpExchange, store: Store, body: string, identity: Identity): void {
  const to = exchange.query.get('to');
  if (to === null || to === '') {
    throw new StoreError('bad-request', "'to' is a required query parameter (Unix seconds)");
  }
  if (!/^-?\d{1,15}$/.test(to)) {
    throw new StoreError('bad-request', `parameter to: "${to}" is not an integer (Unix seconds)`);
  }
  const selectors = parseJson(body);
  if (!Array.isArray(selectors)) throw notSelectors(selectors);
  for (const selector of selectors as unknown[]) {
    if (!Array.isArray(selector) || !selector.every((name) => typeof name === 'string')) {
      throw notSelectors(selector);
    }
  }
  const named = (selectors as string[][]).map(([cluster = '']) => cluster);
  requireClusters(identity, 'admin', named);
  if (isPreview(exchange.query)) {
    store
      .inspection()
      .then((inspection) => inspection.previewFree(selectors as string[][], Number(to)))
      .then((preview) => answerJson(exchange, 200, preview))
      .catch((error: unknown) => answerError(exchange, error));
    return;
  }
  store
    .free(selectors as string[][], Number(to))
    .then((freed) => answerText(exchange, 200, `buffers freed: ${freed}\n`))
    .catch((error: unknown) => answerError(exchange, error));
}

/** A word that is not understood must not free anything. */
function isPreview(query: URLSearchParams): boolean {
  const words = query.getAll('preview');
  if (words.length === 0 || (words.length === 1 && words[0] === 'false')) return false;
  if (words.length === 1 && words[0] === 'true') return true;
  const found = words.map(clip).join(' and ');
  throw new StoreError('bad-request', `parameter preview: ${found} is not true or false`);
}

function notSelectors(found: unknown): StoreError {
  return new StoreError(
    'bad-request',
    `the body must be a list of selectors such as [["alex","a0100"]], found ${clip(found)}`,
  );
}

/** GET /api/debug?selector=a:b:c */
export function debug(exchange: HttpExchange, store: Store, identity: Identity): void {
  const text = exchange.query.get('selector') ?? '';
  const selector = text === '' ? [] : text.split(':');
  const clusters = clustersOf(identity, 'admin');
  if (selector.length > 0) requireClusters(identity, 'admin', [selector[0]!]);
  const isWhole = clusters === null || selector.length > 0;
  store
    .debug(selector)
    .then((json) => answerJsonText(exchange, isWhole ? json : onlyClusters(json, clusters)))
    .catch((error: unknown) => answerError(exchange, error));
}

/** The tree of the whole store without the clusters that are not for the caller. */
function onlyClusters(json: string, clusters: ReadonlySet<string>): string {
  const tree = JSON.parse(json) as { children?: Record<string, object> };
  const children = Object.entries(tree.children ?? {}).filter(([name]) => clusters.has(name));
  return JSON.stringify({ ...tree, children: Object.fromEntries(children) });
}

/** GET or POST /api/healthcheck */
export function healthcheck(
  exchange: HttpExchange,
  store: Store,
  body: string,
  identity: Identity,
): void {
  const request = parseHealthRequest(body);
  requireClusters(identity, 'query', [request.cluster]);
  store
    .health(request)
    .then((nodes) => {
      const answer = Object.entries(nodes).map(([node, { state, metrics }]) => [
        node,
        { State: state, HealthMetrics: metrics ? JSON.stringify(metrics) : '' },
      ]);
      answerJsonText(exchange, JSON.stringify(Object.fromEntries(answer)));
    })
    .catch((error: unknown) => answerError(exchange, error));
}

function parseHealthRequest(body: string): HealthRequest {
  const fields = parseJson(body);
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    throw new StoreError('bad-request', `the body must be a JSON object, found ${clip(fields)}`);
  }
  let cluster = '';
  let nodes: readonly string[] = [];
  let metricNames: readonly string[] = [];
  for (const [key, value] of Object.entries(fields)) {
    if (key === 'cluster' && typeof value === 'string') cluster = value;
    else if (key === 'nodes') nodes = names(key, value);
    else if (key === 'metric-names') metricNames = names(key, value);
    else if (key === 'cluster') {
      throw new StoreError('bad-request', `cluster: ${clip(value)} is not a string`);
    } else {
      throw new StoreError(
        'bad-request',
        `unknown field "${key}"; known are cluster, nodes and metric-names`,
      );
    }
  }
  return { cluster, nodes, metricNames };
}

function names(key: string, value: unknown): readonly string[] {
  if (value === null) return [];
  if (Array.isArray(value) && value.every((name) => typeof name === 'string')) return value;
  throw new StoreError('bad-request', `${key}: ${clip(value)} is not a list of strings`);
}

/** GET /ready: 503 until every shard serves; how far is what they wait for. */
export function ready(exchange: HttpExchange, store: Store): void {
  const { ready: areReady, shards, mirror } = store.status();
  answerJson(exchange, areReady ? 200 : 503, {
    ready: areReady,
    ...(mirror?.state === 'downloading' && {
      download: {
        location: mirror.location,
        bytes: mirror.downloadedBytes,
        bytesTotal: mirror.downloadBytes,
        problem: mirror.problem,
      },
    }),
    shards: shards.map(({ index, ready: isReady, restarts, counters }) => ({
      shard: index,
      ready: isReady,
      restarts,
      ...(!isReady && {
        restoredBytes: counters['restored_bytes_current'],
        restoreBytes: counters['restore_bytes_current'],
        importedBytes: counters['imported_bytes_current'],
        importBytes: counters['import_bytes_current'],
        importedSamples: counters['imported_samples_total'],
      }),
    })),
  });
}

/** POST /api/v2/admin/checkpoint: makes one now, and tells what it came to. */
export function checkpoint(exchange: HttpExchange, store: Store): void {
  answerSummaries(exchange, store.checkpoint());
}

/** POST /api/v2/admin/archive: archives what is past the retention, and tells what it came to. */
export function archive(exchange: HttpExchange, store: Store): void {
  answerSummaries(exchange, store.archive());
}

function answerSummaries(exchange: HttpExchange, summaries: Promise<readonly object[]>): void {
  summaries
    .then((shards) =>
      answerJson(exchange, 200, {
        status: 'OK',
        shards: shards.map((summary, shard) => ({ shard, ...summary })),
      }),
    )
    .catch((error: unknown) => answerError(exchange, error));
}

/** GET /api/v2/unit-mismatches?cluster=C&host=H&metric=M: what came in a unit that can not be converted. */
export function unitMismatches(exchange: HttpExchange, store: Store, identity: Identity): void {
  const of = (name: string): string | undefined => exchange.query.get(name) || undefined;
  const cluster = of('cluster');
  const clusters = clustersOf(identity, 'query');
  if (cluster !== undefined) requireClusters(identity, 'query', [cluster]);
  store
    .unitMismatches({ cluster, host: of('host'), metric: of('metric') })
    .then(({ mismatches, linesNotListed }) => {
      const listed = mismatches.filter((one) => clusters?.has(one.cluster) ?? true);
      answerJsonText(exchange, JSON.stringify({ mismatches: listed, linesNotListed }));
    })
    .catch((error: unknown) => answerError(exchange, error));
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    const why = body.trim() === '' ? 'it is empty' : (error as Error).message;
    throw new StoreError('bad-request', `parsing request body failed: ${why}`);
  }
}

function clip(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 60) ?? 'nothing';
}
