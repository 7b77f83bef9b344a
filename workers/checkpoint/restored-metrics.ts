import type { Metric, Metrics } from '../engine/metrics.js';
import { RESTORE_UNKNOWN } from '../kernel/layout.js';
import type { Manifest } from './manifest.js';

type SavedMetrics = Manifest['metrics'];

/** What metrics of a manifest are in a cluster. */
export interface ClusterMetrics {
  readonly known: readonly (Metric | undefined)[];
  /** Whether each was saved with the step that it has now. */
  readonly haveTheirSteps: boolean;
  /** For the kernel: see RESTORE_METRIC_BYTES. */
  readonly entries: Uint32Array;
}

/** What the metrics of a checkpoint are now: clusters may have them at steps of their own. */
export class RestoredMetrics {
  readonly #metrics: Metrics;
  #saved: SavedMetrics = [];
  readonly #byCluster = new Map<string, ClusterMetrics>();
  readonly #unknown = new Set<string>();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** Those of a manifest, by the indexes that series in its files have. */
  begin(saved: SavedMetrics): void {
    this.#saved = saved;
    this.#byCluster.clear();
  }

  /** By their index in the manifest; undefined: not configured any more. */
  of(cluster: string): ClusterMetrics {
    let metrics = this.#byCluster.get(cluster);
    if (!metrics) {
      const known = this.#saved.map(({ name }) => this.#metrics.intern(name, cluster));
      const isOfStep = (metric: Metric | undefined, index: number): boolean =>
        !metric || metric.stepSec === this.#saved[index]!.stepSec;
      metrics = { known, haveTheirSteps: known.every(isOfStep), entries: this.#entriesOf(known) };
      this.#byCluster.set(cluster, metrics);
    }
    return metrics;
  }

  #entriesOf(known: readonly (Metric | undefined)[]): Uint32Array {
    const entries = known.map((metric, index) => [
      metric?.index ?? RESTORE_UNKNOWN,
      this.#saved[index]!.stepSec,
    ]);
    return Uint32Array.from(entries.flat());
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
