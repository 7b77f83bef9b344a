import { StoreError } from '../../src/model/errors.js';
import type { Kernel } from '../kernel/kernel.js';
import { QUERY_SCRATCH_BASE, QUERY_SCRATCH_BYTES } from '../kernel/layout.js';
import type { Metric } from './metrics.js';
import type { Group, Layered } from './select.js';

/** Small fixed areas: four Float64 of statistics, text, and the kernel's work area of one block. */
export const STATISTICS = QUERY_SCRATCH_BASE;
export const RANGE_TEXT = QUERY_SCRATCH_BASE + 64;
export const BLOCK_WORK = QUERY_SCRATCH_BASE + 256;
export const STRETCH_LIST = BLOCK_WORK + 4096;
/** Series that results are written of at a time. */
export const STRETCH_SERIES_MAX = 512;
const AREAS = STRETCH_LIST + STRETCH_SERIES_MAX * 4;
const SCRATCH_END = QUERY_SCRATCH_BASE + QUERY_SCRATCH_BYTES;

/** Addresses of sums and of how many contributed to each. */
export interface Sums {
  readonly out: number;
  readonly contributors: number;
}

/**
 * Values of groups of series, in the scratch region. Areas are taken one behind the other and all
 * given back by `reset`; a series too long for the region is refused before anything is read.
 */
export class Combiner {
  /** Smallest share of a group's members in any slot that has some; 1 = all, always. */
  coverage = 1;
  readonly #kernel: Kernel;
  /** Views of the scratch region, by address / 8 and / 4. The region is fixed: they stay good. */
  readonly #doubles: Float64Array;
  readonly #words: Uint32Array;
  #top = AREAS;

  constructor(kernel: Kernel, memory: WebAssembly.Memory) {
    this.#kernel = kernel;
    this.#doubles = new Float64Array(memory.buffer);
    this.#words = new Uint32Array(memory.buffer);
  }

  reset(): void {
    this.#top = AREAS;
    this.coverage = 1;
  }

  /** Address of `bytes` bytes of scratch. */
  allocate(bytes: number): number {
    const address = this.#top;
    if (address + bytes > SCRATCH_END) {
      throw new StoreError(
        'limit-exceeded',
        `a series of the query is too long for the work area (${QUERY_SCRATCH_BYTES} bytes); ask for a shorter range`,
      );
    }
    this.#top = (address + bytes + 15) & ~15;
    return address;
  }

  /**
   * Address of `count` values of a group from slot `from` on. With `missingIsNull` a slot is
   * missing where a member is. `mask` = address of values above: only where they are missing does
   * `coverage` count; 0 = everywhere.
   */
  values(
    group: Group,
    metric: Metric,
    from: number,
    count: number,
    missingIsNull: boolean,
    mask: number,
  ): number {
    if (group.layered.length === 0 && group.series.length === 1) {
      const out = this.allocate(count * 8);
      this.#kernel.readSeries(group.series[0]!, from, count, out);
      return out;
    }
    if (group.series.length === 0 && group.layered.length === 1) {
      return this.#layeredValues(group.layered[0]!, metric, from, count, missingIsNull);
    }
    return this.#aggregate(group, metric, from, count, missingIsNull, mask);
  }

  /** The same for a part of a range, on scratch that is given back: take the values at once. */
  part(group: Group, metric: Metric, from: number, count: number, missingIsNull: boolean): number {
    const before = this.#top;
    const values = this.values(group, metric, from, count, missingIsNull, 0);
    this.#top = before;
    return values;
  }

  /**
   * Sums of a group per slot, and how many members each is of: addresses of Float64 (NaN where none
   * is present) and Uint32.
   */
  sums(group: Group, metric: Metric, from: number, count: number, missingIsNull = false): Sums {
    const out = this.allocate(count * 8);
    const contributors = this.allocate(count * 4);
    const before = this.#top;
    this.#sum(group.series, from, count, out, contributors);
    for (const level of group.layered) {
      const added = this.#layeredValues(level, metric, from, count, missingIsNull) >>> 3;
      this.#add(added, out >>> 3, contributors >>> 2, count);
      this.#top = before;
    }
    this.#top = before;
    return { out, contributors };
  }

  /** Runs `work` on scratch that is given back. */
  borrowed<Result>(work: () => Result): Result {
    const before = this.#top;
    try {
      return work();
    } finally {
      this.#top = before;
    }
  }

  /** Own samples, and the children's aggregate only from the first missing one to the last. */
  #layeredValues(
    level: Layered,
    metric: Metric,
    from: number,
    count: number,
    missingIsNull: boolean,
  ): number {
    if (level.own === 0) return this.values(level.below, metric, from, count, missingIsNull, 0);
    const out = this.allocate(count * 8);
    this.#kernel.readSeries(level.own, from, count, out);
    const doubles = this.#doubles;
    const own = out >>> 3;
    let first = 0;
    let until = count;
    while (first < until && !Number.isNaN(doubles[own + first]!)) first++;
    while (until > first && !Number.isNaN(doubles[own + until - 1]!)) until--;
    if (first === until) return out;
    const before = this.#top;
    const mask = out + first * 8;
    const length = until - first;
    const children =
      this.values(level.below, metric, from + first, length, missingIsNull, mask) >>> 3;
    for (let i = 0; i < length; i++) {
      if (Number.isNaN(doubles[own + first + i]!)) {
        doubles[own + first + i] = doubles[children + i]!;
      }
    }
    this.#top = before;
    return out;
  }

  #aggregate(
    group: Group,
    metric: Metric,
    from: number,
    count: number,
    missingIsNull: boolean,
    mask: number,
  ): number {
    const { out, contributors } = this.sums(group, metric, from, count, missingIsNull);
    if (metric.aggregation === 'avg') this.#kernel.divideByCount(out, contributors, count);
    const members = group.series.length + group.layered.length;
    this.#cover(members, count, out >>> 3, contributors >>> 2, missingIsNull, mask >>> 3);
    return out;
  }

  #sum(
    series: readonly number[],
    from: number,
    count: number,
    out: number,
    contributors: number,
  ): void {
    if (series.length === 0) {
      this.#doubles.fill(NaN, out >>> 3, (out >>> 3) + count);
      this.#words.fill(0, contributors >>> 2, (contributors >>> 2) + count);
      return;
    }
    const list = this.allocate(series.length * 4);
    const work = this.allocate((count + 256) * 16 + 4096);
    for (let i = 0; i < series.length; i++) this.#words[(list >>> 2) + i] = series[i]!;
    this.#kernel.sumSeries(list, series.length, from, count, out, contributors, work);
  }

  #add(source: number, target: number, contributors: number, count: number): void {
    const doubles = this.#doubles;
    for (let i = 0; i < count; i++) {
      const value = doubles[source + i]!;
      if (Number.isNaN(value)) continue;
      const sum = doubles[target + i]!;
      doubles[target + i] = Number.isNaN(sum) ? value : sum + value;
      this.#words[contributors + i]!++;
    }
  }

  #cover(
    members: number,
    count: number,
    values: number,
    contributors: number,
    missingIsNull: boolean,
    mask: number,
  ): void {
    const words = this.#words;
    let least = members;
    for (let i = 0; i < count; i++) {
      const present = words[contributors + i]!;
      if (present === members) continue;
      if (missingIsNull) this.#doubles[values + i] = NaN;
      const counts = mask === 0 || Number.isNaN(this.#doubles[mask + i]!);
      if (present !== 0 && present < least && counts) least = present;
    }
    this.coverage = Math.min(this.coverage, least / members);
  }
}
