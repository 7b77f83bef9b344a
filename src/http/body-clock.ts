import type { Limits } from '../config/config.js';

/** How often bodies are looked for that take too long. */
const LOOK_MS = 1000;

/** A request whose body has not come in as a whole. */
export interface ComingBody {
  readonly beganMs: number;
  /** Its neighbours in the clock's list, which only the clock changes. */
  earlier: ComingBody | undefined;
  later: ComingBody | undefined;
  /** Called once, `request-timeout-sec` after it began. */
  giveUp(): void;
}

/**
 * Ends requests whose bodies come in too slowly: for uWebSockets.js, which bounds silence and sees
 * to it that 16 KB a second come in, but not how long that may go on. They are in a list, the oldest
 * first, so that a look costs no more than what it ends. A set would do as well, but each time its
 * table is made anew the one before keeps what was in it from the collector of garbage: that took
 * a tenth of all time of the front.
 */
export class BodyClock {
  readonly #limits: Limits;
  #first: ComingBody | undefined;
  #last: ComingBody | undefined;
  readonly #timer: NodeJS.Timeout;

  constructor(limits: Limits) {
    this.#limits = limits;
    this.#timer = setInterval(() => this.look(performance.now()), LOOK_MS).unref();
  }

  add(body: ComingBody): void {
    body.earlier = this.#last;
    if (this.#last) this.#last.later = body;
    else this.#first = body;
    this.#last = body;
  }

  /** Nothing for one that is not in it. */
  delete(body: ComingBody): void {
    const { earlier, later } = body;
    if (earlier) earlier.later = later;
    else if (this.#first === body) this.#first = later;
    else return;
    if (later) later.earlier = earlier;
    else this.#last = earlier;
    body.earlier = undefined;
    body.later = undefined;
  }

  look(nowMs: number): void {
    const endMs = nowMs - this.#limits.requestTimeoutSec * 1000;
    for (let body = this.#first; body && body.beganMs <= endMs; body = this.#first) {
      this.delete(body);
      body.giveUp();
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
