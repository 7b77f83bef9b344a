import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably } from '../../src/storage/files.js';

/** No file has more than an hour, and none goes over the end of one. */
export const HOUR_SEC = 3600;
/** Three days and a half of checkpoints each ten minutes; what is older goes by whole hours. */
const BOUNDS_MAX = 500;
const NAME = 'EXPORTED';
const FORMAT = 1;

/** What the file EXPORTED of a shard's folder says. */
interface StateFile {
  readonly format: number;
  readonly checkpoint: number;
  readonly bounds: readonly number[];
}

/** The time that one file has: `fromSec` to before `untilSec`. */
export interface Range {
  readonly fromSec: number;
  readonly untilSec: number;
}

/**
 * Where the times of a shard's JSON files meet. Times before the first bound, which is a full hour, are
 * cut at each hour. So every second belongs to one file, known without a look at the disk, and stays in
 * it as long as the bounds do.
 */
export class ExportBounds {
  readonly #folder: string;
  #bounds: number[] = [];
  /** All blocks of checkpoints up to this are in files as far as they lie before `untilSec`. */
  checkpoint = 0;

  /** What is kept in a shard's folder. A file that is missing or damaged means: nothing was exported. */
  constructor(folder: string) {
    this.#folder = folder;
    try {
      const file = JSON.parse(readFileSync(join(folder, NAME), 'utf8')) as StateFile;
      const isSorted = file.bounds.every((bound, i) => i === 0 || bound > file.bounds[i - 1]!);
      if (file.format !== FORMAT || !isSorted || file.bounds[0]! % HOUR_SEC !== 0) return;
      this.#bounds = [...file.bounds];
      this.checkpoint = file.checkpoint;
    } catch {
      // Then all of it is written anew.
    }
  }

  /** As if nothing had been exported; after a crash as well. */
  forget(): void {
    this.#bounds = [];
    this.checkpoint = 0;
    rmSync(join(this.#folder, NAME), { force: true });
  }

  /** Whether nothing was exported before. */
  get #isFresh(): boolean {
    return this.#bounds.length === 0;
  }

  /** Seconds before this one belong to files. */
  get untilSec(): number {
    return this.#bounds.at(-1) ?? 0;
  }

  /** From now on seconds before `untilSec` belong to files, too: one more, or one for each hour begun. */
  extend(untilSec: number): void {
    const bounds = this.#bounds;
    const fullHour = Math.floor(untilSec / HOUR_SEC) * HOUR_SEC;
    if (this.#isFresh || untilSec - this.untilSec > BOUNDS_MAX * HOUR_SEC) {
      this.#bounds = [fullHour];
    } else {
      for (let at = nextHour(this.untilSec); at <= fullHour; at += HOUR_SEC) bounds.push(at);
    }
    if (untilSec > this.untilSec) this.#bounds.push(untilSec);
    if (this.#bounds.length > BOUNDS_MAX) {
      const kept = this.#bounds.findIndex(
        (bound, i) => i >= this.#bounds.length - BOUNDS_MAX && bound % HOUR_SEC === 0,
      );
      if (kept > 0) this.#bounds.splice(0, kept);
    }
  }

  /** The file that a second before `untilSec` belongs to. */
  rangeAt(sec: number): Range {
    const bounds = this.#bounds;
    if (sec < bounds[0]!) {
      const fromSec = Math.floor(sec / HOUR_SEC) * HOUR_SEC;
      return { fromSec, untilSec: fromSec + HOUR_SEC };
    }
    let low = 0;
    let high = bounds.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (bounds[middle]! <= sec) low = middle;
      else high = middle;
    }
    return { fromSec: bounds[low]!, untilSec: bounds[low + 1]! };
  }

  /** Everything up to a checkpoint is in files. Throws if that can not be noted. */
  publish(checkpoint: number): void {
    this.checkpoint = checkpoint;
    const file: StateFile = { format: FORMAT, checkpoint, bounds: this.#bounds };
    writeDurably(join(this.#folder, NAME), `${JSON.stringify(file)}\n`);
  }
}

function nextHour(sec: number): number {
  return (Math.floor(sec / HOUR_SEC) + 1) * HOUR_SEC;
}
