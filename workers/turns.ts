import { setImmediate as nextTurn } from 'node:timers/promises';

/** A turn ends after this long, so that ingest and queries go on. */
const TURN_MS = 4;

/** How long a turn may be, and when the next one may begin. */
export interface TurnPace {
  readonly turnMs: number;
  /** Resolves when others have had their turns. Rejects with why there is no next one. */
  next(tookMs: number): Promise<void>;
}

const PLAIN: TurnPace = { turnMs: TURN_MS, next: () => nextTurn() };

/** Cuts long work of a shard into turns. */
export class Turns {
  longestMs = 0;
  readonly #pace: TurnPace;
  #workMs = 0;
  #began = performance.now();

  constructor(pace: TurnPace = PLAIN) {
    this.#pace = pace;
  }

  get isOver(): boolean {
    return performance.now() - this.#began > this.#pace.turnMs;
  }

  /** What all turns took that have ended. */
  get workMs(): number {
    return this.#workMs;
  }

  /** Ends a turn; resolves when all else has had its own. */
  async next(): Promise<void> {
    await this.during(this.#pace.next(performance.now() - this.#began));
  }

  /** Waits for something that takes none of the thread's time. */
  async during<Result>(work: Promise<Result>): Promise<Result> {
    this.end();
    try {
      return await work;
    } finally {
      this.begin();
    }
  }

  /** Begins a turn; what was before it counts for none. */
  begin(): void {
    this.#began = performance.now();
  }

  /** Ends the last turn: there is nothing more to do. */
  end(): void {
    const nowMs = performance.now();
    this.longestMs = Math.max(this.longestMs, nowMs - this.#began);
    this.#workMs += nowMs - this.#began;
    this.#began = nowMs;
  }
}
