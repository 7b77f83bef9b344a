import type { StoreConfig } from '../../src/config/config.js';
import type { Counters } from '../../src/protocol/counters.js';
import type { ArchiveSummary } from '../../src/routing/store.js';
import type { FreeBounds } from '../free-bounds.js';
import type { Retention } from '../retention.js';
import { ArchiveRun, type ArchiveParts } from './archive-run.js';
import { waitingIn } from './archive-upload.js';

/** After a run that failed the next is tried so soon. */
const RETRY_SEC = 30;
/**
 * Part of the time kept that a run gives up when memory is short; twice as much after one that won
 * nothing, since only whole blocks go.
 */
const PRESSED_SHARE = 1 / 8;

export interface ArchiverParts extends ArchiveParts {
  readonly retention: Retention;
  readonly counters: Counters;
  readonly store: StoreConfig;
  /** Names this store's runs among those of all stores: letters, digits, hyphens. */
  readonly origin: string;
  /** Notes that a run is on disk, then frees what is in it. Throws if it can not be noted. */
  readonly settle: (run: number, bounds: FreeBounds) => number;
  readonly warn: (text: string) => void;
  /** Told of each run that wrote something. */
  readonly done: (summary: ArchiveSummary) => void;
}

/**
 * Archives what leaves memory: what is past the retention each `archive-interval`, and the oldest
 * when memory is short. Samples for the time of a run are refused while it is under way, so that what
 * is freed is what was written.
 */
export class Archiver {
  readonly #parts: ArchiverParts;
  #run: number;
  #nextSec = 0;
  #running: Promise<ArchiveSummary> | undefined;
  #held: Promise<void> | undefined;
  #isFailing = false;
  #pressedShare = PRESSED_SHARE;

  /** `run`: number of the last run that was settled. */
  constructor(parts: ArchiverParts, run: number) {
    this.#parts = parts;
    this.#run = run;
    parts.retention.onPressed = () => this.tick(Math.floor(Date.now() / 1000));
  }

  /** Called each second. */
  tick(nowSec: number): void {
    if (this.#running || this.#held) return;
    const { retention, store } = this.#parts;
    // Nothing is past its time as long as nobody knows which hosts are in use.
    const isKnown = retention.hostsInUse !== 'all';
    const isDue = store.retentionEnforced && nowSec >= this.#nextSec && isKnown;
    const isPressed = retention.isPressed && (!this.#isFailing || nowSec >= this.#nextSec);
    if (!isDue && !isPressed) return;
    this.#start(isPressed ? retention.oldestPart(this.#pressedShare) : 0).catch(() => undefined);
  }

  /** Archives and frees what is past the retention. Rejects if that failed: all is still in memory. */
  async archive(): Promise<ArchiveSummary> {
    await this.#held;
    return this.#running ?? this.#start(0);
  }

  /** Waits for a run under way; no other begins until what this resolves to is called. */
  async hold(): Promise<() => void> {
    let release = (): void => undefined;
    this.#held = new Promise((resolve) => {
      release = () => {
        this.#held = undefined;
        resolve();
      };
    });
    await this.#running?.catch(() => undefined);
    return release;
  }

  /** Waits for a run under way. No other begins. */
  async stop(): Promise<void> {
    this.#nextSec = Infinity;
    await this.#running?.catch(() => undefined);
    this.#running = new Promise(() => undefined);
  }

  #start(pressedSec: number): Promise<ArchiveSummary> {
    const { retention, store } = this.#parts;
    // As hosts are in use now: what is freed is what was written.
    const bounds = retention.bounds(pressedSec);
    this.#nextSec = Date.now() / 1000 + store.archive!.intervalSec;
    this.#running = this.#work(bounds).finally(() => (this.#running = undefined));
    return this.#running;
  }

  /** Where the archive is on S3, the disk here must not fill up because S3 is down. Throws. */
  async #checkQueue(): Promise<void> {
    const { directory, location, queueBytesMax } = this.#parts.store.archive!;
    if (location === '') return;
    const { bytes } = await waitingIn(directory);
    if (bytes <= queueBytesMax) return;
    throw new Error(
      `${bytes} bytes wait in ${directory} for ${location} already: archive-queue-bytes-max is ${queueBytesMax}`,
    );
  }

  async #work(bounds: FreeBounds): Promise<ArchiveSummary> {
    const { counters, origin, retention, settle, warn } = this.#parts;
    const { toSec } = bounds;
    const began = performance.now();
    const run = this.#run + 1;
    retention.setFloor(toSec);
    try {
      await this.#checkQueue();
      const work = new ArchiveRun(this.#parts, { origin, run }, bounds);
      const archived = await work.run();
      const settleBegan = performance.now();
      // Before anything goes: who asks for it afterwards has to ask the archive.
      if (archived.rows > 0) this.#parts.engine.samplesArchived(toSec);
      const freedBlocks = archived.rows > 0 ? settle(run, bounds) : 0;
      const settleMs = performance.now() - settleBegan;
      counters.add('blocks_freed_total', freedBlocks);
      if (archived.rows > 0) this.#run = run;
      this.#pressedShare = archived.rows > 0 ? PRESSED_SHARE : Math.min(1, 2 * this.#pressedShare);
      const milliseconds = performance.now() - began;
      if (this.#isFailing) warn('the archive can be written again');
      this.#isFailing = false;
      if (archived.rows > 0) counters.add('archive_runs_total', 1);
      counters.add('archived_rows_total', archived.rows);
      counters.add('archive_written_bytes_total', archived.bytes);
      const longestTurnMs = Math.max(work.longestTurnMs, settleMs);
      if (archived.rows > 0) {
        counters.set('archive_duration_seconds_current', milliseconds / 1000);
        counters.set('archive_longest_turn_seconds_current', longestTurnMs / 1000);
      }
      counters.set('archive_timestamp_seconds_current', Date.now() / 1000);
      const summary = {
        ...archived,
        run: this.#run,
        toSec,
        freedBlocks,
        milliseconds,
        longestTurnMs,
      };
      if (archived.rows > 0) this.#parts.done(summary);
      return summary;
    } catch (error) {
      const { message } = error as Error;
      counters.add('archive_failures_total', 1);
      this.#nextSec = Date.now() / 1000 + RETRY_SEC;
      if (!this.#isFailing) {
        warn(`archiving failed, everything stays in memory and is tried again: ${message}`);
      }
      this.#isFailing = true;
      throw new Error(`archiving failed, everything stays in memory: ${message}`);
    } finally {
      retention.setFloor(0);
      retention.isPressed = false;
    }
  }
}
