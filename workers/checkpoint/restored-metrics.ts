import type { Metric, Metrics } from '../engine/metrics.js';
import type { Manifest } from './manifest.js';

type SavedMetrics = Manifest['metrics'];

/** What the metrics of a checkpoint are now: clusters may have them at steps of their own. */
export class RestoredMetrics {
  readonly #metrics: Metrics;
  #saved: SavedMetrics = [];
  readonly #byCluster = new Map<string, readonly (Metric | undefined)[]>();
  readonly #unknown = new Set<string>();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** Those of a manifest, by the indexes that series in its files have. */
  begin(saved: SavedMetrics): void {
    this.#saved = saved;
    this.#byCluster.clear();
  }

  /** By index; undefined: not configured any more. */
  of(cluster: string): readonly (Metric | undefined)[] {
    let metrics = this.#byCluster.get(cluster);
    if (!metrics) {
      metrics = this.#saved.map(({ name }) => this.#metrics.intern(name, cluster));
      this.#byCluster.set(cluster, metrics);
    }
    return metrics;
  }

  /** The step that series of an index were saved with. */
  stepOf(index: number): number {
    return this.#saved[index]!.stepSec;
  }

  nameOf(index: number): string {
    return this.#saved[index]?.name ?? `number ${index}`;
  }

  /** Whether it is the first time that this one is met. */
  noteUnknown(name: string): boolean {
    if (this.#unknown.has(name)) return false;
    this.#unknown.add(name);
    return true;
  }
}
