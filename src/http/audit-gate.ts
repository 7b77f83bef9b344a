import type { Identity } from '../auth/identity.js';
import type { Logger } from '../model/logger.js';
import type { Gate } from './gate.js';
import type { Route } from './route.js';
import type { HttpExchange } from './server.js';

const PARAMETERS_MAX = 20;
const VALUE_CHARS_MAX = 200;
/** Names of parameters that may hold secrets, `p` is InfluxDB's password. */
const SECRET = /^(p|sig|signature)$|pass|token|secret|jwt|auth|key/i;

/**
 * Writes a line to the log for each request to a route that only admins may use, also for those that
 * are refused, whoever refuses them: it goes around all other gates.
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

function withoutSecrets(query: URLSearchParams): Record<string, string> {
  const parameters = [...query].slice(0, PARAMETERS_MAX);
  return Object.fromEntries(
    parameters.map(([name, value]) => [
      name.slice(0, VALUE_CHARS_MAX),
      SECRET.test(name) ? '***' : value.slice(0, VALUE_CHARS_MAX),
    ]),
  );
}
