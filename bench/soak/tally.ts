/** Lines that one process of the store took, by the answers it gave. */
export class Tally {
  /** Answered as written. */
  written = 0;
  /** Without a whole answer, or refused after a part may have been taken: they may be written or not. */
  doubtful = 0;
  /** Bodies that got no answer. */
  bodiesWithoutAnswer = 0;

  /** A new process counts from 0. */
  reset(): void {
    this.written = 0;
    this.doubtful = 0;
    this.bodiesWithoutAnswer = 0;
  }

  /** What `samples_total` of the store may be, less what came by other roads. */
  isPossible(samples: number): boolean {
    return samples >= this.written && samples <= this.written + this.doubtful;
  }
}
