import { blockCount } from '../engine/blocks.js';
import type { Engine } from '../engine/engine.js';
import { lateAfterSec } from '../engine/late.js';
import type { Level } from '../engine/level-tree.js';
import { SERIES_HEAD, SERIES_LAST_SLOT, SERIES_STAGGER, SERIES_STEP } from '../kernel/layout.js';
import type { MetricNames } from './metric-names.js';
import type { NewestValues } from './stuck.js';

/** What a walk has found of a metric. */
export interface Found {
  series: number;
  lateSeries: number;
  stuckSeries: number;
  /** Series that is furthest behind, and the second up to which it is in time. */
  furthest: number;
  lateAfterSec: number;
  /** One of those that are stuck. */
  stuck: number;
}

/** Goes through all series of a host, some at a time. */
export class HostWalk {
  /** Numbers of the metrics that the host has series of. */
  readonly touched: number[] = [];
  /** Time of its newest sample's slot. */
  newestSec = 0;
  readonly #engine: Engine;
  readonly #names: MetricNames;
  readonly #newest: NewestValues;
  readonly #levels: Level[] = [];
  /** By number of the metric; those not touched are of another host. */
  readonly #found: Found[] = [];
  #nowSec = 0;
  #stuckSamples = 0;

  constructor(engine: Engine, names: MetricNames, newest: NewestValues) {
    this.#engine = engine;
    this.#names = names;
    this.#newest = newest;
  }

  begin(host: Level | undefined, nowSec: number, stuckSamples: number): void {
    for (const id of this.touched) this.#found[id]!.series = 0;
    this.touched.length = 0;
    this.#levels.length = 0;
    if (host) this.#levels.push(host);
    this.newestSec = 0;
    this.#nowSec = nowSec;
    this.#stuckSamples = stuckSamples;
  }

  /** undefined if the host has no series of it. */
  of(id: number): Found | undefined {
    const found = this.#found[id];
    return found && found.series > 0 ? found : undefined;
  }

  /** Looks at some series; whether these were the last. Levels may come and go before the next call. */
  advance(countMax: number): boolean {
    const words = this.#engine.words();
    for (let count = 0; count < countMax;) {
      const level = this.#levels.pop();
      if (!level) return true;
      for (const series of level.series) this.#look(series, words);
      count += level.series.length + 1;
      for (const child of level.children?.values() ?? []) this.#levels.push(child);
    }
    return this.#levels.length === 0;
  }

  #look(series: number, words: Uint32Array): void {
    if (words[(series + SERIES_HEAD) >>> 2] === 0 && blockCount(words, series) === 0) return;
    const stepSec = words[(series + SERIES_STEP) >>> 2]!;
    const lastSlot = words[(series + SERIES_LAST_SLOT) >>> 2]!;
    const id = this.#names.ofMetric(words[(series + SERIES_STAGGER) >>> 2]! >>> 16);
    const untilSec = lateAfterSec(lastSlot, stepSec);
    const found = this.#touch(id);
    found.series++;
    if (untilSec < found.lateAfterSec) {
      found.lateAfterSec = untilSec;
      found.furthest = series;
    }
    if (lastSlot * stepSec > this.newestSec) this.newestSec = lastSlot * stepSec;
    if (this.#nowSec > untilSec) found.lateSeries++;
    else if (this.#names.isSuspicious(id) && this.#isStuck(series, words)) {
      found.stuckSeries++;
      found.stuck = series;
    }
  }

  #isStuck(series: number, words: Uint32Array): boolean {
    return this.#newest.isStuck(words, series, this.#stuckSamples);
  }

  #touch(id: number): Found {
    let found = this.#found[id];
    if (found && found.series > 0) return found;
    if (!found) {
      while (this.#found.length <= id) this.#found.push(nothing());
      found = this.#found[id]!;
    }
    found.lateSeries = 0;
    found.stuckSeries = 0;
    found.furthest = 0;
    found.lateAfterSec = Infinity;
    found.stuck = 0;
    this.touched.push(id);
    return found;
  }
}

function nothing(): Found {
  return {
    series: 0,
    lateSeries: 0,
    stuckSeries: 0,
    furthest: 0,
    lateAfterSec: Infinity,
    stuck: 0,
  };
}
