import type { Limits } from '../config/config.js';
import { StoreError } from '../model/errors.js';
import type { Store } from '../routing/store.js';
import {
  archive,
  checkpoint,
  debug,
  free,
  healthcheck,
  ready,
  status,
  unitMismatches,
} from './admin-routes.js';
import { answerBytes, answerError, answerJson, answerJsonText } from './answers.js';
import { BodyReader, textOf } from './body.js';
import { catalogueRoutes } from './catalogue-routes.js';
import type { Route } from './route.js';
import { selectRoutes } from './select-routes.js';
import { metricsText } from './metrics-text.js';
import type { HttpExchange, HttpHandler, Traffic } from './server.js';
import { write } from './write-route.js';

/** Requests answered, by `path status`. */
export type RequestCounts = ReadonlyMap<string, number>;

const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8';

/** The table of paths and what they do. */
export function makeHandler(store: Store, limits: Limits, traffic: Traffic): HttpHandler {
  const counts = new Map<string, number>();
  const bodies = new BodyReader(limits.collectedBytesMax);
  const textLimit = { bytesMax: limits.queryBodyBytesMax, setting: 'query-body-bytes-max' };
  const withBody =
    (work: (exchange: HttpExchange, body: string) => void) =>
    (exchange: HttpExchange): void =>
      bodies.read(exchange, textLimit, (body) => work(exchange, textOf(body)));
  const query = withBody((exchange, body) => {
    if (body === '') throw new StoreError('bad-request', 'the body is empty; send a query as JSON');
    store.query(body, (answer) => {
      if (answer.ok) answerJsonText(exchange, answer.json);
      else answerError(exchange, answer.error);
    });
  });
  const influx = (exchange: HttpExchange): void => write(exchange, store, bodies, limits, 'influx');
  const routes: Readonly<Record<string, Route>> = {
    '/api/write': {
      methods: ['POST'],
      run: (exchange) => write(exchange, store, bodies, limits, 'summary'),
    },
    '/write': { methods: ['POST'], run: influx },
    '/api/v2/write': { methods: ['POST'], run: influx },
    '/api/query': { methods: ['GET', 'POST'], run: query },
    ...selectRoutes(store, limits, withBody),
    '/api/free': {
      methods: ['POST'],
      run: withBody((exchange, body) => free(exchange, store, body)),
    },
    '/api/debug': { methods: ['GET'], run: (exchange) => debug(exchange, store) },
    '/api/healthcheck': {
      methods: ['GET', 'POST'],
      run: withBody((exchange, body) => healthcheck(exchange, store, body)),
    },
    ...catalogueRoutes(store),
    '/api/v2/admin/checkpoint': {
      methods: ['POST'],
      run: (exchange) => checkpoint(exchange, store),
    },
    '/api/v2/admin/archive': { methods: ['POST'], run: (exchange) => archive(exchange, store) },
    '/api/v2/status': { methods: ['GET'], run: (exchange) => status(exchange, store) },
    '/api/v2/unit-mismatches': {
      methods: ['GET'],
      run: (exchange) => unitMismatches(exchange, store),
    },
    '/api/openapi.json': {
      methods: ['GET'],
      run: (exchange) => answerDescription(exchange),
    },
    '/ping': { methods: ['GET'], run: (exchange) => exchange.respond(204, [], '') },
    '/health': {
      methods: ['GET'],
      run: (exchange) => answerJson(exchange, 200, { status: 'pass', name: 'metricshard' }),
    },
    '/ready': { methods: ['GET'], run: (exchange) => ready(exchange, store) },
    '/metrics': {
      methods: ['GET'],
      run: (exchange) =>
        answerBytes(exchange, {
          contentType: PROMETHEUS,
          body: metricsText(store.status(), counts, traffic, bodies.bytesHeld),
        }),
    },
  };
  return (exchange) => dispatch(exchange, routes, counts);
}

/** The description is large, and few ask for it. */
function answerDescription(exchange: HttpExchange): void {
  import('./openapi.json', { with: { type: 'json' } })
    .then((file) => answerJsonText(exchange, JSON.stringify(file.default)))
    .catch((error: unknown) => answerError(exchange, error));
}

function dispatch(
  exchange: HttpExchange,
  routes: Readonly<Record<string, Route>>,
  counts: Map<string, number>,
): void {
  const route = Object.hasOwn(routes, exchange.path) ? routes[exchange.path] : undefined;
  const counted = route ? exchange.path : 'other';
  exchange.whenAnswered((status) => {
    const key = `${counted} ${status}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  });
  if (!route) {
    const known = Object.keys(routes).join(', ');
    answerError(
      exchange,
      new StoreError('not-found', `there is nothing at ${exchange.path}; known paths: ${known}`),
    );
  } else if (!route.methods.includes(exchange.method)) {
    const allowed = route.methods.join(', ');
    exchange.respond(
      405,
      [
        ['Content-Type', 'application/json'],
        ['Allow', allowed],
      ],
      JSON.stringify({
        status: 'Method Not Allowed',
        error: `${exchange.method} is not possible at ${exchange.path}; use ${allowed}`,
      }),
    );
  } else {
    try {
      route.run(exchange);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      answerError(exchange, error);
    }
  }
}
