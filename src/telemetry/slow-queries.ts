import { metricFamily } from '../http/metric-family.js';
import { withoutSecrets } from '../http/parameters.js';
import type { HttpExchange } from '../http/server.js';
import type { Logger } from '../model/logger.js';

/** So many are enough to see what they have in common. */
export const SLOW_QUERIES_MAX = 100;
/** A request may be a megabyte; what it asks for stands at its beginning. */
export const REQUEST_CHARS_MAX = 2000;

/** A request that took long. */
export interface SlowQuery {
  /** When it was over. */
  readonly timeSec: number;
  /** From its first byte until the last of the answer was given away. */
  readonly milliseconds: number;
  readonly path: string;
  readonly caller: string;
  readonly status: number;
  /** Of the answer, as it was sent. */
  readonly bytes: number;
  /** Its body, or its parameters where it has none. */
  readonly request: string;
}

/**
 * Keeps the newest requests that took long. Those that are under way carry their text themselves, as they do
 * anyway: of what is fast nothing is copied.
 */
export class SlowQueries {
  readonly #thresholdMs: () => number;
  readonly #log: Pick<Logger, 'debug'>;
  readonly #kept: SlowQuery[] = [];
  #count = 0;

  /** @param thresholdMs 0 = none is kept. Read anew for each request. */
  constructor(thresholdMs: () => number, log: Pick<Logger, 'debug'>) {
    this.#thresholdMs = thresholdMs;
    this.#log = log;
  }

  /** To be given to `whenOver`: one function for all requests. */
  readonly over = (exchange: HttpExchange): void => {
    const thresholdMs = this.#thresholdMs();
    const milliseconds = performance.now() - exchange.beganMs;
    if (thresholdMs === 0 || milliseconds < thresholdMs || exchange.staysOpen) return;
    this.#keep(exchange, milliseconds);
  };

  /** Newest first. */
  list(): object {
    return { thresholdMs: this.#thresholdMs(), queries: this.#kept.toReversed() };
  }

  metrics(): string {
    const help = 'Requests for samples and states that took longer than slow-query-ms.';
    return metricFamily('slow_queries_total', 'counter', help, this.#count);
  }

  #keep(exchange: HttpExchange, milliseconds: number): void {
    const { path, caller, status, answeredBytes: bytes, text, query } = exchange;
    const asked = text === '' ? new URLSearchParams(withoutSecrets(query)).toString() : text;
    const slow: SlowQuery = {
      timeSec: Math.round(Date.now() / 1000),
      milliseconds: Math.round(milliseconds * 10) / 10,
      path,
      caller,
      status,
      bytes,
      // Through bytes: a part of a string would keep all of it.
      request: Buffer.from(asked.slice(0, REQUEST_CHARS_MAX)).toString(),
    };
    this.#count++;
    this.#kept.push(slow);
    if (this.#kept.length > SLOW_QUERIES_MAX) this.#kept.shift();
    const took = `${Math.round(milliseconds)} ms`;
    this.#log.debug({ ...slow }, `slow query: ${path} took ${took}`);
  }
}
