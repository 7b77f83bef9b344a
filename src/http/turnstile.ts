/** Lets so many works run at a time; the others wait, first come, first served. */
export class Turnstile {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(worksMax: number) {
    this.#free = worksMax;
  }

  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((enter) => this.#waiting.push(enter));
    try {
      return await work();
    } finally {
      // The place goes over to the next one, so that a newcomer can not take it.
      const enter = this.#waiting.shift();
      if (enter) enter();
      else this.#free++;
    }
  }
}
