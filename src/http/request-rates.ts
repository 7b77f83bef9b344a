import type { Limits } from '../config/config.js';

type RateLimits = Pick<Limits, 'requestsPerSecondMax' | 'requestBurstMax' | 'callersMax'>;

interface Bucket {
  /** Requests that may still come at once, at `atMs`. */
  left: number;
  atMs: number;
}

/**
 * How many requests each caller may still send: a token bucket for each, which is full at
 * `request-burst-max` and gains `requests-per-second-max` a second. Limits are read at each request.
 * Of more than `callers-max` callers the one that is silent for longest is forgotten, and begins anew
 * with a full bucket.
 */
export class RequestRates {
  readonly #limits: RateLimits;
  readonly #now: () => number;
  /** In the order of their last request, the newest last. */
  readonly #buckets = new Map<string, Bucket>();

  /** `now` in milliseconds; it must not go back. */
  constructor(limits: RateLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  get callers(): number {
    return this.#buckets.size;
  }

  /** Takes a request of a caller: 0 if it may go on, else seconds until the next one may. */
  take(caller: string): number {
    const { requestsPerSecondMax, requestBurstMax, callersMax } = this.#limits;
    if (requestsPerSecondMax === 0) {
      this.#buckets.clear();
      return 0;
    }
    const nowMs = this.#now();
    const bucket = this.#buckets.get(caller) ?? { left: requestBurstMax, atMs: nowMs };
    this.#buckets.delete(caller);
    const gained = ((nowMs - bucket.atMs) / 1000) * requestsPerSecondMax;
    bucket.left = Math.min(bucket.left + gained, requestBurstMax);
    bucket.atMs = nowMs;
    for (const oldest of this.#buckets.keys()) {
      if (this.#buckets.size < callersMax) break;
      this.#buckets.delete(oldest);
    }
    this.#buckets.set(caller, bucket);
    if (bucket.left < 1) return (1 - bucket.left) / requestsPerSecondMax;
    bucket.left--;
    return 0;
  }
}
