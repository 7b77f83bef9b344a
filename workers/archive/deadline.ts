import { limitPassed } from '../../src/protocol/query-limits.js';

/** The time that one request may take. */
export class Deadline {
  readonly #name: string;
  readonly #milliseconds: number;
  readonly #endMs: number;

  /** `name` of the limit, which the error tells. */
  constructor(name: string, milliseconds: number) {
    this.#name = name;
    this.#milliseconds = milliseconds;
    this.#endMs = performance.now() + milliseconds;
  }

  /** Throws `limit-exceeded` when the time is over. */
  check(): void {
    if (performance.now() > this.#endMs) throw this.#error();
  }

  /** What a promise resolves to, or the same error: a disk or a network may take its time. */
  async race<Result>(work: Promise<Result>): Promise<Result> {
    let timer: NodeJS.Timeout | undefined;
    const end = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(this.#error()), Math.max(0, this.#endMs - performance.now()));
    });
    try {
      return await Promise.race([work, end]);
    } finally {
      clearTimeout(timer);
    }
  }

  #error(): Error {
    return limitPassed('the request took too long', this.#name, this.#milliseconds);
  }
}
