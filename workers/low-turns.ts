import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { waitedTooLong } from './low-queries.js';
import { LOW_TURN_MS, type Pace } from './pace.js';
import type { TurnPace } from './turns.js';

/** Turns of other work that has low priority: between them, and before the first, it rests like queries that have. */
export class LowTurns implements TurnPace {
  readonly #pace: Pace;
  readonly #hasOthers: () => boolean;
  readonly #waitMsMax: number;
  readonly #beganMs = performance.now();
  readonly turnMs = LOW_TURN_MS;

  /** `hasOthers`: something is to be done that has not. */
  constructor(pace: Pace, hasOthers: () => boolean, waitMsMax: number) {
    this.#pace = pace;
    this.#hasOthers = hasOthers;
    this.#waitMsMax = waitMsMax;
  }

  /** Rejects with `queue-full` if it has taken too long. */
  async next(tookMs: number): Promise<void> {
    this.#pace.worked(performance.now(), tookMs);
    await nextTurn();
    for (;;) {
      const nowMs = performance.now();
      if (nowMs - this.#beganMs > this.#waitMsMax) throw waitedTooLong(this.#waitMsMax);
      const restMs = this.#pace.restMs(nowMs);
      if (restMs === 0 && !this.#hasOthers()) return;
      await sleep(Math.max(1, restMs));
    }
  }
}
