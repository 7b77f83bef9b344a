import { answerJsonText } from '../http/answers.js';
import { requireAllClusters } from '../http/cluster-access.js';
import { checkParameters, wholeNumber } from '../http/parameters.js';
import type { Route } from '../http/route.js';
import { StoreError } from '../model/errors.js';
import { TAIL_LEVELS, type LogTail, type TailLevel } from '../service/log-tail.js';
import type { SlowQueries } from './slow-queries.js';

/** `GET /api/v2/debug/slow-queries` and `/api/v2/debug/log`: what somebody who looks for a mistake wants to see. */
export function debugRoutes(slow: SlowQueries, tail: LogTail): Readonly<Record<string, Route>> {
  const get = (known: readonly string[], answer: (query: URLSearchParams) => object): Route => ({
    methods: ['GET'],
    permission: 'admin',
    isPolled: true,
    run: (exchange, identity) => {
      // Requests of all callers, and lines about all hosts.
      requireAllClusters(identity, 'admin');
      checkParameters(exchange.query, known);
      answerJsonText(exchange, JSON.stringify(answer(exchange.query)));
    },
  });
  return {
    '/api/v2/debug/slow-queries': get([], () => slow.list()),
    '/api/v2/debug/log': get(['level', 'after'], (query) => {
      const range = { least: 0, most: Number.MAX_SAFE_INTEGER, without: 0 };
      return tail.read(levelOf(query.get('level')), wholeNumber(query, 'after', range));
    }),
  };
}

function levelOf(text: string | null): TailLevel {
  if (text === null) return TAIL_LEVELS[0];
  if ((TAIL_LEVELS as readonly string[]).includes(text)) return text as TailLevel;
  const what = `parameter level: "${text.slice(0, 60)}" is none of ${TAIL_LEVELS.join(', ')}`;
  throw new StoreError('bad-request', what);
}
