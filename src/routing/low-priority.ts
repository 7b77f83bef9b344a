import type { Limits } from '../config/config.js';
import { StoreError } from '../model/errors.js';

/** Counts the requests of low priority that are under way: what waits for a shard waits there. */
export class LowPriority {
  readonly #limits: Limits;
  #count = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** One more; what is returned is called once, when it is over. Throws `queue-full`. */
  enter(): () => void {
    const { lowPriorityQueriesMax: most } = this.#limits;
    if (this.#count >= most) {
      const what = `${most} requests of low priority are under way`;
      throw new StoreError(
        'queue-full',
        `${what}: the limit low-priority-queries-max is ${most}; send it again in a moment, or without priority`,
      );
    }
    this.#count++;
    return () => this.#count--;
  }

  /** Work that counts until it is done. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    const leave = this.enter();
    try {
      return await work();
    } finally {
      leave();
    }
  }
}
