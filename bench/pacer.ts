/**
 * Who is later than this has lost the time: after a stall of a second there is no second's worth
 * of requests at once. Short delays, of timers and of garbage collection, are made up for.
 */
export const LAG_MS_MAX = 20;

/** Spreads work evenly over time, by telling each piece of it when to start. */
export class Pacer {
  readonly #perMs: number;
  #nextMs: number;

  /** `perSec` may be Infinity. Times are in ms of any one clock. */
  constructor(perSec: number, nowMs: number) {
    this.#perMs = perSec / 1000;
    this.#nextMs = nowMs;
  }

  /** When the next piece, `amount` large, is to start; in the past if it is late. */
  book(amount: number, nowMs: number): number {
    const startMs = Math.max(this.#nextMs, nowMs - LAG_MS_MAX);
    this.#nextMs = startMs + amount / this.#perMs;
    return startMs;
  }
}
