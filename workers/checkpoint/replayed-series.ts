import { convertStep } from '../engine/convert-step.js';
import type { Engine } from '../engine/engine.js';
import type { Kernel } from '../kernel/kernel.js';
import { SERIES_METRIC } from '../kernel/layout.js';
import { readRegridRecord } from '../log/regrid-record.js';
import { readSeriesRecord, type SeriesRecord } from '../log/series-record.js';
import type { SeriesTable } from './series-table.js';

export interface ReplayParts {
  readonly memory: WebAssembly.Memory;
  readonly kernel: Kernel;
  readonly engine: Engine;
  readonly table: SeriesTable;
  /** The folder is this shard's own: numbers of series go on. */
  readonly isOwn: boolean;
  /** Whether this shard owns a host. */
  readonly owns: (cluster: string, host: string) => boolean;
  /** The frame that a host was saved at. */
  readonly frameOf: (cluster: string, host: string) => number;
  /** Series that lie on the grid of another step than their metric has now. */
  readonly converted: Set<number>;
  /** Told of series whose metric is not configured any more. */
  readonly onUnknown: (record: SeriesRecord) => void;
}

/** Makes the series that the log tells of. */
export class ReplayedSeries {
  readonly #parts: ReplayParts;
  /** How many were made. */
  count = 0;

  constructor(parts: ReplayParts) {
    this.#parts = parts;
  }

  /** A record of kind RECORD_SERIES. */
  make(bytes: Buffer, frame: number): void {
    const record = readSeriesRecord(bytes);
    const { engine, table, isOwn, owns, frameOf, converted, onUnknown } = this.#parts;
    if (!record || !owns(record.cluster, record.host)) return;
    const { id, stepSec, cluster, host } = record;
    if (table.at(id) !== 0) return;
    // Its host was saved later, and without it: it was freed in between.
    if (frameOf(cluster, host) > frame) return;
    const metric = engine.metrics.intern(record.metric, cluster);
    if (!metric) {
      onUnknown(record);
      return;
    }
    const level = engine.tree.getOrCreatePath(cluster, host, record.path);
    const own = isOwn ? id : engine.nextId++;
    const stagger = engine.staggerOf(cluster, host);
    const old = engine.seriesOf(level, metric.index);
    const series = engine.makeSeries(level, metric, stepSec, stagger, own);
    if (old === 0) {
      engine.tree.addSeries(level, series);
      this.count++;
    } else {
      // It had nothing left and was removed, which is not in the log: no sample of it follows.
      engine.replaceSeries(level, old, series);
    }
    if (stepSec !== metric.stepSec) converted.add(series);
    table.bind(id, series, frame);
  }

  /** A record of kind RECORD_REGRID: the same is done to the same samples again. */
  regrid(bytes: Buffer, frame: number): void {
    const { engine, kernel, memory, table, isOwn, converted } = this.#parts;
    const record = readRegridRecord(bytes);
    const old = record ? table.at(record.oldId) : 0;
    // Its host was saved later, when that had been done; or it was freed, or is another shard's.
    if (!record || old === 0 || table.at(record.newId) !== 0) return;
    const { newId, stepSec } = record;
    const metric = engine.metrics.at(engine.words()[(old + SERIES_METRIC) >>> 2]! >>> 16);
    const own = isOwn ? newId : engine.nextId++;
    const series = convertStep(engine, kernel, memory, old, metric, stepSec, own);
    converted.delete(old);
    if (stepSec !== metric.stepSec) converted.add(series);
    table.bind(newId, series, frame);
  }
}
