import { ANYONE, type Identity } from '../auth/identity.js';
import type { Limits } from '../config/config.js';
import { StoreError } from '../model/errors.js';
import type { Gate } from './gate.js';
import { metricFamily } from './metric-family.js';
import type { ProgramPart } from './program-part.js';
import { reasonPhrase } from './reason-phrases.js';
import { RequestRates } from './request-rates.js';
import type { Route } from './route.js';
import type { HttpExchange } from './server.js';

/**
 * Limits the rate of requests of each identity that another gate lets through, and of each address
 * where that does not know who it is. What is refused is answered 429 before any of it is read.
 */
export class RateGate implements Gate, ProgramPart {
  readonly name = 'rates';
  readonly #inner: Gate;
  readonly #limits: Limits;
  readonly #rates: RequestRates;
  #refused = 0;

  constructor(inner: Gate, limits: Limits, now: () => number = () => performance.now()) {
    this.#inner = inner;
    this.#limits = limits;
    this.#rates = new RequestRates(limits, now);
  }

  admit(exchange: HttpExchange, route: Route, goOn: (identity: Identity) => void): void {
    // Fast path.
    if (this.#limits.requestsPerSecondMax === 0) {
      this.#inner.admit(exchange, route, goOn);
      return;
    }
    // Found out now: when `goOn` is called, the client may be gone.
    const address = exchange.peer.remoteAddress;
    this.#inner.admit(exchange, route, (identity) => {
      const isKnown = identity.name !== ANYONE.name;
      const waitSec = this.#rates.take(isKnown ? `name ${identity.name}` : `address ${address}`);
      if (waitSec === 0) goOn(identity);
      else this.#refuse(exchange, waitSec);
    });
  }

  status(): object {
    return { callers: this.#rates.callers, refused: this.#refused };
  }

  metrics(): string {
    return metricFamily(
      'requests_over_rate_total',
      'counter',
      'Requests answered 429, as their caller sent more than requests-per-second-max.',
      this.#refused,
    );
  }

  #refuse(exchange: HttpExchange, waitSec: number): void {
    this.#refused++;
    const { requestsPerSecondMax, requestBurstMax } = this.#limits;
    const { status, message } = new StoreError(
      'too-many-requests',
      `more than requests-per-second-max (${requestsPerSecondMax}) requests, beyond ` +
        `request-burst-max (${requestBurstMax}) at once; nothing was taken, send it again later`,
    );
    exchange.respond(
      status,
      [
        ['Content-Type', 'application/json'],
        ['Retry-After', String(Math.ceil(waitSec))],
      ],
      JSON.stringify({ status: reasonPhrase(status), error: message }),
    );
  }
}
