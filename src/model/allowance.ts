import { StoreError } from './errors.js';

/** What all fields of a request may have of something together. */
export class Allowance {
  readonly #what: string;
  readonly #most: number;
  readonly #setting: string;
  #left: number;

  /** `what` in the plural; the setting that it comes from, '' = none. */
  constructor(what: string, most: number, setting = '') {
    this.#what = what;
    this.#most = most;
    this.#setting = setting;
    this.#left = most;
  }

  /** Throws `bad-request` if fewer than `count` are left. Asked before they are made. */
  take(count: number, field: string): void {
    this.#left -= count;
    if (this.#left >= 0) return;
    const limit = this.#setting && `: the limit ${this.#setting} is ${this.#most}`;
    const what = `more than ${this.#most} ${this.#what} in one request`;
    throw new StoreError('bad-request', `${field}: ${what}${limit}; ask for less`);
  }
}
