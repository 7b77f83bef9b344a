import { globMatcher } from '../../src/model/glob.js';
import type { Metrics } from '../engine/metrics.js';
import { METRICS_MAX } from '../engine/metrics.js';

/**
 * Numbers for names of metrics, of 16 bits: metrics with one name and different steps, as they are where
 * clusters or a change of the configuration make them, are judged as one.
 */
export class MetricNames {
  readonly #metrics: Metrics;
  readonly #ids = new Map<string, number>();
  readonly #names: string[] = [];
  /** By index of the metric, −1 = not looked up yet. */
  #idOf = new Int32Array(0);
  /** By number: whether its values are suspicious when they never change. */
  readonly #suspicious: boolean[] = [];
  #isSuspicious: (name: string) => boolean = () => false;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  get count(): number {
    return this.#names.length;
  }

  nameOf(id: number): string {
    return this.#names[id]!;
  }

  isSuspicious(id: number): boolean {
    return this.#suspicious[id]!;
  }

  /** Which ones are, by names and patterns. */
  suspect(patterns: readonly string[]): void {
    const matchers = patterns.map(globMatcher);
    this.#isSuspicious = (name) => matchers.some((matches) => matches(name));
    this.#names.forEach((name, id) => (this.#suspicious[id] = this.#isSuspicious(name)));
  }

  /** Number of the name that a metric has. */
  ofMetric(index: number): number {
    const known = index < this.#idOf.length ? this.#idOf[index]! : -1;
    if (known >= 0) return known;
    if (index >= this.#idOf.length) {
      const grown = new Int32Array(Math.max(64, 2 * (index + 1))).fill(-1);
      grown.set(this.#idOf);
      this.#idOf = grown;
    }
    const id = this.of(this.#metrics.at(index).name);
    this.#idOf[index] = id;
    return id;
  }

  /** Number of a name. There are no more names than indexes of metrics: those configured have one. */
  of(name: string): number {
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    const id = this.#names.length;
    if (id >= METRICS_MAX) throw new Error(`more than ${METRICS_MAX} names of metrics`);
    this.#ids.set(name, id);
    this.#names.push(name);
    this.#suspicious.push(this.#isSuspicious(name));
    return id;
  }
}
