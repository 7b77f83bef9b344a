/** How many series there are of something, and from when to when they have samples. */
export class SeriesTotal {
  seriesCount = 0;
  #firstSec = Infinity;
  #lastSec = -Infinity;

  add(firstSec: number, lastSec: number): void {
    this.seriesCount++;
    if (firstSec < this.#firstSec) this.#firstSec = firstSec;
    if (lastSec > this.#lastSec) this.#lastSec = lastSec;
  }

  /** Of at least one series. */
  toData(): { seriesCount: number; firstSec: number; lastSec: number } {
    return { seriesCount: this.seriesCount, firstSec: this.#firstSec, lastSec: this.#lastSec };
  }
}
