import type { Engine } from '../engine/engine.js';
import type { Level } from '../engine/level-tree.js';
import type { Kernel } from '../kernel/kernel.js';
import {
  ANSWER_BASE,
  QUERY_SCRATCH_BASE,
  QUERY_SCRATCH_BYTES,
  RESTORE_UNSOUND,
  SAVED_BYTES,
  SERIES_METRIC,
  SERIES_STEP,
  STAGING_BASE,
  STAGING_BYTES,
} from '../kernel/layout.js';
import { NAME_END, readLevels, readSeries, type LevelRecord } from './level-record.js';
import type { ClusterMetrics, RestoredMetrics } from './restored-metrics.js';
import type { ReadSection } from './section-file.js';
import type { SeriesTable } from './series-table.js';

export interface RestoredLevelsParts {
  readonly memory: WebAssembly.Memory;
  readonly kernel: Kernel;
  readonly engine: Engine;
  readonly owns: (cluster: string, host: string) => boolean;
  readonly table: SeriesTable;
  readonly metrics: RestoredMetrics;
  /** Whether numbers of series go on; else they get new ones. */
  readonly isOwn: boolean;
  /** Takes series that lie on the grid of another step than their metric has now. */
  readonly converted: Set<number>;
  /** Told of series whose metric, by its index in the manifest, is not configured any more. */
  readonly onUnknown: (cluster: string, index: number) => void;
  /** Told of series whose state makes no sense. */
  readonly onUnsound: (cluster: string, host: string, metric: string) => void;
}

/** Nobody asks while a store is restored: addresses, then metrics, lie where queries work. */
const MADE_MAX = Math.floor(STAGING_BYTES / SAVED_BYTES);
const METRICS_BASE = QUERY_SCRATCH_BASE + MADE_MAX * 4;
const METRICS_WORDS = (QUERY_SCRATCH_BASE + QUERY_SCRATCH_BYTES - METRICS_BASE) >>> 2;

/** What is the same for all levels of a host. */
interface HostRecord {
  readonly cluster: string;
  readonly host: string;
  readonly frame: number;
  readonly isOwned: boolean;
  readonly stagger: number;
  readonly metrics: ClusterMetrics;
}

/** Makes the levels and series that a checkpoint's sections of series have. */
export class RestoredLevels {
  readonly #parts: RestoredLevelsParts;
  /** Fixed regions: these views stay good when the heap grows. */
  readonly #made: Uint32Array;
  readonly #metricsArea: Uint32Array;
  /** Levels come host by host. */
  #host: HostRecord | undefined;
  /** By cluster and host: the frame it was saved at. */
  readonly #frames = new Map<string, number>();
  /** Series made so far. */
  count = 0;

  constructor(parts: RestoredLevelsParts) {
    this.#parts = parts;
    const { buffer } = parts.memory;
    this.#made = new Uint32Array(buffer, QUERY_SCRATCH_BASE, MADE_MAX);
    this.#metricsArea = new Uint32Array(buffer, METRICS_BASE, METRICS_WORDS);
  }

  /** The frame a host was saved at, 0 if it was not. */
  frameOf(cluster: string, host: string): number {
    return this.#frames.get(hostKey(cluster, host)) ?? 0;
  }

  /** Restores a section, level by level. Throws where one makes no sense. */
  take(section: ReadSection): void {
    // Others have worked in the area of the metrics since the last section.
    this.#host = undefined;
    for (const level of readLevels(section.bytes)) this.#level(level, section);
  }

  #level(record: LevelRecord, section: ReadSection): void {
    const { cluster, host, path, frame, seriesCount } = record;
    const { isOwned, stagger, metrics } = this.#hostOf(record);
    if (!isOwned) return;
    const { engine, kernel, table, isOwn } = this.#parts;
    const base = STAGING_BASE + section.areaAt;
    const from = base + record.at;
    const idEnd = kernel.checkLevel(from, base + record.until, seriesCount) >>> 0;
    if (idEnd === 0) throw new Error('a series makes no sense');
    table.growTo(idEnd);
    const level = engine.tree.getOrCreatePath(cluster, host, path);
    const firstId = isOwn ? 0 : engine.nextId;
    const { index } = level;
    const count = kernel.restoreLevel(
      from,
      seriesCount,
      index,
      stagger,
      frame,
      firstId,
      QUERY_SCRATCH_BASE,
    );
    if (!isOwn) engine.nextId += count;
    this.#adopt(level, record, section, metrics);
    this.count += count;
  }

  /** Tells engine and tree of what the kernel made. */
  #adopt(
    level: Level,
    record: LevelRecord,
    { bytes }: ReadSection,
    { known, haveTheirSteps }: ClusterMetrics,
  ): void {
    const { engine, onUnknown, onUnsound } = this.#parts;
    const { cluster, host, seriesCount } = record;
    // Of its length from the start: an array that grows has room to spare, and the tree keeps it.
    const made = Array<number>(seriesCount);
    let count = 0;
    let isOdd = false;
    for (let i = 0; i < seriesCount; i++) {
      const entry = this.#made[i]!;
      isOdd ||= entry === 0 || (entry & RESTORE_UNSOUND) !== 0;
      if (entry !== 0) made[count++] = (entry & ~RESTORE_UNSOUND) >>> 0;
    }
    made.length = count;
    if (isOdd) {
      let i = 0;
      for (const saved of readSeries(bytes, record)) {
        const entry = this.#made[i++]!;
        if (entry === 0) onUnknown(cluster, saved.metric);
        else if (entry & RESTORE_UNSOUND) onUnsound(cluster, host, known[saved.metric]!.name);
      }
    }
    engine.adoptSeries(made);
    engine.tree.addAllSeries(level, made);
    if (!haveTheirSteps) this.#noteConverted(made);
  }

  #noteConverted(made: readonly number[]): void {
    const { engine, converted } = this.#parts;
    const words = engine.words();
    for (const series of made) {
      const metric = engine.metrics.at(words[(series + SERIES_METRIC) >>> 2]! >>> 16);
      if (words[(series + SERIES_STEP) >>> 2] !== metric.stepSec) converted.add(series);
    }
  }

  #hostOf({ cluster, host, frame }: LevelRecord): HostRecord {
    const last = this.#host;
    if (last?.host === host && last.cluster === cluster && last.frame === frame) return last;
    const { engine, kernel, owns, metrics: ofClusters } = this.#parts;
    const isOwned = owns(cluster, host);
    const metrics = ofClusters.of(cluster);
    if (isOwned) {
      this.#frames.set(hostKey(cluster, host), frame);
      this.#metricsArea.set(metrics.entries);
      kernel.setRestoreTables(ANSWER_BASE, METRICS_BASE, metrics.known.length);
    }
    const stagger = engine.staggerOf(cluster, host);
    this.#host = { cluster, host, frame, isOwned, stagger, metrics };
    return this.#host;
  }
}

function hostKey(cluster: string, host: string): string {
  return cluster + NAME_END + host;
}
