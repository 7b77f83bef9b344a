import { StoreError } from '../model/errors.js';

export interface LineOptions {
  /** What is waited for, as in "32 requests wait for the archive already". */
  readonly what: string;
  readonly waitingMax: number;
  /** As it is when somebody comes. */
  readonly waitMsMax: () => number;
}

interface Waiting {
  /** Those that are not come before it. */
  readonly isLow: boolean;
  readonly isWanted: () => boolean;
  /** Whether it is its turn, or why it never will be. */
  readonly settle: (outcome: boolean | StoreError) => void;
}

/** Works done one after the other, in the order they came. */
export class WaitingLine {
  readonly #options: LineOptions;
  readonly #waiting = new Set<Waiting>();
  #isBusy = false;

  constructor(options: LineOptions) {
    this.#options = options;
  }

  /**
   * Does some work when those before it are done; undefined if it is not wanted any more by then.
   * Rejects as the work does, and with `queue-full` if too many wait or it has waited too long. One that
   * `isLow` waits until no other does.
   */
  async run<Result>(
    work: () => Promise<Result>,
    isWanted: () => boolean = () => true,
    isLow = false,
  ): Promise<Result | undefined> {
    if (this.#isBusy && !(await this.#wait(isWanted, isLow))) return undefined;
    this.#isBusy = true;
    try {
      return isWanted() ? await work() : undefined;
    } finally {
      this.#next();
    }
  }

  /** Nobody waits any more. */
  stop(): void {
    const error = new StoreError('stopping', 'the store is stopping');
    for (const { settle } of this.#waiting) settle(error);
  }

  /** Resolves to false if it is not wanted any more. */
  async #wait(isWanted: () => boolean, isLow: boolean): Promise<boolean> {
    const { what, waitingMax } = this.#options;
    const waitMsMax = this.#options.waitMsMax();
    // Those that are not wanted any more do not count.
    for (const one of this.#waiting) if (!one.isWanted()) one.settle(false);
    // Nor do the others count for one that comes before them, or behind.
    const before = [...this.#waiting].filter((one) => one.isLow === isLow);
    if (before.length >= waitingMax) {
      const message = `${waitingMax} requests wait for ${what} already; send it again in a moment`;
      throw new StoreError('queue-full', message);
    }
    return new Promise<boolean>((resolve, reject) => {
      const tooLong = `it has waited ${waitMsMax} ms for ${what}; send it again in a moment`;
      const timer = setTimeout(() => settle(new StoreError('queue-full', tooLong)), waitMsMax);
      const settle = (outcome: boolean | StoreError): void => {
        clearTimeout(timer);
        this.#waiting.delete(one);
        if (typeof outcome === 'boolean') resolve(outcome);
        else reject(outcome);
      };
      const one: Waiting = { isLow, isWanted, settle };
      this.#waiting.add(one);
    });
  }

  #next(): void {
    this.#isBusy = false;
    const waiting = [...this.#waiting];
    const first = waiting.find(({ isLow }) => !isLow) ?? waiting[0];
    // It is its turn from now on: nobody who comes in between may begin.
    if (!first) return;
    this.#isBusy = true;
    first.settle(true);
  }
}
