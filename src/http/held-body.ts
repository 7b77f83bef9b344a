import { StoreError } from '../model/errors.js';
import { answerError } from './answers.js';
import { HeldBytes, type BodyBudget } from './body-budget.js';
import type { HttpExchange } from './server.js';

interface Chunk {
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

/**
 * What of a body comes while nobody can take it yet. The client is stopped at its first chunk; but
 * uWebSockets.js empties the socket's buffer first, which may be some megabytes, so that all of them
 * together have a budget.
 */
export class HeldBody {
  readonly #exchange: HttpExchange;
  readonly #held: HeldBytes;
  #chunks: Chunk[] = [];
  #isPaused = false;
  #isOver = false;

  constructor(exchange: HttpExchange, budget: BodyBudget) {
    this.#exchange = exchange;
    this.#held = new HeldBytes(budget);
    exchange.onData = (bytes, isLast) => this.#hold(bytes, isLast);
    exchange.onAbort = () => this.#giveUp(new StoreError('bad-request', 'the client went away'));
  }

  /**
   * Has `take` set up who takes the body, and gives him what is held. Nothing if the client is gone.
   * Mistakes are told as in {@link HttpExchange.guard}.
   */
  release(take: () => void): void {
    if (this.#isOver) return;
    const chunks = this.#end();
    const exchange = this.#exchange;
    // Before the rest is given on: who has no room for it pauses again. No chunk comes before we return.
    if (this.#isPaused) exchange.resume();
    exchange.guard(take);
    for (const { bytes, isLast } of chunks) exchange.guard(() => exchange.onData(bytes, isLast));
  }

  #hold(chunk: Uint8Array, isLast: boolean): void {
    const refusal = this.#held.take(chunk.length);
    if (refusal) {
      this.#giveUp(refusal);
      return;
    }
    // It is only there until this returns.
    this.#chunks.push({ bytes: Uint8Array.prototype.slice.call(chunk), isLast });
    if (isLast || this.#isPaused) return;
    this.#isPaused = true;
    this.#exchange.pause();
  }

  #giveUp(error: StoreError): void {
    this.#end();
    answerError(this.#exchange, error);
  }

  #end(): Chunk[] {
    const chunks = this.#chunks;
    this.#isOver = true;
    this.#chunks = [];
    this.#held.release();
    this.#exchange.onData = () => undefined;
    this.#exchange.onAbort = () => undefined;
    return chunks;
  }
}
