import type { StoreConfig } from '../src/config/config.js';
import { longestStepSec } from '../src/config/metric-rules.js';
import { isCapped } from '../src/config/shard-memory.js';
import { TIME_SEC_MAX } from '../src/model/slot.js';
import type { Counters } from '../src/protocol/counters.js';
import { NONE_IN_USE, type HostsInUse } from '../src/protocol/hosts-in-use.js';
import { blockCount } from './engine/blocks.js';
import type { Engine } from './engine/engine.js';
import { hostsSpared, levelsSpared, type FreeBounds } from './free-bounds.js';
import type { Kernel } from './kernel/kernel.js';
import {
  HEAD_SLOTS,
  HEAP_PAGE_BYTES,
  SERIES_HEAD,
  SERIES_LEVEL,
  SERIES_STEP,
} from './kernel/layout.js';

/** How often data is looked at for its age; a sweep touches every series. */
const SWEEP_SEC = 60;
/** Slots are 32-bit and windows reach back, so the first 256 steps after 1970 are no place for data. */
const STEPS_BEFORE_FIRST = 256;
/** Under pressure at least this part of the time kept is given up at once, so that sweeps stay rare. */
const EVICT_SHARE = 1 / 32;
/** A twentieth of a second of lines at full speed: what one eviction should win, in pages of the heap. */
const EVICT_PAGES_MAX = 128;
/** Where there is an archive, it is written to when so much of the budget is in use: that takes time. */
const PRESSED_SHARE = 0.9;
/** After an eviction that won nothing, lines are refused without another look. */
const BARREN_MS = 1000;

/** Time range of what is taken, age of what is kept, and what goes first when memory is short. */
export class Retention {
  /** Earliest and latest second that is stored now. */
  minSec = 0;
  maxSec = 0;
  /** Samples before it are refused: they are on their way out of memory; 0 = none. */
  floorSec = 0;
  /** Memory is short, and what would be freed has to be archived before. */
  isPressed = false;
  /** Told when a sample waits for that. */
  onPressed: (() => void) | undefined;
  readonly #kernel: Kernel;
  readonly #engine: Engine;
  readonly #store: StoreConfig;
  readonly #counters: Counters;
  #hostsInUse: HostsInUse = NONE_IN_USE;
  #isRestoring = false;
  #sweptSec = 0;
  /** Nothing in memory is older, as the last sweep found it; 0 = nobody has looked yet. */
  #oldestSec = 0;
  #longestStepSec = 1;
  #hasSpared = false;
  #barrenUntilMs = 0;
  #barrenSec = 0;
  /** Of the heap, 0 = no bound. */
  #pagesMax = 0;

  constructor(kernel: Kernel, engine: Engine, store: StoreConfig, counters: Counters) {
    this.#kernel = kernel;
    this.#engine = engine;
    this.#store = store;
    this.#counters = counters;
    this.#applyCap();
  }

  /** The configuration has changed, in place. */
  reconfigured(): void {
    this.#applyCap();
    this.#sweptSec = 0;
    this.tick(Math.floor(Date.now() / 1000));
  }

  #applyCap(): void {
    const { memoryCapBytes, shardCount } = this.#store;
    const pages = Math.floor(memoryCapBytes / shardCount / HEAP_PAGE_BYTES);
    this.#pagesMax = memoryCapBytes > 0 ? Math.max(1, pages) : 0;
    this.#kernel.setPageBudget(this.#pagesMax);
  }

  /** What the heap may take by the cap. */
  get heapBytesMax(): number {
    return this.#pagesMax > 0 ? this.#pagesMax * HEAP_PAGE_BYTES : Infinity;
  }

  /** Theirs stays when it is past the retention. Memory that is short spares nobody. */
  get hostsInUse(): HostsInUse {
    return this.#hostsInUse;
  }

  set hostsInUse(hosts: HostsInUse) {
    this.#hostsInUse = hosts;
    // What is spared no more goes with the next tick.
    this.#sweptSec = 0;
  }

  /** Series are being restored: those without data stay, as more of it may come. */
  get isRestoring(): boolean {
    return this.#isRestoring;
  }

  set isRestoring(isRestoring: boolean) {
    this.#isRestoring = isRestoring;
    // What was found before says nothing of what comes.
    this.#oldestSec = 0;
  }

  /** What was saved before this second is in no series any more, or goes with the next sweep. */
  get savedFromSec(): number {
    if (!this.#store.retentionEnforced) return 0;
    return this.#keepsLonger ? Math.min(this.minSec, this.#oldestSec) : this.minSec;
  }

  /** Memory may have what is older than the retention, or has had. */
  get #keepsLonger(): boolean {
    return this.#store.archive !== undefined || this.#hasSpared || this.#sparesSome;
  }

  get #sparesSome(): boolean {
    return this.hostsInUse === 'all' || this.hostsInUse.size > 0;
  }

  /**
   * What a run of the archive takes: all that is past the retention but for hosts in use, and where memory is
   * short what is before `pressedSec`, of whichever host.
   */
  bounds(pressedSec: number): FreeBounds {
    const agedSec = this.#store.retentionEnforced ? this.minSec : 0;
    if (pressedSec >= agedSec || !this.#sparesSome) return { toSec: Math.max(agedSec, pressedSec) };
    if (this.hostsInUse === 'all') return { toSec: pressedSec };
    const hosts = hostsSpared(this.#engine.tree, this.hostsInUse);
    if (hosts.length === 0) return { toSec: agedSec };
    return { toSec: agedSec, spared: { hosts, toSec: pressedSec } };
  }

  /** Moves the time range on; sweeps once a minute. */
  tick(nowSec: number): void {
    const longestSec = longestStepSec(this.#store);
    this.#longestStepSec = longestSec;
    this.#hasSpared ||= this.#sparesSome;
    const firstSec = longestSec * STEPS_BEFORE_FIRST;
    const enforced = this.#store.retentionEnforced;
    this.minSec = enforced ? Math.max(firstSec, nowSec - this.#store.retentionSec) : firstSec;
    // The step behind the last sample must have a place, too.
    this.maxSec = enforced ? nowSec + this.#store.futureSec : TIME_SEC_MAX - 2 * longestSec;
    this.#kernel.setTimeRange(Math.max(this.minSec, this.floorSec), this.maxSec);
    if (this.#store.archive && this.#pagesMax > 0) {
      this.isPressed ||= this.#kernel.heapPagesInUse() > this.#pagesMax * PRESSED_SHARE;
    }
    if (nowSec - this.#sweptSec >= SWEEP_SEC) {
      this.#sweptSec = nowSec;
      if (enforced) this.#sweep(this.minSec);
    }
  }

  /** Refuses samples before a second, which is on its way out of memory; 0: that is over. */
  setFloor(floorSec: number): void {
    this.floorSec = floorSec;
    this.#kernel.setTimeRange(Math.max(this.minSec, floorSec), this.maxSec);
  }

  /** The second up to which the oldest `share` of the time that is kept reaches. */
  oldestPart(share: number): number {
    const { oldestSec, newestSec } = this.#span();
    return Math.floor(oldestSec + Math.max(1, (newestSec - oldestSec) * share));
  }

  /** What is reached where `evict` is asked for. */
  get fullReason(): string {
    if (isCapped(this.#store)) return 'memory-cap is reached';
    return 'the 4 GiB that a shard can have are in use (more shards have more)';
  }

  /**
   * Frees the oldest data until something was gained, and series that have nothing left; false if
   * there is nothing to free. What is as new as the newest sample stays, or as one of `sampleSec`
   * that waits for room.
   */
  evict(sampleSec = 0): boolean {
    if (this.#store.archive && !this.isRestoring) {
      if (!this.isPressed) setImmediate(() => this.onPressed?.());
      this.isPressed = true;
      return false;
    }
    if (performance.now() < this.#barrenUntilMs && sampleSec <= this.#barrenSec) return false;
    const pagesBefore = this.#kernel.heapPagesInUse();
    const pagesToWin = Math.min(EVICT_PAGES_MAX, Math.max(1, pagesBefore >>> 5));
    this.#evictOldest(pagesBefore - pagesToWin, sampleSec);
    const isWon = this.#kernel.heapPagesInUse() < pagesBefore;
    if (!isWon) {
      this.#barrenUntilMs = performance.now() + BARREN_MS;
      this.#barrenSec = sampleSec;
    }
    return isWon;
  }

  /** Gives up the oldest data, stride by stride, until no more than `pagesWanted` are in use. */
  #evictOldest(pagesWanted: number, sampleSec: number): void {
    const { oldestSec, newestSec } = this.#span(sampleSec);
    const stride = Math.max(1, (newestSec - oldestSec) * EVICT_SHARE);
    for (let toSec = oldestSec + stride; toSec < newestSec + 2 * stride; toSec += stride) {
      const freed = this.#freeBefore(toSec);
      this.#counters.add('blocks_evicted_total', freed);
      if (freed > 0) this.#removeEmptySeries();
      if (this.#kernel.heapPagesInUse() <= pagesWanted) return;
    }
    this.#removeEmptySeries();
  }

  /** Of all samples; `newestSec` is at least the one given. */
  #span(sampleSec = 0): { oldestSec: number; newestSec: number } {
    let oldestSec = Infinity;
    let newestSec = sampleSec;
    this.#engine.forEachSeries((series, words) => {
      const slot = this.#kernel.oldestSlot(series) >>> 0;
      if (slot === 0xffffffff) return;
      const step = words[(series + SERIES_STEP) >>> 2]!;
      oldestSec = Math.min(oldestSec, slot * step);
      newestSec = Math.max(newestSec, this.#engine.newestSec(series));
    });
    return { oldestSec, newestSec };
  }

  /** Frees what is past the retention, unless it has to stay. */
  #sweep(toSec: number): void {
    // Where there is an archive, what is past the retention goes when it is there.
    const isKept = this.#store.archive !== undefined || this.hostsInUse === 'all';
    const spared = isKept ? undefined : levelsSpared(this.#engine.tree, this.hostsInUse);
    this.#counters.add('blocks_freed_total', this.#freeBefore(isKept ? 0 : toSec, spared));
    this.#removeEmptySeries();
    if (this.isRestoring || !this.#keepsLonger) return;
    const { oldestSec } = this.#span();
    // The slot of a sample may be shown a step after it.
    this.#oldestSec = oldestSec === Infinity ? 0 : oldestSec - this.#longestStepSec;
  }

  #removeEmptySeries(): void {
    if (this.isRestoring) return;
    const removed = this.#engine.removeEmptySeries((series, words) => {
      return words[(series + SERIES_HEAD) >>> 2] === 0 && blockCount(words, series) === 0;
    });
    this.#counters.add('series_removed_total', removed);
  }

  /**
   * Frees blocks older than `toSec`, but of levels that are 1 in `spared`, and seals heads that fell silent
   * two heads ago.
   */
  #freeBefore(toSec: number, spared?: Uint8Array): number {
    let freed = 0;
    const nowSec = this.maxSec - this.#store.futureSec;
    this.#engine.forEachSeries((series, words) => {
      const step = words[(series + SERIES_STEP) >>> 2]!;
      const isSpared = spared?.[words[(series + SERIES_LEVEL) >>> 2]!] === 1;
      if (toSec > 0 && !isSpared)
        freed += this.#kernel.freeBefore(series, Math.max(0, Math.floor(toSec / step)));
      if (this.#store.retentionEnforced) {
        this.#kernel.sealIdleHead(series, Math.floor(nowSec / step) - 2 * HEAD_SLOTS);
      }
    });
    if (freed > 0) this.#engine.samplesFreed(toSec);
    return freed;
  }
}
