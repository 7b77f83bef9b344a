/** Samples or answers count as coming for so long after the last. */
const LASTS_MS = 50;
/** A turn of low priority beside them: what comes meanwhile waits no longer than this. */
export const LOW_TURN_MS = 1;
/**
 * Share of the time for low priority where samples and other queries take BUSY of the shard's time or more, and
 * where they take next to nothing. Twenty open pages may cost at most 5 % of ingest, with what the front
 * does for them; and where all cores are in use, a shard has a fifth of its time for ingest.
 */
const LOW_SHARE_MIN = 0.03;
const LOW_SHARE_MAX = 0.5;
const BUSY = 0.1;
/** How long it takes to forget how busy the shard was. */
const MEMORY_MS = 1000;

/**
 * When low priority may have a turn, and for how long. It gives way to samples that come in and to other
 * queries: behind each turn it rests the longer the more time these take, so that a shard that is
 * hardly busy answers pages at once, and one that is has its time for others. By a clock of milliseconds.
 */
export class Pace {
  #othersMs = -Infinity;
  /** Time that others took lately: of what was longer ago less counts. */
  #takenMs = 0;
  #fromMs = -Infinity;

  /** Samples were stored or others' queries answered, which took so long. */
  othersWorked(nowMs: number, tookMs: number): void {
    const agoMs = nowMs - this.#othersMs;
    this.#takenMs = this.#takenMs * Math.exp(-agoMs / MEMORY_MS) + tookMs;
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
    return Math.max(LOW_SHARE_MIN, LOW_SHARE_MAX * (1 - busy / BUSY));
  }
}
