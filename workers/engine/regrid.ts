import type { Kernel } from '../kernel/kernel.js';
import type { RegridRecord } from '../log/regrid-record.js';
import { SERIES_ID, SERIES_METRIC, SERIES_STEP } from '../kernel/layout.js';
import { convertStep } from './convert-step.js';
import type { Engine } from './engine.js';
import type { Level } from './level-tree.js';
import type { Metric } from './metrics.js';

/** Notes that a series is about to be put onto another grid; false: that can not be logged now. */
export type OnRegrid = (record: RegridRecord) => boolean;

/**
 * Series that lie on the grid of another step than their metric has now, since the configuration changed.
 * They are put onto the new grid host by host, in turns, and before somebody asks for them. Until then
 * they take their samples as before: none is lost on the way.
 */
export class Regrid {
  readonly #engine: Engine;
  readonly #kernel: Kernel;
  readonly #memory: WebAssembly.Memory;
  /** Hosts that have such series. */
  readonly #hosts = new Set<Level>();
  /** Set where there is a log. */
  onRegrid: OnRegrid = () => true;
  /** Since the start. */
  seriesCount = 0;

  constructor(engine: Engine, kernel: Kernel, memory: WebAssembly.Memory) {
    this.#engine = engine;
    this.#kernel = kernel;
    this.#memory = memory;
  }

  /** The host has a series of a metric whose step has changed. */
  add(host: Level): void {
    this.#hosts.add(host);
  }

  get isPending(): boolean {
    return this.#hosts.size > 0;
  }

  /** A level's series of a metric that is still on the old grid, 0 if there is none. */
  waitingIn(level: Level, metric: Metric): number {
    const { metrics } = this.#engine;
    const words = this.#engine.words();
    for (const series of level.series) {
      const index = words[(series + SERIES_METRIC) >>> 2]! >>> 16;
      if (index !== metric.index && metrics.at(index).name === metric.name) return series;
    }
    return 0;
  }

  /** Puts a metric of a host onto its grid, before it is asked for. */
  settle(host: Level, metric: Metric): void {
    // Fast path: nothing was changed lately.
    if (this.#hosts.size === 0 || !this.#hosts.has(host)) return;
    this.#convertHost(host, (name) => name === metric.name);
  }

  /** All of the next host; false if nothing is left, or it can not be logged now. */
  next(): boolean {
    const [host] = this.#hosts;
    if (!host || !this.#convertHost(host, () => true)) return false;
    this.#hosts.delete(host);
    return true;
  }

  /** False: not all could be converted, as the log is not written. */
  #convertHost(host: Level, isWanted: (metric: string) => boolean): boolean {
    const { tree, metrics } = this.#engine;
    const cluster = host.parent!.name;
    let isDone = true;
    tree.visit(host, (level) => {
      // A copy: each is replaced by another one.
      for (const series of level.series.slice()) {
        const words = this.#engine.words();
        const now = metrics.at(words[(series + SERIES_METRIC) >>> 2]! >>> 16);
        const metric = metrics.find(now.name, cluster);
        if (!metric || metric.index === now.index || !isWanted(now.name)) continue;
        isDone = this.#convert(series, metric) && isDone;
      }
    });
    return isDone;
  }

  #convert(series: number, metric: Metric): boolean {
    const engine = this.#engine;
    const words = engine.words();
    // The other way round, and it is as it should be.
    if (words[(series + SERIES_STEP) >>> 2] === metric.stepSec) {
      engine.relabel(series, metric);
      return true;
    }
    const oldId = words[(series + SERIES_ID) >>> 2]!;
    const { stepSec } = metric;
    if (!this.onRegrid({ oldId, newId: engine.nextId, stepSec })) return false;
    // A restart does the same from the same samples: they are in the log, or in a checkpoint, already.
    const paused = this.#kernel.pauseLog();
    const id = engine.nextId++;
    convertStep(engine, this.#kernel, this.#memory, series, metric, stepSec, id);
    this.#kernel.resumeLog(paused);
    this.seriesCount++;
    return true;
  }
}
