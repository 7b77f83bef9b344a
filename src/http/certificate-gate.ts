import { clientIdentity } from '../auth/client-certificate.js';
import type { Identity } from '../auth/identity.js';
import type { Config } from '../config/config.js';
import { StoreError } from '../model/errors.js';
import { permit, type GateVerifier } from './auth-gate.js';
import { hasCredentials } from './credentials.js';
import type { Gate } from './gate.js';
import type { Route } from './route.js';
import type { HttpExchange } from './server.js';

/**
 * Lets through whose certificate has a role with the permission of a route. Who shows a token or a
 * password goes by that; who has none of them is for the gate behind it, where they are asked for at all.
 */
export class CertificateGate implements Gate {
  readonly #inner: Gate;
  readonly #verifier: Pick<GateVerifier, 'isRequired'>;
  readonly #config: () => Pick<Config, 'auth' | 'transport'>;

  constructor(
    inner: Gate,
    verifier: Pick<GateVerifier, 'isRequired'>,
    config: () => Pick<Config, 'auth' | 'transport'>,
  ) {
    this.#inner = inner;
    this.#verifier = verifier;
    this.#config = config;
  }

  admit(exchange: HttpExchange, route: Route, goOn: (identity: Identity) => void): void {
    const { auth, transport } = this.#config();
    const isAsked = route.permission !== 'public' && hasKeys(transport.clientRoles);
    const showsToken = isAsked && this.#verifier.isRequired && hasCredentials(exchange);
    if (!isAsked || showsToken) {
      this.#inner.admit(exchange, route, goOn);
      return;
    }
    const identity = clientIdentity(exchange.peer, transport, auth.roles);
    if (identity) permit(route, identity, goOn);
    else if (this.#verifier.isRequired) this.#inner.admit(exchange, route, goOn);
    else {
      const what =
        'this needs a client certificate whose name has roles (metricshard.tls.client-roles)';
      throw new StoreError('unauthorized', what);
    }
  }
}

/** Asked for each request: makes no list. */
function hasKeys(roles: object): boolean {
  for (const _name in roles) return true;
  return false;
}
