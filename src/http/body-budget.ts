import type { Limits } from '../config/config.js';
import { StoreError } from '../model/errors.js';

/**
 * Bytes of bodies that all requests hold at one time, and the bound of them. Without a common
 * bound every connection could hold the largest body there may be.
 */
export class BodyBudget {
  readonly #limits: Pick<Limits, 'collectedBytesMax'>;
  bytesHeld = 0;

  /** The limit may change. */
  constructor(limits: Pick<Limits, 'collectedBytesMax'>) {
    this.#limits = limits;
  }

  get bytesMax(): number {
    return this.#limits.collectedBytesMax;
  }
}

/** What one request holds of the budget. */
export class HeldBytes {
  readonly #budget: BodyBudget;
  #bytes = 0;
  #isReleased = false;

  constructor(budget: BodyBudget) {
    this.#budget = budget;
  }

  /**
   * Holds so many bytes more, or says why that can not be, and holds as much as before: either
   * there would be room if others held less (503), or this request alone needs too much (413).
   */
  take(bytes: number): StoreError | undefined {
    // Whoever was answered holds nothing: nobody would give it back.
    if (this.#isReleased) return undefined;
    const budget = this.#budget;
    const refusal = this.neverFits(bytes);
    if (refusal) return refusal;
    if (budget.bytesHeld + bytes > budget.bytesMax) return noRoomNow(budget.bytesMax);
    this.#bytes += bytes;
    budget.bytesHeld += bytes;
    return undefined;
  }

  /** The error for a request that, with so many bytes more, needs too much even if it is alone. */
  neverFits(bytes: number): StoreError | undefined {
    const { bytesMax } = this.#budget;
    return this.#bytes + bytes > bytesMax ? neverFits(bytesMax) : undefined;
  }

  /** Gives all of it back, for good. More calls do nothing. */
  release(): void {
    this.#budget.bytesHeld -= this.#bytes;
    this.#bytes = 0;
    this.#isReleased = true;
  }
}

function neverFits(bytesMax: number): StoreError {
  return new StoreError(
    'body-too-large',
    `the body, as sent and inflated, needs more than collected-bytes-max (${bytesMax} bytes); ` +
      'send smaller ones',
  );
}

function noRoomNow(bytesMax: number): StoreError {
  return new StoreError(
    'queue-full',
    `the bodies of all requests would hold more than collected-bytes-max (${bytesMax} bytes); ` +
      'nothing of this body was taken, send it again later',
  );
}
