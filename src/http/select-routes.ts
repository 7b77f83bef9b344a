import type { Identity } from '../auth/identity.js';
import type { Limits } from '../config/config.js';
import type { Selections, Store } from '../routing/store.js';
import { answerError } from './answers.js';
import type { Route } from './route.js';
import type * as Answers from './select-answers.js';
import type { HttpExchange } from './server.js';

/** Makes of what answers a body what answers an exchange: it is read first. */
export type WithBody = (
  work: (exchange: HttpExchange, body: string, identity: Identity) => void,
) => Route['run'];

interface Loaded {
  readonly answers: typeof Answers;
  readonly selections: Selections;
}

/**
 * `POST /api/v2/query` and `POST /api/v2/job-stats`. What answers them is loaded for the first request:
 * a store that is only asked by the older interface has no use for it.
 */
export function selectRoutes(
  store: Store,
  limits: Limits,
  withBody: WithBody,
): Readonly<Record<string, Route>> {
  let loading: Promise<Loaded> | undefined;
  const route = (
    answer: (loaded: Loaded, exchange: HttpExchange, body: string, identity: Identity) => void,
  ): Route => ({
    methods: ['POST'],
    permission: 'query',
    run: withBody((exchange, body, identity) => {
      (loading ??= load(store))
        .then((loaded) => answer(loaded, exchange, body, identity))
        .catch((error: unknown) => answerError(exchange, error));
    }),
  });
  return {
    '/api/v2/query': route(({ answers, selections }, exchange, body, identity) =>
      answers.select(exchange, store, selections, limits, body, identity),
    ),
    '/api/v2/job-stats': route(({ answers }, exchange, body, identity) =>
      answers.jobStats(exchange, store, limits, body, identity),
    ),
  };
}

async function load(store: Store): Promise<Loaded> {
  const [answers, selections] = await Promise.all([
    import('./select-answers.js'),
    store.selections(),
  ]);
  return { answers, selections };
}
