import type { Aggregate } from '../../src/model/selection.js';
import type { PartialGroup } from '../../src/protocol/select.js';
import type { Combiner } from '../engine/combine.js';
import type { AggregateCache } from './aggregate-cache.js';
import type { Part } from './parts.js';
import type { Unit } from './units.js';

/** Where a group is worked out: combined values of its members, slot by slot. */
export interface Accumulated {
  readonly operation: Aggregate;
  /** Address of Float64: sums (0 where there is none), or extremes (NaN where there is none). */
  readonly values: number;
  /** Address of Uint32: how many members are in each. */
  readonly contributors: number;
  /** Members there are: series, or units where these are made of several series each. */
  members: number;
}

/** The same in memory of its own, while others use the scratch. */
export interface SetAside {
  readonly operation: Aggregate;
  readonly values: Float64Array;
  readonly contributors: Uint32Array;
  readonly members: number;
}

/** Fewer series are summed sooner than found in the cache. */
const CACHED_SERIES_MIN = 8;

/** Combines units by sum, mean, extremes or count; what a unit itself is made of goes by the metric's strategy. */
export class Accumulator {
  readonly #combiner: Combiner;
  readonly #cache: AggregateCache;
  readonly #staggerOf: (series: number) => number;
  readonly #doubles: Float64Array;
  readonly #words: Uint32Array;

  constructor(
    combiner: Combiner,
    cache: AggregateCache,
    memory: WebAssembly.Memory,
    staggerOf: (series: number) => number,
  ) {
    this.#staggerOf = staggerOf;
    this.#combiner = combiner;
    this.#cache = cache;
    // Scratch is a fixed region: these views stay good when the heap grows.
    this.#doubles = new Float64Array(memory.buffer);
    this.#words = new Uint32Array(memory.buffer);
  }

  /** Room for `count` slots, nothing in it yet. */
  begin(operation: Aggregate, count: number): Accumulated {
    const values = this.#combiner.allocate(count * 8);
    const contributors = this.#combiner.allocate(count * 4);
    const nothing = isExtreme(operation) ? NaN : 0;
    this.#doubles.fill(nothing, values >>> 3, (values >>> 3) + count);
    this.#words.fill(0, contributors >>> 2, (contributors >>> 2) + count);
    return { operation, values, contributors, members: 0 };
  }

  /** Copies what has been worked out so far to where nobody else writes. */
  setAside({ operation, values, contributors, members }: Accumulated, count: number): SetAside {
    return {
      operation,
      values: this.#doubles.slice(values >>> 3, (values >>> 3) + count),
      contributors: this.#words.slice(contributors >>> 2, (contributors >>> 2) + count),
      members,
    };
  }

  /** Goes on with it, on scratch that is free. */
  takeUp({ operation, values, contributors, members }: SetAside): Accumulated {
    const target = this.begin(operation, values.length);
    this.#doubles.set(values, target.values >>> 3);
    this.#words.set(contributors, target.contributors >>> 2);
    target.members = members;
    return target;
  }

  /** Adds a host's part of a group for slots `from` … `from + count`. */
  add(target: Accumulated, part: Part, from: number, count: number): void {
    if (part.flat) this.#addFlat(target, part, from, count);
    else {
      for (const unit of part.units.list) {
        this.#combiner.borrowed(() => {
          const values = this.#unitValues(unit, part, from, count);
          this.addValues(target, values, 0, count);
        });
      }
      target.members += part.units.count;
    }
  }

  /** The unit's own value by the metric's strategy. */
  #unitValues({ group }: Unit, part: Part, from: number, count: number): number {
    const { series, layered } = group;
    const { metric } = part;
    const strategy = metric.aggregation;
    // One unit to a host: what names the part names the unit.
    const isKept = part.units.count === 1 && part.cacheKey !== '' && strategy !== null;
    if (!isKept || layered.length > 0 || series.length < CACHED_SERIES_MIN) {
      return this.#combiner.values(group, metric, from, count, false, 0);
    }
    const unit = this.begin(strategy, count);
    this.#addFlat(unit, { ...part, flat: group }, from, count);
    this.finish(unit, count, false);
    return unit.values;
  }

  /** Members as they are stored: their sums and counts can be added up. */
  #addFlat(
    target: Accumulated,
    { metric, flat, cacheKey, firstSeries }: Part,
    from: number,
    count: number,
  ): void {
    const { series, layered } = flat!;
    const { values, contributors } = target;
    target.members += series.length + layered.length;
    if (layered.length === 0 && cacheKey !== '' && series.length >= CACHED_SERIES_MIN) {
      const stagger = this.#staggerOf(firstSeries);
      this.#cache.add(cacheKey, series, metric, stagger, from, count, values, contributors);
      return;
    }
    this.#combiner.borrowed(() => {
      const sums = this.#combiner.sums(flat!, metric, from, count);
      this.addValues(target, sums.out, sums.contributors, count);
    });
  }

  /** Adds values (NaN = none) that are of so many members each; `counts` 0 = of one. */
  addValues(target: Accumulated, values: number, counts: number, count: number): void {
    const doubles = this.#doubles;
    const words = this.#words;
    const source = values >>> 3;
    const to = target.values >>> 3;
    const present = target.contributors >>> 2;
    const { operation } = target;
    const sign = operation === 'min' ? -1 : 1;
    for (let i = 0; i < count; i++) {
      const value = doubles[source + i]!;
      if (Number.isNaN(value)) continue;
      words[present + i]! += counts === 0 ? 1 : words[(counts >>> 2) + i]!;
      if (!isExtreme(operation)) doubles[to + i]! += value;
      else if (!(doubles[to + i]! * sign >= value * sign)) doubles[to + i] = value;
    }
  }

  /** Adds what another shard has of the group; `from` is the slot of the first value here. */
  addPartial(target: Accumulated, partial: PartialGroup, from: number): void {
    const { values, contributors, firstSlot, members } = partial;
    const count = values.length;
    target.members += members;
    this.#combiner.borrowed(() => {
      const source = this.#combiner.allocate(count * 8);
      const counts = this.#combiner.allocate(count * 4);
      this.#doubles.set(values, source >>> 3);
      this.#words.set(contributors, counts >>> 2);
      const offset = firstSlot - from;
      const shifted = {
        ...target,
        values: target.values + offset * 8,
        contributors: target.contributors + offset * 4,
      };
      this.addValues(shifted, source, counts, count);
    });
  }

  /**
   * Makes the values what they stand for, NaN where nothing is (a number of none, too: how much of a
   * long time without samples is read must not matter); with `missingAsNull` also where a
   * member is missing. Returns the smallest share of members in any slot that has some.
   */
  finish(target: Accumulated, count: number, missingAsNull: boolean): number {
    const { operation, members } = target;
    const doubles = this.#doubles;
    const words = this.#words;
    const to = target.values >>> 3;
    const counts = target.contributors >>> 2;
    let least = members;
    for (let i = 0; i < count; i++) {
      const present = words[counts + i]!;
      if (present > 0 && present < least) least = present;
      if (present === 0 || (missingAsNull && present < members)) doubles[to + i] = NaN;
      else if (operation === 'count') doubles[to + i] = present;
      else if (operation === 'avg' && present > 1) doubles[to + i]! /= present;
    }
    return members === 0 ? 1 : least / members;
  }
}

export function isExtreme(operation: Aggregate): boolean {
  return operation === 'min' || operation === 'max';
}
