/** Something that was done to the store, or that it did. */
export interface Event {
  /** Seconds since the begin of the run. */
  readonly atSec: number;
  readonly what: string;
  /** Such as how long it took to recover. */
  readonly note: string;
}

const FAILURES_MAX = 100;

/** What happened in a run, in order, and what was wrong. */
export class Journal {
  readonly #began = performance.now();
  readonly events: Event[] = [];
  readonly failures: string[] = [];
  readonly #counts = new Map<string, number>();

  get nowSec(): number {
    return (performance.now() - this.#began) / 1000;
  }

  note(what: string, note = ''): void {
    const atSec = Math.round(this.nowSec * 10) / 10;
    this.events.push({ atSec, what, note });
    this.count(what);
    console.log(`${atSec.toFixed(1).padStart(8)} s  ${what}${note && `: ${note}`}`);
  }

  /** The run has failed, and goes on, to see what else does. */
  fail(why: string): void {
    if (this.failures.length < FAILURES_MAX) this.failures.push(why);
    this.note('FAILED', why);
  }

  count(what: string, by = 1): void {
    this.#counts.set(what, this.countOf(what) + by);
  }

  countOf(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].toSorted(([a], [b]) => a.localeCompare(b)));
  }
}
