import { setTimeout as sleep } from 'node:timers/promises';
import type { Limits, StoreConfig } from '../src/config/config.js';
import type { ReconfigureTask, ShardReconfigured } from '../src/protocol/reconfigure.js';
import { MetricUnits } from '../src/units/metric-units.js';
import type { Archiver } from './archive/archiver.js';
import type { Durability } from './durability.js';
import type { Engine } from './engine/engine.js';
import type { Level } from './engine/level-tree.js';
import type { LineUnits } from './ingest/line-units.js';
import type { HealthChecker } from './health/checker.js';
import type { Kernel } from './kernel/kernel.js';
import { SERIES_FLAG_REBIND, SERIES_FLAGS, SERIES_METRIC, SERIES_STEP } from './kernel/layout.js';
import type { Retention } from './retention.js';

/** Series are put onto another grid for so long at a time; each time prefixes are looked through. */
const TURN_MS = 10;
/** While the log can not be written, no series is. */
const LOG_WAIT_MS = 200;

export interface ReconfigurationParts {
  readonly engine: Engine;
  readonly kernel: Kernel;
  readonly retention: Retention;
  readonly units: LineUnits;
  readonly checker?: HealthChecker;
  readonly durability: Durability | undefined;
  readonly archiver: () => Archiver | undefined;
  /** Those that all parts of the shard hold: they are changed in place. */
  readonly store: StoreConfig;
  readonly limits: Limits;
}

/**
 * Applies another configuration to a running shard: in one turn, but for samples that go onto the grid of
 * another step, which takes as many as it takes. What can not be changed in a running shard was refused by
 * the front.
 */
export class Reconfiguration {
  readonly #parts: ReconfigurationParts;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: ReconfigurationParts) {
    this.#parts = parts;
  }

  /** One after the other. Resolves when all samples lie where they belong. */
  apply(task: ReconfigureTask): Promise<ShardReconfigured> {
    const applied = this.#last.then(() => this.#apply(task));
    this.#last = applied.catch(() => undefined);
    return applied;
  }

  async #apply(task: ReconfigureTask): Promise<ShardReconfigured> {
    const { engine, store, archiver } = this.#parts;
    const began = performance.now();
    const regriddedBefore = engine.regrid.seriesCount;
    const isOfMetrics = !isSame(
      [store.metrics, store.clusters],
      [task.store.metrics, task.store.clusters],
    );
    // What a run of the archive has written is freed by slots: these must not move on the way.
    const release = isOfMetrics ? await archiver()?.hold() : undefined;
    try {
      const { moved, prefixes, problems } = this.#change(task, isOfMetrics);
      await this.#regrid();
      return {
        seriesMoved: moved,
        seriesRegridded: engine.regrid.seriesCount - regriddedBefore,
        prefixesRebound: prefixes,
        milliseconds: performance.now() - began,
        problems,
      };
    } finally {
      release?.();
    }
  }

  /** The part that is done at once. */
  #change(
    task: ReconfigureTask,
    isOfMetrics: boolean,
  ): { moved: number; prefixes: number; problems: readonly string[] } {
    const { engine, kernel, retention, units, checker, durability, store, limits } = this.#parts;
    const before = new MetricUnits(store);
    Object.assign(store, task.store);
    Object.assign(limits, task.limits);
    kernel.setPrefixesMax(limits.prefixesMax);
    units.reconfigured(limits.unitMismatchesMax);
    const problems = isOfMetrics ? engine.metrics.reconfigure(store) : [];
    engine.reconfigured();
    const { moved, stale } = isOfMetrics ? this.#move(before) : { moved: 0, stale: [] };
    const prefixes = isOfMetrics ? kernel.dropStalePrefixes() : 0;
    const words = engine.words();
    for (const series of stale) words[(series + SERIES_FLAGS) >>> 2]! &= ~SERIES_FLAG_REBIND;
    retention.reconfigured();
    durability?.reconfigured();
    checker?.reconfigured();
    return { moved, prefixes, problems };
  }

  /**
   * Series go to what their metric is now, or wait for that where its step is another one. Marks those whose
   * lines mean something else now, or are not taken any more; returns them.
   */
  #move(before: MetricUnits): { moved: number; stale: number[] } {
    const { engine, store } = this.#parts;
    const { metrics, tree, regrid } = engine;
    const after = new MetricUnits(store);
    const words = engine.words();
    const stale: number[] = [];
    let moved = 0;
    const moveIn = (level: Level, cluster: string, host: Level, isStale: IsStale): void => {
      for (const series of level.series) {
        const index = words[(series + SERIES_METRIC) >>> 2]! >>> 16;
        const { name } = metrics.at(index);
        if (isStale(name)) {
          stale.push(series);
          words[(series + SERIES_FLAGS) >>> 2]! |= SERIES_FLAG_REBIND;
        }
        const metric = metrics.intern(name, cluster);
        if (!metric || metric.index === index) continue;
        if (words[(series + SERIES_STEP) >>> 2] === metric.stepSec) {
          engine.relabel(series, metric);
          moved++;
        } else regrid.add(host);
      }
      for (const child of level.children?.values() ?? []) moveIn(child, cluster, host, isStale);
    };
    for (const [cluster, { children }] of tree.root.children ?? []) {
      for (const [name, host] of children ?? []) {
        const isStale = remembered(
          (metric) =>
            before.unitOf(cluster, metric) !== after.unitOf(cluster, metric) ||
            !metrics.isTaken(metric, cluster) ||
            engine.isRemovedFrom(metric, cluster, name),
        );
        moveIn(host, cluster, host, isStale);
      }
    }
    return { moved, stale };
  }

  async #regrid(): Promise<void> {
    const { engine, durability } = this.#parts;
    let began = performance.now();
    while (engine.regrid.isPending) {
      this.#makeRoom();
      const isDone = engine.regrid.next();
      if (isDone && performance.now() - began < TURN_MS) continue;
      // Before a line comes for a series that is not there any more.
      engine.releaseReplaced();
      durability?.flush();
      await sleep(isDone ? 0 : LOG_WAIT_MS);
      began = performance.now();
    }
    engine.releaseReplaced();
    durability?.flush();
  }

  /** A finer grid takes more blocks: under a cap the oldest samples go, as always. */
  #makeRoom(): void {
    const { engine, kernel, retention } = this.#parts;
    if (!kernel.memoryLow()) return;
    engine.releaseReplaced();
    if (kernel.memoryLow()) retention.evict();
  }
}

type IsStale = (metric: string) => boolean;

/** Threads of a host have the same metrics. */
function remembered(of: IsStale): IsStale {
  const known = new Map<string, boolean>();
  return (metric) => {
    let value = known.get(metric);
    if (value === undefined) known.set(metric, (value = of(metric)));
    return value;
  };
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
