/**
 * Runs works one by one, each in a turn of the event loop of its own, so that all of them together
 * leave time for everything else.
 */
export class OneATurn {
  readonly #waiting: (() => void)[] = [];
  #isScheduled = false;

  /** Works must not throw. */
  add(work: () => void): void {
    this.#waiting.push(work);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting.length === 0) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      const work = this.#waiting.shift()!;
      this.#schedule();
      work();
    });
  }
}
