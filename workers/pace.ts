/** Samples or answers count as coming for so long after the last. */
const LASTS_MS = 50;
/** A turn of low priority beside them: what comes meanwhile waits no longer than this. */
export const LOW_TURN_MS = 1;
/**
 * Share of the time for low priority where the shard is busy, and where it hardly is. Twenty open pages may
 * cost at most 5 % of ingest, with what the front does for them.
 */
const LOW_SHARE_MIN = 0.03;
const LOW_SHARE_MAX = 0.5;
/**
 * Samples and other queries make a shard busy if they take this share of its time: where all cores are in use, it
 * has a fifth for ingest. Or if they come in this share of all milliseconds: one series is found so fast that
 * a shard that has nothing else to do is idle, and the front is not.
 */
const BUSY_TIME = 0.1;
const BUSY_MILLISECONDS = 0.5;
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
  /** The same of milliseconds in which they came. */
  #presentMs = 0;
  #fromMs = -Infinity;

  /** Samples were stored or others' queries answered, which took so long. */
  othersWorked(nowMs: number, tookMs: number): void {
    const agoMs = nowMs - this.#othersMs;
    const kept = Math.exp(-agoMs / MEMORY_MS);
    this.#takenMs = this.#takenMs * kept + tookMs;
    this.#presentMs = this.#presentMs * kept + Math.min(agoMs, 1);
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
    const time = this.#takenMs / MEMORY_MS / BUSY_TIME;
    const milliseconds = this.#presentMs / MEMORY_MS / BUSY_MILLISECONDS;
    return Math.max(LOW_SHARE_MIN, LOW_SHARE_MAX * (1 - Math.max(time, milliseconds)));
  }
}
