import type { Limits } from '../config/config.js';

/** How often bodies are looked for that take too long. */
const LOOK_MS = 1000;

/** A request whose body has not come in as a whole. */
export interface ComingBody {
  readonly beganMs: number;
  /** Called once, `request-timeout-sec` after it began. */
  giveUp(): void;
}

/**
 * Ends requests whose bodies come in too slowly: for uWebSockets.js, which bounds silence and sees
 * to it that 16 KB a second come in, but not how long that may go on. The oldest are first in a
 * set, so that a look costs no more than what it ends.
 */
export class BodyClock {
  readonly #limits: Limits;
  readonly #coming = new Set<ComingBody>();
  readonly #timer: NodeJS.Timeout;

  constructor(limits: Limits) {
    this.#limits = limits;
    this.#timer = setInterval(() => this.look(performance.now()), LOOK_MS).unref();
  }

  add(body: ComingBody): void {
    this.#coming.add(body);
  }

  delete(body: ComingBody): void {
    this.#coming.delete(body);
  }

  look(nowMs: number): void {
    const endMs = nowMs - this.#limits.requestTimeoutSec * 1000;
    for (const body of this.#coming) {
      if (body.beganMs > endMs) return;
      this.#coming.delete(body);
      body.giveUp();
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
