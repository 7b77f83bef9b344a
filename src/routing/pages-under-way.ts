import { StoreError } from '../model/errors.js';

/** Pages in the making at most: each takes a task of every shard, which have others to do, too. */
const PAGES_UNDER_WAY_MAX = 16;

/** Bounds how many pages of one kind are made at one time. */
export class PagesUnderWay {
  readonly #what: string;
  #count = 0;

  /** `what` they are of, for the one who comes when there are too many. */
  constructor(what: string) {
    this.#what = what;
  }

  /** Makes one more. Rejects as the work does, and with `queue-full`. */
  async run<Page>(work: () => Promise<Page>): Promise<Page> {
    if (this.#count >= PAGES_UNDER_WAY_MAX) {
      const what = `${PAGES_UNDER_WAY_MAX} pages of ${this.#what} are being made; try again in a moment`;
      throw new StoreError('queue-full', what);
    }
    this.#count++;
    try {
      return await work();
    } finally {
      this.#count--;
    }
  }
}
