import type { RejectedLine } from './store.js';

/** Kept, the newest. */
const KEPT_MAX = 200;
/** Taken each second: where every line is wrong, the first ones tell it. */
const TAKEN_A_SECOND_MAX = 20;
const CALLER_CHARS_MAX = 128;
const REASON_CHARS_MAX = 500;

/** A line that was rejected, and who sent it. */
export interface RejectedExample extends RejectedLine {
  readonly timeSec: number;
  readonly source: 'http' | 'nats';
  /** Name or address of a client; a subject. */
  readonly caller: string;
}

/** Examples of rejected lines: those who look for what a collector does wrong find it here. */
export class RejectedLines {
  readonly #kept: RejectedExample[] = [];
  readonly #now: () => number;
  #second = 0;
  #taken = 0;

  /** `now` is a clock in milliseconds. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Lines of one body or message; `caller` is only asked for if they are kept. */
  add(
    source: RejectedExample['source'],
    caller: () => string,
    lines: readonly RejectedLine[],
  ): void {
    const timeSec = Math.floor(this.#now() / 1000);
    if (timeSec !== this.#second) this.#taken = 0;
    this.#second = timeSec;
    const taken = lines.slice(0, TAKEN_A_SECOND_MAX - this.#taken);
    if (taken.length === 0) return;
    this.#taken += taken.length;
    const name = caller().slice(0, CALLER_CHARS_MAX);
    for (const { line, column, reason } of taken) {
      const text = reason.slice(0, REASON_CHARS_MAX);
      this.#kept.push({ timeSec, source, caller: name, line, column, reason: text });
    }
    this.#kept.splice(0, this.#kept.length - KEPT_MAX);
  }

  /** The newest first. */
  list(): RejectedExample[] {
    return this.#kept.toReversed();
  }
}
