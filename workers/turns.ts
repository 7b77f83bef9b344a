import { setImmediate as nextTurn } from 'node:timers/promises';

/** A turn ends after this long, so that ingest and queries go on. */
const TURN_MS = 4;

/** Cuts long work of a shard into turns. */
export class Turns {
  longestMs = 0;
  #began = performance.now();

  get isOver(): boolean {
    return performance.now() - this.#began > TURN_MS;
  }

  /** Ends a turn; resolves when all else has had its own. */
  async next(): Promise<void> {
    await this.during(nextTurn());
  }

  /** Waits for something that takes none of the thread's time. */
  async during<Result>(work: Promise<Result>): Promise<Result> {
    this.longestMs = Math.max(this.longestMs, performance.now() - this.#began);
    try {
      return await work;
    } finally {
      this.#began = performance.now();
    }
  }
}
