import type { Identity } from '../auth/identity.js';
import type { Logger } from '../model/logger.js';
import type { Gate } from './gate.js';
import { withoutSecrets } from './parameters.js';
import type { Route } from './route.js';
import type { HttpExchange } from './server.js';

/**
 * Writes a line to the log for each request to a route that only admins may use, also for those that
 * are refused, whoever refuses them: it goes around all other gates. What is only looked at, again and again, has
 * one if it is refused.
 */
export class AuditGate implements Gate {
  readonly #inner: Gate;
  readonly #log: Logger;

  constructor(inner: Gate, log: Logger) {
    this.#inner = inner;
    this.#log = log;
  }

  admit(exchange: HttpExchange, route: Route, goOn: (identity: Identity) => void): void {
    if (route.permission !== 'admin') {
      this.#inner.admit(exchange, route, goOn);
      return;
    }
    const { method, path, query, peer } = exchange;
    let caller = '';
    exchange.whenAnswered((status) => {
      const fields = { audit: true, caller, ...peer, method, path };
      const parameters = withoutSecrets(query);
      const isRefused = caller === '';
      // Each of these lines would be one more to be shown.
      if (route.isPolled && status === 200) return;
      this.#log.info(
        { ...fields, parameters, status },
        isRefused ? `admin action refused: ${method} ${path}` : `admin action: ${method} ${path}`,
      );
    });
    this.#inner.admit(exchange, route, (identity) => {
      caller = identity.name;
      goOn(identity);
    });
  }
}
