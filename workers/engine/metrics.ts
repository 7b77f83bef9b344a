import type { MetricConfig } from '../../src/config/config.js';

/** Metric indexes are 16-bit in a series record. */
export const METRICS_MAX = 65_535;
/** The configured metric that stands for every other. */
const ANY = '*';

export interface Metric {
  readonly index: number;
  readonly name: string;
  readonly stepSec: number;
  readonly aggregation: 'sum' | 'avg' | null;
}

/** The metrics of a shard: those configured, and with a `*` metric any other that is met. */
export class Metrics {
  readonly #byName = new Map<string, Metric>();
  readonly #byIndex: Metric[] = [];
  readonly #any: MetricConfig | undefined;

  constructor(configured: Readonly<Record<string, MetricConfig>>) {
    this.#any = configured[ANY];
    for (const [name, config] of Object.entries(configured)) {
      if (name !== ANY) this.#add(name, config);
    }
  }

  /** Whether lines of this metric are stored. Remembers nothing. */
  isKnown(name: string): boolean {
    return this.#any !== undefined || this.#byName.has(name);
  }

  /** A metric that is configured or was stored before. */
  find(name: string): Metric | undefined {
    return this.#byName.get(name);
  }

  /** The same, met for the first time or not; undefined if unknown or if there are too many. */
  intern(name: string): Metric | undefined {
    return (
      this.#byName.get(name) ??
      (this.#any && this.#byIndex.length < METRICS_MAX ? this.#add(name, this.#any) : undefined)
    );
  }

  /** All of them, by index. */
  all(): readonly Metric[] {
    return this.#byIndex;
  }

  at(index: number): Metric {
    return this.#byIndex[index]!;
  }

  #add(name: string, config: MetricConfig): Metric {
    const metric: Metric = {
      index: this.#byIndex.length,
      name,
      stepSec: config.frequency,
      aggregation: config.aggregation,
    };
    this.#byName.set(name, metric);
    this.#byIndex.push(metric);
    return metric;
  }
}
