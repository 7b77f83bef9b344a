import type { Callers } from '../auth/callers.js';
import { ANYONE, type Identity } from '../auth/identity.js';
import { TokenError } from '../auth/token-error.js';
import type { Limits } from '../config/config.js';
import { StoreError } from '../model/errors.js';
import { answerThrown } from './answers.js';
import { BodyBudget } from './body-budget.js';
import { credentialsOf } from './credentials.js';
import type { Gate } from './gate.js';
import { HeldBody } from './held-body.js';
import type { Route } from './route.js';
import type { HttpExchange } from './server.js';

/** What a gate needs to know who comes. */
export type GateVerifier = Pick<Callers, 'isRequired' | 'verify' | 'refuse'>;

/** Lets through who has the permission of a route. Where there is no user and no key, that is anyone. */
export class AuthGate implements Gate {
  readonly #verifier: GateVerifier;
  readonly #budget: BodyBudget;

  /** `limits` bound what is held of bodies while tokens and passwords are checked. */
  constructor(verifier: GateVerifier, limits: Pick<Limits, 'collectedBytesMax'>) {
    this.#budget = new BodyBudget(limits);
    this.#verifier = verifier;
  }

  admit(exchange: HttpExchange, route: Route, goOn: (identity: Identity) => void): void {
    const verifier = this.#verifier;
    if (route.permission === 'public' || !verifier.isRequired) {
      goOn(ANYONE);
      return;
    }
    const credentials = credentialsOf(exchange);
    if (credentials.token === '') throw verifier.refuse(missing());
    const identity = verifier.verify(credentials, exchange);
    // Fast path: the token or password is known.
    if (!(identity instanceof Promise)) permit(route, identity, goOn);
    else {
      const body = new HeldBody(exchange, this.#budget);
      const release = (work: () => void): void => body.release(() => told(exchange, work));
      identity.then(
        (verified) => release(() => permit(route, verified, goOn)),
        (error: unknown) => release(() => refuse(error)),
      );
    }
  }
}

/** @throws StoreError `forbidden` if an identity has not the permission of a route. */
export function permit(
  { permission }: Route,
  identity: Identity,
  goOn: (identity: Identity) => void,
): void {
  if (permission !== 'public' && !identity.grants.has(permission)) {
    const what = `this needs the permission "${permission}", which the caller does not have`;
    throw new StoreError('forbidden', what);
  }
  goOn(identity);
}

function missing(): TokenError {
  const ways =
    'name and password as Basic; or a token as "Authorization: Bearer …", "Authorization: Token …", ' +
    '"X-Auth-Token: …", or as the password of Basic';
  return new TokenError('missing', `this needs to know who asks; send ${ways}`);
}

function refuse(error: unknown): never {
  throw error;
}

function told(exchange: HttpExchange, work: () => void): void {
  try {
    work();
  } catch (error) {
    answerThrown(exchange, error);
  }
}
