import { sortScopes, type MetricEntry } from '../../src/model/catalogue.js';
import { partsOf, type LevelParts } from './level-parts.js';
import type { Level } from './level-tree.js';
import type { Metric, Metrics } from './metrics.js';
import { SeriesTotal } from './series-total.js';

type Summary = Pick<MetricEntry, 'scopes' | 'subTypes' | 'seriesCount' | 'firstSec' | 'lastSec'>;

interface Collected {
  readonly scopes: Set<string>;
  readonly subTypes: Set<string>;
  readonly total: SeriesTotal;
}

/** What series of a cluster have in common, by metric. */
export class MetricSummaries {
  readonly #metrics: Metrics;
  readonly #isWanted: (name: string) => boolean;
  readonly #cluster: string;
  /** By metric index; null = it is not wanted. Of one name there is one. */
  readonly #collected = new Map<number, Collected | null>();
  readonly #byName = new Map<string, [Metric, Collected]>();
  /** Series of a level come together. */
  #level: Level | undefined;
  #parts: LevelParts | undefined;

  constructor(metrics: Metrics, cluster: string, isWanted: (name: string) => boolean) {
    this.#metrics = metrics;
    this.#cluster = cluster;
    this.#isWanted = isWanted;
  }

  add(metricIndex: number, level: Level, firstSec: number, lastSec: number): void {
    let collected = this.#collected.get(metricIndex);
    if (collected === undefined) {
      collected = this.#begin(this.#metrics.at(metricIndex));
      this.#collected.set(metricIndex, collected);
    }
    if (!collected) return;
    if (level !== this.#level) {
      this.#level = level;
      this.#parts = partsOf(level);
    }
    const { type, subType } = this.#parts!;
    collected.scopes.add(type);
    if (subType !== '') collected.subTypes.add(subType);
    collected.total.add(firstSec, lastSec);
  }

  /** Series may still have another step than their metric: it is listed as what it is now. */
  #begin(found: Metric): Collected | null {
    const { name } = found;
    if (!this.#isWanted(name)) return null;
    const known = this.#byName.get(name);
    if (known) return known[1];
    const collected = nothing();
    const metric = this.#metrics.find(name, this.#cluster) ?? found;
    this.#byName.set(name, [metric, collected]);
    return collected;
  }

  /** By name. */
  sorted(): [Metric, Summary][] {
    const found: [Metric, Summary][] = [];
    for (const [metric, collected] of this.#byName.values()) {
      const { scopes, subTypes, total } = collected;
      const types = { scopes: sortScopes(scopes), subTypes: [...subTypes].sort() };
      found.push([metric, { ...types, ...total.toData() }]);
    }
    return found.sort(([a], [b]) => (a.name < b.name ? -1 : 1));
  }
}

function nothing(): Collected {
  return { scopes: new Set(), subTypes: new Set(), total: new SeriesTotal() };
}
