import type { Identity } from '../auth/identity.js';
import { StoreError } from '../model/errors.js';
import { RequestTimes } from './request-times.js';
import { answerError, answerThrown } from './answers.js';
import type { Gate } from './gate.js';
import { routeTable, type RouteOptions } from './route-table.js';
import type { Route } from './route.js';
import type { HttpExchange, HttpHandler } from './server.js';

export interface HandlerOptions extends Omit<RouteOptions, 'requests'> {
  /** Where requests are counted; absent: for `/metrics` alone. */
  readonly requests?: RequestTimes;
  /** Told of requests for samples and states that are over; absent: nobody is. */
  readonly slow?: { readonly over: (exchange: HttpExchange) => void };
  readonly gate: Gate;
}

/** Counts requests, and has each answered by its route, if the gate lets it through. */
export function makeHandler({ gate, slow, ...options }: HandlerOptions): HttpHandler {
  const { requests = new RequestTimes() } = options;
  const routes = routeTable({ ...options, requests });
  const around = { requests, gate, slow };
  return (exchange) => dispatch(exchange, routes, around);
}

/** Answers while the store behind the routes starts: the port is open before. */
export const answerStarting: HttpHandler = (exchange) => {
  answerError(
    exchange,
    new StoreError('shard-unavailable', 'the store is starting; send it again in a moment'),
  );
};

function dispatch(
  exchange: HttpExchange,
  routes: Readonly<Record<string, Route>>,
  { requests, gate, slow }: Pick<HandlerOptions, 'gate' | 'slow'> & { requests: RequestTimes },
): void {
  const route = Object.hasOwn(routes, exchange.path) ? routes[exchange.path] : undefined;
  exchange.whenAnswered(requests.of(route ? (route.label ?? exchange.path) : 'other').answered);
  if (!route) {
    const known = Object.keys(routes)
      .filter((path) => routes[path]!.label === undefined)
      .join(', ');
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
    if (slow && route.permission === 'query') exchange.whenOver(slow.over);
    admit(exchange, route, gate);
  }
}

/**
 * A function of its own: should a closure above be held by the exchange, one here that holds the exchange must not
 * share its context. That doubled the work of the collector of garbage.
 */
function admit(exchange: HttpExchange, route: Route, gate: Gate): void {
  try {
    gate.admit(exchange, route, (identity) => run(route, exchange, identity));
  } catch (error) {
    answerThrown(exchange, error);
  }
}

/** The gate may let a request through at once or later. */
function run(route: Route, exchange: HttpExchange, identity: Identity): void {
  exchange.caller = identity.name;
  try {
    route.run(exchange, identity);
  } catch (error) {
    answerThrown(exchange, error);
  }
}
