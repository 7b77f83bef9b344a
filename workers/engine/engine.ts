import type { Limits, StoreConfig } from '../../src/config/config.js';
import type { IgnoreReason } from '../../src/model/reasons.js';
import { TIME_SEC_MAX } from '../../src/model/slot.js';
import type { HealthRequest, NodeHealth } from '../../src/routing/store.js';
import type { JobStatsTask, SelectTask } from '../../src/protocol/select.js';
import type { Kernel } from '../kernel/kernel.js';
import {
  ARCHIVED_BEFORE_SEC,
  FREED_BEFORE_SEC,
  FREED_COUNT,
  SERIES_IDS_MAX,
  SERIES_LAST_SLOT,
  SERIES_LEVEL,
  SERIES_METRIC,
  SERIES_STAGGER,
  SERIES_STEP,
  STATE_BASE,
} from '../kernel/layout.js';
import { freeSelectors, type Rounding } from './free.js';
import { nodeHealth } from './health.js';
import { pathOf } from './level-parts.js';
import { LevelTree, type Level } from './level-tree.js';
import { Metrics, type Metric } from './metrics.js';
import type { SeriesNames } from './parse-line.js';
import type { QueryRun } from './query-run.js';
import { QueryRunner } from './query.js';
import { Regrid } from './regrid.js';
import { Staggers } from './staggers.js';
import { Topologies } from './topology.js';
import type { AggregateCache } from '../select/aggregate-cache.js';
import type { SelectParts } from '../select/select-tools.js';
import type { Selections } from '../select/selections.js';
import type { Run } from '../query-queue.js';

/** Words of the memory, by address / 4. */
export type Words = Uint32Array;

/**
 * New series get numbers below it: what a start can not enter in its table would be lost. The rest is for series that
 * are put onto another grid, which get new ones as well.
 */
export const NEW_IDS_MAX = (SERIES_IDS_MAX / 4) * 3;

/** So many replaced series wait for their release at most. */
const REPLACED_MAX = 1024;

/** All series of one shard: the tree that names them and what may be asked of them. */
export class Engine {
  readonly metrics: Metrics;
  readonly tree = new LevelTree();
  /** Series that wait to be put onto the grid of another step. */
  readonly regrid: Regrid;
  /** What cluster.json files tell of hosts. */
  readonly topologies: Topologies;
  /** Number of the next new series in log and checkpoints. */
  nextId = 1;
  /** Told of the addresses of series that are gone. */
  onRemoved: ((removed: ReadonlySet<number>) => void) | undefined;
  /** Told of the level of each series that goes, before it does. */
  onLeaving: ((level: Level) => void) | undefined;
  /** Told of each new series before its first sample. */
  onNewSeries: ((sample: SeriesNames, metric: Metric, id: number) => void) | undefined;
  readonly #kernel: Kernel;
  readonly #memory: WebAssembly.Memory;
  readonly #store: StoreConfig;
  readonly #limits: Limits;
  readonly #queries: QueryRunner;
  readonly #selectParts: SelectParts;
  #selections: Selections | undefined;
  #settledSec = 0;
  #view: Words;
  /** Addresses of all series: the first `#seriesCount` entries. */
  #series = new Uint32Array(1024);
  #seriesCount = 0;
  /** How many of them were noticed: new ones are behind. */
  #noticedCount = 0;
  readonly #replaced = new Set<number>();
  readonly #staggers = new Staggers();
  /** A view is only renewed for a series beyond it: asking the memory for its size costs 100 ns. */
  readonly #seriesIn = (level: Level, metricIndex: number): number => {
    let view = this.#view;
    for (const series of level.series) {
      const index = (series + SERIES_STAGGER) >>> 2;
      if (index >= view.length) view = this.words();
      if (view[index]! >>> 16 === metricIndex) return series;
    }
    return 0;
  };

  constructor(kernel: Kernel, memory: WebAssembly.Memory, store: StoreConfig, limits: Limits) {
    this.#kernel = kernel;
    this.#memory = memory;
    this.#view = new Uint32Array(memory.buffer);
    this.#store = store;
    this.#limits = limits;
    this.regrid = new Regrid(this, kernel, memory);
    this.metrics = new Metrics(store);
    this.topologies = new Topologies(store.clusters);
    this.#queries = new QueryRunner(
      kernel,
      memory,
      this.tree,
      this.metrics,
      this.regrid,
      store,
      limits,
      this.#seriesIn,
    );
    this.#selectParts = {
      kernel,
      memory,
      store,
      limits,
      tree: this.tree,
      metrics: this.metrics,
      topologies: this.topologies,
      seriesIn: this.#seriesIn,
      regrid: this.regrid,
      writer: this.#queries.writer,
      words: () => this.words(),
    };
  }

  get seriesCount(): number {
    return this.#seriesCount;
  }

  get levelCount(): number {
    return this.tree.count;
  }

  /** A view of all memory there is now; it is renewed when the heap has grown. */
  words(): Words {
    // A shared memory's buffer has a fixed length: growth shows in a new one.
    if (this.#view.length * 4 !== this.#memory.buffer.byteLength) {
      this.#view = new Uint32Array(this.#memory.buffer);
    }
    return this.#view;
  }

  /** Why lines like this one are not stored, though their metric is known somewhere; undefined: they are. */
  ignoreReason({ metric, cluster, host }: SeriesNames): IgnoreReason | undefined {
    if (!this.metrics.isTaken(metric, cluster)) return 'unknown metric';
    return this.isRemovedFrom(metric, cluster, host) ? 'removed in sub-cluster' : undefined;
  }

  /** Whether cluster.json says that the sub-cluster of the host does not have the metric. */
  isRemovedFrom(metric: string, cluster: string, host: string): boolean {
    const removedIn = this.metrics.removedIn(metric, cluster);
    return removedIn !== undefined && removedIn.has(this.topologies.subClusterOf(cluster, host));
  }

  /** Whether no new series has a number; a start counts them anew. */
  get areIdsUsedUp(): boolean {
    return this.nextId >= NEW_IDS_MAX;
  }

  /**
   * The series of a sample, made if it is new; 0 if there are too many series, metrics or numbers. `known` is
   * its level, where that is known to be there.
   */
  seriesFor(sample: SeriesNames, known?: Level): number {
    const metric = this.metrics.intern(sample.metric, sample.cluster);
    if (!metric) return 0;
    const { cluster, host, type, typeId, stype, stypeId } = sample;
    const isFull = this.#isFull;
    let level = known;
    level ??= isFull
      ? this.tree.find(pathOf(sample))
      : this.tree.getOrCreate(cluster, host, type, typeId, stype, stypeId);
    if (!level) return 0;
    const series = this.#knownSeries(level, metric);
    if (series !== 0 || isFull) return series;
    const id = this.nextId++;
    const stagger = this.staggerOf(cluster, host);
    const made = this.makeSeries(level, metric, metric.stepSec, stagger, id);
    this.tree.addSeries(level, made);
    this.onNewSeries?.(sample, metric, id);
    return made;
  }

  /** No new series is taken. */
  get #isFull(): boolean {
    const seriesMax = Math.ceil(this.#limits.seriesMax / this.#store.shardCount);
    return this.#seriesCount >= seriesMax || this.areIdsUsedUp;
  }

  /** One that waits to be put onto another grid takes samples as it is. */
  #knownSeries(level: Level, metric: Metric): number {
    const series = this.seriesOf(level, metric.index);
    return series === 0 && this.regrid.isPending ? this.regrid.waitingIn(level, metric) : series;
  }

  /** The series is of another metric, with the same step, from now on. */
  relabel(series: number, { index }: Metric): void {
    const words = this.words();
    const at = (series + SERIES_METRIC) >>> 2;
    words[at] = (words[at]! & 0xffff) | (index << 16);
  }

  /**
   * Makes a series; returns its address. The caller tells the tree, and sees to it that the level
   * has none of this metric. `stepSec` is the metric's, but for data of another one.
   */
  makeSeries(level: Level, metric: Metric, stepSec: number, stagger: number, id: number): number {
    const { index } = level;
    // Beyond 2 GiB it comes as a negative number, and would be another one than that in `#series`.
    const made = this.#kernel.createSeries(stepSec, metric.index, index, stagger, id) >>> 0;
    this.#noteSeries(made);
    return made;
  }

  /** Takes over series that the kernel made of what was saved. The caller tells the tree, as above. */
  adoptSeries(made: readonly number[]): void {
    for (const series of made) this.#noteSeries(series);
  }

  #noteSeries(series: number): void {
    if (this.#seriesCount === this.#series.length) {
      const grown = new Uint32Array(Math.max(1024, Math.ceil(this.#seriesCount * 1.25)));
      grown.set(this.#series);
      this.#series = grown;
    }
    this.#series[this.#seriesCount++] = series;
  }

  /** Hosts seal their windows at different minutes; series of one host at the same. */
  staggerOf(cluster: string, host: string): number {
    return this.#staggers.of(cluster, host);
  }

  /** A level's series of a metric, 0 if it has none. */
  seriesOf(level: Level, metricIndex: number): number {
    return this.#seriesIn(level, metricIndex);
  }

  forEachSeries(callback: (series: number, words: Words) => void): void {
    const words = this.words();
    for (let i = 0; i < this.#seriesCount; i++) callback(this.#series[i]!, words);
  }

  /**
   * Calls back for series made since the last call, `countMax` at most; false if there are no more. So whoever
   * looks for them now and then costs those who make them nothing.
   */
  notice(countMax: number, callback: (series: number, words: Words) => void): boolean {
    const words = this.words();
    const end = Math.min(this.#seriesCount, this.#noticedCount + countMax);
    for (let i = this.#noticedCount; i < end; i++) callback(this.#series[i]!, words);
    this.#noticedCount = end;
    return end < this.#seriesCount;
  }

  /** All series are new to `notice`. */
  forgetNoticed(): void {
    this.#noticedCount = 0;
  }

  /** Time of a series' newest sample's slot in seconds. */
  newestSec(series: number): number {
    const words = this.words();
    return words[(series + SERIES_LAST_SLOT) >>> 2]! * words[(series + SERIES_STEP) >>> 2]!;
  }

  /** Removes series that hold nothing any more, with their prefixes and levels. */
  removeEmptySeries(isEmpty: (series: number, words: Words) => boolean): number {
    this.releaseReplaced();
    const words = this.words();
    const all = this.#series.subarray(0, this.#seriesCount);
    const dead = all.filter((series) => isEmpty(series, words));
    if (dead.length === 0) return 0;
    const gone = new Set(dead);
    for (const series of dead) {
      const level = this.tree.at(words[(series + SERIES_LEVEL) >>> 2]!);
      this.onLeaving?.(level);
      this.tree.removeSeries(level, series);
      this.#kernel.markDead(series);
    }
    this.#kernel.dropDeadPrefixes();
    for (const series of dead) this.#kernel.releaseSeries(series);
    this.#forget(gone);
    this.onRemoved?.(gone);
    return dead.length;
  }

  /**
   * Puts one series of a level in the place of another, which nothing leads to any more. Its memory
   * comes back with `releaseReplaced`, for many at once: that looks at all series.
   */
  replaceSeries(level: Level, old: number, made: number): void {
    this.onLeaving?.(level);
    this.tree.addSeries(level, made);
    this.tree.removeSeries(level, old);
    this.#kernel.markDead(old);
    this.#selections?.cache.clear();
    this.#replaced.add(old);
    if (this.#replaced.size >= REPLACED_MAX) this.releaseReplaced();
  }

  releaseReplaced(): void {
    if (this.#replaced.size === 0) return;
    this.#kernel.dropDeadPrefixes();
    for (const series of this.#replaced) this.#kernel.releaseSeries(series);
    this.#forget(this.#replaced);
    this.onRemoved?.(this.#replaced);
    this.#replaced.clear();
  }

  #forget(gone: ReadonlySet<number>): void {
    const all = this.#series.subarray(0, this.#seriesCount);
    let noticed = this.#noticedCount;
    for (let i = 0; i < this.#noticedCount; i++) if (gone.has(all[i]!)) noticed--;
    this.#noticedCount = noticed;
    this.#series = all.filter((series) => !gone.has(series));
    this.#seriesCount = this.#series.length;
  }

  /** Begins with a query request; see `QueryRunner.begin`. */
  beginQuery(text: string, indexes: readonly number[] | null): QueryRun {
    return this.#queries.begin(text, indexes);
  }

  /** What selections are answered with; before `useSelections` there is nothing. */
  get selections(): Selections | undefined {
    return this.#selections;
  }

  /** Makes selections possible. It is a parameter so that it is loaded by those who need it. */
  useSelections(Implementation: new (parts: SelectParts) => Selections): void {
    if (this.#selections) return;
    this.#selections = new Implementation(this.#selectParts);
    this.#selections.cache.settledSec = this.#settledSec;
  }

  /** The configuration has changed, in place: what was made of the former one is made anew. */
  reconfigured(): void {
    this.topologies.describe(this.#store.clusters);
    this.tree.forgetFound();
    this.#selections?.reconfigured();
  }

  beginSelect(task: SelectTask): Run {
    return this.#loaded().beginSelect(task);
  }

  beginJobStats(task: JobStatsTask): Run {
    return this.#loaded().beginJobStats(task);
  }

  #loaded(): Selections {
    if (!this.#selections) throw new Error('selections were not loaded');
    return this.#selections;
  }

  /** Sums that are kept for selections; undefined where there was none yet. */
  get aggregateCache(): AggregateCache | undefined {
    return this.#selections?.cache;
  }

  /** From now on samples before `sec` are late: what was made of that time is made anew for them. */
  settleBefore(sec: number): void {
    if (sec <= this.#settledSec) return;
    this.#settledSec = sec;
    this.#kernel.setSettledBefore(sec);
    if (this.#selections) this.#selections.cache.settledSec = sec;
  }

  /** Told of samples before `sec` that were freed. */
  samplesFreed(sec: number): void {
    this.#selections?.cache.forgetBefore(sec);
    const words = this.words();
    const before = (STATE_BASE + FREED_BEFORE_SEC) >>> 2;
    words[(STATE_BASE + FREED_COUNT) >>> 2]!++;
    words[before] = Math.max(words[before]!, Math.min(Math.ceil(sec), TIME_SEC_MAX));
  }

  /** Told of samples before `sec` that are in the archive, before they are freed. */
  samplesArchived(sec: number): void {
    const index = (STATE_BASE + ARCHIVED_BEFORE_SEC) >>> 2;
    const words = this.words();
    Atomics.store(words, index, Math.max(words[index]!, Math.min(Math.ceil(sec), TIME_SEC_MAX)));
  }

  /** Frees whole blocks older than `toSec`; series left with nothing go, so that they answer as never seen. */
  free(
    selectors: readonly (readonly string[])[],
    toSec: number,
    rounding: Rounding = 'up',
  ): number {
    const freed = freeSelectors(this, this.#kernel, selectors, toSec, rounding);
    if (freed === 0) return 0;
    this.samplesFreed(toSec);
    this.removeEmptySeries((series) => this.#kernel.oldestSlot(series) === -1);
    return freed;
  }

  health(request: HealthRequest, nowSec: number): Record<string, NodeHealth> {
    return nodeHealth(this, request, nowSec);
  }
}
