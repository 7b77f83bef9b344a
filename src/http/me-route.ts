import type { Identity } from '../auth/identity.js';
import { answerJson } from './answers.js';
import { checkParameters } from './parameters.js';
import type { HttpExchange } from './server.js';

/** Who the caller is, and what he may do: by permission its clusters, null for all. */
export function me(exchange: HttpExchange, { name, grants }: Identity): void {
  checkParameters(exchange.query, []);
  const permissions = Object.fromEntries(
    [...grants].map(([permission, clusters]) => [permission, clusters && [...clusters].toSorted()]),
  );
  answerJson(exchange, 200, { name, permissions });
}
