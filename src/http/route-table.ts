import type { Identity } from '../auth/identity.js';
import type { Limits } from '../config/config.js';
import { StoreError } from '../model/errors.js';
import { parseQueryRequest } from '../model/query-request.js';
import type { Store } from '../routing/store.js';
import type { RequestTimes } from './request-times.js';
import {
  archive,
  checkpoint,
  debug,
  free,
  healthcheck,
  ready,
  unitMismatches,
} from './admin-routes.js';
import { answerBytes, answerError, answerJson, answerJsonText } from './answers.js';
import { BodyReader, textOf } from './body.js';
import { requireAllClusters, requireClusters } from './cluster-access.js';
import { catalogueRoutes } from './catalogue-routes.js';
import { configRoutes, type ConfigAdmin } from './config-routes.js';
import { me } from './me-route.js';
import { debugRoutes } from './debug-routes.js';
import { metricsText } from './metrics-text.js';
import type { ProgramPart } from './program-part.js';
import type { Route } from './route.js';
import { selectRoutes, type WithBody } from './select-routes.js';
import type { HttpExchange, Traffic } from './server.js';
import { statusText, type OwnStatus } from './status-text.js';
import { write } from './write-route.js';

/** What requests are answered with. */
export interface RouteOptions {
  readonly store: Store;
  /** Read anew for each request: they may change. */
  readonly limits: Limits;
  readonly traffic: Traffic;
  /** What was answered so far. */
  readonly requests: RequestTimes;
  /** What else there is to tell in `/api/v2/status` and `/metrics`. */
  readonly parts: readonly ProgramPart[];
  /** The configuration, where it can change; absent: there are no paths for it. */
  readonly config?: ConfigAdmin;
  /** The store as a process, and what is wrong with it. */
  readonly own?: OwnStatus;
}

type Routes = Readonly<Record<string, Route>>;
type Run = Route['run'];

const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8';

/** All paths and what they do. */
export function routeTable(options: RouteOptions): Routes {
  const { store, limits } = options;
  const bodies = new BodyReader(limits);
  const withBody: WithBody = (work) => (exchange, identity) => {
    const limit = { bytesMax: limits.queryBodyBytesMax, setting: 'query-body-bytes-max' };
    bodies.read(exchange, limit, (body) => {
      const text = textOf(body);
      exchange.text = text;
      work(exchange, text, identity);
    });
  };
  return {
    ...writeRoutes(options, bodies),
    ...queryRoutes(options, withBody),
    ...catalogueRoutes(store),
    ...adminRoutes(options, withBody),
    ...debugRoutes(store),
    ...(options.config ? configRoutes(options.config, withBody) : {}),
    ...publicRoutes(options, bodies),
    ...Object.assign({}, ...options.parts.map((part) => part.routes)),
  };
}

function writeRoutes({ store, limits }: RouteOptions, bodies: BodyReader): Routes {
  const influx: Run = (exchange, identity) =>
    write(exchange, store, bodies, limits, 'influx', identity);
  return {
    '/api/write': {
      methods: ['POST'],
      permission: 'write',
      run: (exchange, identity) => write(exchange, store, bodies, limits, 'summary', identity),
    },
    '/write': { methods: ['POST'], permission: 'write', run: influx },
    '/api/v2/write': { methods: ['POST'], permission: 'write', run: influx },
  };
}

function queryRoutes({ store, limits, parts, own }: RouteOptions, withBody: WithBody): Routes {
  return {
    '/api/query': {
      methods: ['GET', 'POST'],
      permission: 'query',
      run: withBody((exchange, body, identity) => query(exchange, store, body, identity)),
    },
    ...selectRoutes(store, limits, withBody),
    '/api/healthcheck': {
      methods: ['GET', 'POST'],
      permission: 'query',
      run: withBody((exchange, body, identity) => healthcheck(exchange, store, body, identity)),
    },
    '/api/v2/me': { methods: ['GET'], permission: 'query', run: me },
    '/api/v2/status': {
      methods: ['GET'],
      permission: 'query',
      run: (exchange) => answerJsonText(exchange, statusText(store, parts, own)),
    },
    '/api/v2/unit-mismatches': {
      methods: ['GET'],
      permission: 'query',
      run: (exchange, identity) => unitMismatches(exchange, store, identity),
    },
  };
}

function adminRoutes({ store }: RouteOptions, withBody: WithBody): Routes {
  return {
    '/api/free': {
      methods: ['POST'],
      permission: 'admin',
      run: withBody((exchange, body, identity) => free(exchange, store, body, identity)),
    },
    '/api/debug': {
      methods: ['GET'],
      permission: 'admin',
      run: (exchange, identity) => debug(exchange, store, identity),
    },
    '/api/v2/admin/checkpoint': {
      methods: ['POST'],
      permission: 'admin',
      run: ofAllClusters((exchange) => checkpoint(exchange, store)),
    },
    '/api/v2/admin/archive': {
      methods: ['POST'],
      permission: 'admin',
      run: ofAllClusters((exchange) => archive(exchange, store)),
    },
  };
}

/** For what concerns all clusters. */
function ofAllClusters(run: Run): Run {
  return (exchange, identity) => {
    requireAllClusters(identity, 'admin');
    run(exchange, identity);
  };
}

function publicRoutes(options: RouteOptions, bodies: BodyReader): Routes {
  const { store, parts, own } = options;
  const metrics: Run = (exchange) => {
    const text = metricsText({ ...options, collectedBytes: bodies.bytesHeld });
    const body = text + parts.map((part) => part.metrics()).join('');
    answerBytes(exchange, { contentType: PROMETHEUS, body });
  };
  const get = (run: Run): Route => ({ methods: ['GET'], permission: 'public', run });
  return {
    '/api/openapi.json': get(answerDescription),
    '/ping': get((exchange) => exchange.respond(204, [], '')),
    '/health': get((exchange) => answerHealth(exchange, own)),
    '/ready': get((exchange) => ready(exchange, store)),
    '/metrics': get(metrics),
  };
}

/** 200 whatever is wrong, since balancers would take the store away; anyone may know of which parts it is. */
function answerHealth(exchange: HttpExchange, own: OwnStatus | undefined): void {
  const problems = [...new Set(own?.allProblems().map(({ part }) => part))];
  const status = problems.length > 0 ? 'warn' : 'pass';
  answerJson(exchange, 200, { status, name: 'metricshard', problems });
}

function query(exchange: HttpExchange, store: Store, body: string, identity: Identity): void {
  if (body === '') throw new StoreError('bad-request', 'the body is empty; send a query as JSON');
  // Others' queries are read by the shards alone.
  if (identity.grants.get('query') !== null) {
    requireClusters(identity, 'query', [parseQueryRequest(body).cluster]);
  }
  store.query(body, (answer) => {
    if (answer.ok) answerJsonText(exchange, answer.json);
    else answerError(exchange, answer.error);
  });
}

/** The description is large, and few ask for it. */
function answerDescription(exchange: HttpExchange): void {
  import('./openapi.json', { with: { type: 'json' } })
    .then((file) => answerJsonText(exchange, JSON.stringify(file.default)))
    .catch((error: unknown) => answerError(exchange, error));
}
