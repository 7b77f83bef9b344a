import type { Identity } from '../auth/identity.js';
import { StoreError } from '../model/errors.js';
import { answerJson } from './answers.js';
import type { HttpExchange } from './server.js';

/** Who the caller is, and what he may do: by permission its clusters, null for all. */
export function me(exchange: HttpExchange, { name, grants }: Identity): void {
  for (const parameter of exchange.query.keys()) {
    const what = `parameter "${parameter.slice(0, 100)}" is not known here; there are none`;
    throw new StoreError('bad-request', what);
  }
  const permissions = Object.fromEntries(
    [...grants].map(([permission, clusters]) => [permission, clusters && [...clusters].toSorted()]),
  );
  answerJson(exchange, 200, { name, permissions });
}
