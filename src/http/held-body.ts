import { StoreError } from '../model/errors.js';
import { answerError } from './answers.js';
import type { HttpExchange } from './server.js';

/**
 * What of a body comes while nobody can take it yet. The client is stopped at its first chunk, so that
 * this is at most what the server had read already: one buffer of the adapter.
 */
export class HeldBody {
  readonly #exchange: HttpExchange;
  #chunks: { readonly bytes: Uint8Array; readonly isLast: boolean }[] = [];
  #isPaused = false;
  #isOver = false;

  constructor(exchange: HttpExchange) {
    this.#exchange = exchange;
    exchange.onData = (chunk, isLast) => {
      // A chunk is only there until this returns.
      this.#chunks.push({ bytes: Uint8Array.prototype.slice.call(chunk), isLast });
      if (isLast || this.#isPaused) return;
      this.#isPaused = true;
      exchange.pause();
    };
    exchange.onAbort = () => {
      this.#isOver = true;
      this.#chunks = [];
      answerError(exchange, new StoreError('bad-request', 'the client went away'));
    };
  }

  /**
   * Has `take` set up who takes the body, and gives him what is held. Nothing if the client is gone.
   * Mistakes are told as in {@link HttpExchange.guard}.
   */
  release(take: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const exchange = this.#exchange;
    exchange.onData = () => undefined;
    exchange.onAbort = () => undefined;
    // Before the rest is given on: who has no room for it pauses again. No chunk comes before we return.
    if (this.#isPaused) exchange.resume();
    exchange.guard(take);
    for (const { bytes, isLast } of this.#chunks) {
      exchange.guard(() => exchange.onData(bytes, isLast));
    }
    this.#chunks = [];
  }
}
