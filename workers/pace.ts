/** Samples or answers count as coming for so long after the last. */
const LASTS_MS = 50;
/** A turn of low priority beside them: what comes meanwhile waits no longer than this. */
export const LOW_TURN_MS = 1;
/**
 * Share of the time for low priority where samples and other queries come in half of all milliseconds or
 * more, and where they seldom do. Twenty open pages may cost at most 5 % of ingest, with what the front
 * does for them.
 */
const LOW_SHARE_MIN = 0.02;
const LOW_SHARE_MAX = 0.5;
/** How long it takes to forget how busy the shard was. */
const MEMORY_MS = 1000;

/**
 * When low priority may have a turn, and for how long. It gives way to samples that come in and to other
 * queries: behind each turn it rests the longer the more time these take, so that a shard that is
 * hardly busy answers pages at once, and one that is has its time for others. By a clock of milliseconds.
 */
export class Pace {
  #othersMs = -Infinity;
  /** Time that was others' lately: of what was longer ago less counts. */
  #takenMs = 0;
  #fromMs = -Infinity;

  /** Samples were stored or others' queries answered, which took so long. */
  othersWorked(nowMs: number, tookMs: number): void {
    const agoMs = nowMs - this.#othersMs;
    // A millisecond is theirs even if they took little of it: the front has its work with them, too.
    const takenMs = Math.max(tookMs, Math.min(agoMs, 1));
    this.#takenMs = this.#takenMs * Math.exp(-agoMs / MEMORY_MS) + takenMs;
    this.#othersMs = nowMs;
  }

  /** Whether there is anybody to give way to. */
  isBusy(nowMs: number): boolean {
    return nowMs - this.#othersMs <= LASTS_MS;
  }

  /** Low priority had a turn. */
  worked(nowMs: number, tookMs: number): void {
    if (!this.isBusy(nowMs)) return;
    this.#fromMs = nowMs + tookMs * (1 / this.#share() - 1);
  }

  /** Milliseconds until low priority may have its next turn. */
  restMs(nowMs: number): number {
    return Math.max(0, this.#fromMs - nowMs);
  }

  #share(): number {
    const busy = this.#takenMs / MEMORY_MS;
    return Math.max(LOW_SHARE_MIN, LOW_SHARE_MAX * (1 - 2 * busy));
  }
}
