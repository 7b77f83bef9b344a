import { slotOf } from '../../../src/model/slot.js';

/**
 * A series as it is told: slots by number, and the rule by which a sample finds its slot
 * (src/ARCHITECTURE.md, "Slot"). A head, windows and blocks are nobody's business here.
 */
export class Series {
  readonly step: number;
  readonly slots = new Map<number, number>();
  /** Newest slot written, 0 = none yet; the time of its first sample. */
  newestSlot = 0;
  #newestSec = 0;
  /** Earliest and latest second seen, relative to their slots, as seconds of the next slot. */
  #earliest = 0;
  #latest = 0;
  samples = 0;

  constructor(step: number) {
    this.step = step;
  }

  append(timeSec: number, value: number): void {
    const slot = this.#place(timeSec);
    if (Number.isNaN(value)) this.slots.delete(slot);
    else this.slots.set(slot, value);
    this.samples++;
  }

  read(from: number, count: number): number[] {
    return Array.from({ length: count }, (_, index) => this.slots.get(from + index) ?? NaN);
  }

  #place(timeSec: number): number {
    if (this.newestSlot === 0) return this.#lock(timeSec);
    if (timeSec === this.#newestSec) return this.newestSlot;
    if (timeSec > this.#newestSec && this.#fits(timeSec)) {
      this.#earliest = Math.min(this.#earliest, timeSec);
      this.#latest = Math.max(this.#latest, timeSec);
      return this.#advance(1, timeSec);
    }
    const steps = this.#stepsFromNext(timeSec);
    if (steps >= 2 && slotOf(timeSec, this.step) > this.newestSlot) return this.#lock(timeSec);
    return steps < 0 ? this.newestSlot + 1 + steps : this.#advance(steps + 1, timeSec);
  }

  /** The nearest slot; the phase is this sample's. */
  #lock(timeSec: number): number {
    this.newestSlot = slotOf(timeSec, this.step);
    this.#newestSec = timeSec;
    this.#earliest = timeSec + this.step;
    this.#latest = timeSec + this.step;
    return this.newestSlot;
  }

  /** Whether the sample is the next slot's: phases spread by 9/10 of a step, shown 19/20 away at most. */
  #fits(timeSec: number): boolean {
    const spread = Math.max(this.#latest, timeSec) - Math.min(this.#earliest, timeSec);
    const away = Math.abs(timeSec - (this.newestSlot + 1) * this.step);
    return spread * 10 <= this.step * 9 && away * 20 <= this.step * 19;
  }

  /** Whole steps from the middle of the next slot's phases. */
  #stepsFromNext(timeSec: number): number {
    const middle = this.#earliest + Math.floor((this.#latest - this.#earliest) / 2);
    return Math.floor((timeSec - middle + Math.floor(this.step / 2)) / this.step);
  }

  #advance(steps: number, timeSec: number): number {
    this.newestSlot += steps;
    this.#newestSec = timeSec;
    this.#earliest += steps * this.step;
    this.#latest += steps * this.step;
    return this.newestSlot;
  }
}
