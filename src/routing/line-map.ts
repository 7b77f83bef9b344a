import type { RejectedLine } from './store.js';

/** Which lines of a body a part is made of: a number pair for each stretch of them. */
export class LineMap {
  /** First line in the part, then in the body; both count from 1. */
  readonly #stretches: number[] = [];
  #lines = 0;
  #bodyLineNext = 0;

  /** The part goes on with `lines` lines, the first of which is the body's line `bodyLine`. */
  add(bodyLine: number, lines: number): void {
    if (bodyLine !== this.#bodyLineNext) this.#stretches.push(this.#lines + 1, bodyLine);
    this.#lines += lines;
    this.#bodyLineNext = bodyLine + lines;
  }

  /** Examples of the part, by the body's lines. */
  toBody(examples: readonly RejectedLine[]): RejectedLine[] {
    return examples.map((example) => {
      const at = this.#stretchOf(example.line);
      const line = this.#stretches[at + 1]! + example.line - this.#stretches[at]!;
      return { ...example, line };
    });
  }

  #stretchOf(partLine: number): number {
    let low = 0;
    let high = this.#stretches.length / 2;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#stretches[2 * middle]! <= partLine) low = middle;
      else high = middle;
    }
    return 2 * low;
  }
}
