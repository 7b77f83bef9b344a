import type { Combiner } from '../engine/combine.js';
import type { Metric } from '../engine/metrics.js';
import { changesBetween } from '../../src/protocol/changes.js';
import { WINDOW_SLOTS } from '../kernel/layout.js';

/** What a window takes: sums, counts, and what surrounds them. */
const WINDOW_BYTES = WINDOW_SLOTS * 10 + 320;
/** What the counts of a window can tell. */
const COUNT_MAX = 65_535;
/** A sample's slot may be shown so many steps away from its time. */
const SLOT_ERROR = 2;

/** Sums over a list of series for one window of slots. */
interface Window {
  readonly sums: Float64Array;
  readonly present: Uint16Array;
  /** Slots that are filled: none before they were asked for. */
  first: number;
  until: number;
  /** What the counts of changes over its time came to when it was filled. */
  changes: number;
  isUsed: boolean;
}

interface Entry {
  readonly key: string;
  readonly stepSec: number;
  /** The series that were summed. */
  series: readonly number[];
  readonly windows: Map<number, Window>;
}

/**
 * Sums over many series of one host, kept window by window for the time that is settled: nothing of
 * it changes but by late samples, which the kernel counts. What is newer is summed each time. Memory
 * is bounded; windows that were not used since the hand last came by go first.
 */
export class AggregateCache {
  readonly #combiner: Combiner;
  #bytesMax: number;
  readonly #doubles: Float64Array;
  readonly #words: Uint32Array;
  #entries = new Map<string, Entry>();
  #order: { readonly entry: Entry; readonly window: number }[] = [];
  #hand = 0;
  /** The kernel counts samples before this second as changes. */
  settledSec = 0;
  hits = 0;
  misses = 0;

  constructor(combiner: Combiner, memory: WebAssembly.Memory, bytesMax: number) {
    this.#combiner = combiner;
    this.#bytesMax = bytesMax;
    // All that is looked at lies in the fixed regions: these views stay good when the heap grows.
    this.#doubles = new Float64Array(memory.buffer);
    this.#words = new Uint32Array(memory.buffer);
  }

  get bytes(): number {
    return this.#order.length * WINDOW_BYTES;
  }

  /** What may be kept from now on. */
  set bytesMax(bytes: number) {
    if (bytes < this.bytes) this.clear();
    this.#bytesMax = bytes;
  }

  /** Samples before a second were freed. */
  forgetBefore(sec: number): void {
    this.#order = this.#order.filter(({ entry, window }) => {
      const isOld = window * WINDOW_SLOTS * entry.stepSec < sec + WINDOW_SLOTS * entry.stepSec;
      if (isOld) this.#drop(entry, window);
      return !isOld;
    });
    this.#hand = 0;
  }

  #drop(entry: Entry, window: number): void {
    entry.windows.delete(window);
    if (entry.windows.size === 0) this.#entries.delete(entry.key);
  }

  /** Other samples may lie where those were that were summed. */
  clear(): void {
    this.#entries = new Map();
    this.#order = [];
    this.#hand = 0;
  }

  /**
   * Adds sums and counts of `series` for `count` slots from `from` on to Float64 at `sums` (0 where
   * there was none) and Uint32 at `contributors`. `key` names the list.
   */
  add(
    key: string,
    series: readonly number[],
    metric: Metric,
    stagger: number,
    from: number,
    count: number,
    sums: number,
    contributors: number,
  ): void {
    const until = from + count;
    const settled = Math.floor(this.settledSec / metric.stepSec) - SLOT_ERROR;
    const isKept = this.#bytesMax > 0 && series.length <= COUNT_MAX;
    const cachedUntil = isKept ? Math.max(from, Math.min(until, settled)) : from;
    if (cachedUntil > from) {
      const entry = this.#entryOf(key, series, metric.stepSec);
      for (let slot = from; slot < cachedUntil;) {
        const index = Math.floor((slot + stagger) / WINDOW_SLOTS);
        const start = index * WINDOW_SLOTS - stagger;
        const end = Math.min(start + WINDOW_SLOTS, cachedUntil);
        const first = slot - start;
        const window = this.#window(entry, index, first, end - start, settled, metric, stagger);
        this.#addWindow(window, first, end - slot, sums, contributors, slot - from);
        slot = end;
      }
    }
    if (cachedUntil < until) {
      const offset = cachedUntil - from;
      this.#addLive(series, metric, cachedUntil, until - cachedUntil, sums, contributors, offset);
    }
  }

  #entryOf(key: string, series: readonly number[], stepSec: number): Entry {
    const known = this.#entries.get(key);
    if (known && (known.series === series || sameSeries(known.series, series))) {
      known.series = series;
      return known;
    }
    const entry = { key, stepSec, series, windows: new Map<number, Window>() };
    this.#entries.set(key, entry);
    return entry;
  }

  /** A window with slots `first` … `until` filled, and with what is settled behind them. */
  #window(
    entry: Entry,
    index: number,
    first: number,
    until: number,
    settled: number,
    metric: Metric,
    stagger: number,
  ): Window {
    const start = index * WINDOW_SLOTS - stagger;
    let window = entry.windows.get(index);
    const changes = this.#changesOf(start, metric.stepSec);
    if (window && window.changes !== changes) window.first = window.until = 0;
    if (window && window.first <= first && window.until >= until) {
      this.hits++;
      window.isUsed = true;
      return window;
    }
    this.misses++;
    window ??= this.#makeWindow(entry, index);
    window.changes = changes;
    window.isUsed = true;
    if (window.until === 0) window.first = window.until = first;
    const { series } = entry;
    if (first < window.first) {
      this.#fill(window, series, metric, start, first, window.first);
      window.first = first;
    }
    const end = Math.min(WINDOW_SLOTS, settled - start);
    if (end > window.until) {
      this.#fill(window, series, metric, start, window.until, end);
      window.until = end;
    }
    return window;
  }

  /** Slots `first` … `until` of a window that begins with slot `start`. */
  #fill(
    window: Window,
    series: readonly number[],
    metric: Metric,
    start: number,
    first: number,
    until: number,
  ): void {
    const count = until - first;
    const group = { series: series as number[], layered: [] };
    this.#combiner.borrowed(() => {
      // The first slots of a window may lie before 1970: nothing is there.
      const { out, contributors } = this.#combiner.sums(group, metric, start + first, count);
      for (let i = 0; i < count; i++) {
        const present = this.#words[(contributors >>> 2) + i]!;
        window.present[first + i] = present;
        window.sums[first + i] = present === 0 ? 0 : this.#doubles[(out >>> 3) + i]!;
      }
    });
  }

  #makeWindow(entry: Entry, index: number): Window {
    if ((this.#order.length + 1) * WINDOW_BYTES > this.#bytesMax) this.#evict();
    const window = {
      sums: new Float64Array(WINDOW_SLOTS),
      present: new Uint16Array(WINDOW_SLOTS),
      first: 0,
      until: 0,
      changes: 0,
      isUsed: true,
    };
    entry.windows.set(index, window);
    this.#order.push({ entry, window: index });
    return window;
  }

  /** Second chance: the hand passes over windows that were used, once. */
  #evict(): void {
    for (;;) {
      if (this.#hand >= this.#order.length) this.#hand = 0;
      const place = this.#order[this.#hand];
      if (!place) return;
      const window = place.entry.windows.get(place.window);
      if (window?.isUsed) {
        window.isUsed = false;
        this.#hand++;
        continue;
      }
      this.#drop(place.entry, place.window);
      const last = this.#order.pop()!;
      if (this.#hand < this.#order.length) this.#order[this.#hand] = last;
      return;
    }
  }

  #addWindow(
    window: Window,
    first: number,
    count: number,
    sums: number,
    contributors: number,
    offset: number,
  ): void {
    const doubles = this.#doubles;
    const words = this.#words;
    const toSums = (sums >>> 3) + offset;
    const toCounts = (contributors >>> 2) + offset;
    for (let i = 0; i < count; i++) {
      doubles[toSums + i]! += window.sums[first + i]!;
      words[toCounts + i]! += window.present[first + i]!;
    }
  }

  #addLive(
    series: readonly number[],
    metric: Metric,
    from: number,
    count: number,
    sums: number,
    contributors: number,
    offset: number,
  ): void {
    const group = { series: series as number[], layered: [] };
    this.#combiner.borrowed(() => {
      const live = this.#combiner.sums(group, metric, from, count);
      for (let i = 0; i < count; i++) {
        const present = this.#words[(live.contributors >>> 2) + i]!;
        if (present === 0) continue;
        this.#doubles[(sums >>> 3) + offset + i]! += this.#doubles[(live.out >>> 3) + i]!;
        this.#words[(contributors >>> 2) + offset + i]! += present;
      }
    });
  }

  /** Changes of the time of a window, with what a slot may be away from it. */
  #changesOf(start: number, stepSec: number): number {
    const firstSec = Math.max(0, (start - SLOT_ERROR) * stepSec);
    const lastSec = (start + WINDOW_SLOTS + SLOT_ERROR) * stepSec;
    return changesBetween(this.#words, firstSec, lastSec);
  }
}

function sameSeries(some: readonly number[], others: readonly number[]): boolean {
  return some.length === others.length && some.every((series, i) => series === others[i]);
}
