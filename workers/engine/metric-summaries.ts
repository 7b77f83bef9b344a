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
  /** By metric index; null = it is not wanted. */
  readonly #collected = new Map<number, Collected | null>();
  /** Series of a level come together. */
  #level: Level | undefined;
  #parts: LevelParts | undefined;

  constructor(metrics: Metrics, isWanted: (name: string) => boolean) {
    this.#metrics = metrics;
    this.#isWanted = isWanted;
  }

  add(metricIndex: number, level: Level, firstSec: number, lastSec: number): void {
    let collected = this.#collected.get(metricIndex);
    if (collected === undefined) {
      const isWanted = this.#isWanted(this.#metrics.at(metricIndex).name);
      collected = isWanted ? nothing() : null;
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

  /** By name. */
  sorted(): [Metric, Summary][] {
    const found: [Metric, Summary][] = [];
    for (const [index, collected] of this.#collected) {
      if (!collected) continue;
      const { scopes, subTypes, total } = collected;
      const types = { scopes: sortScopes(scopes), subTypes: [...subTypes].sort() };
      found.push([this.#metrics.at(index), { ...types, ...total.toData() }]);
    }
    return found.sort(([a], [b]) => (a.name < b.name ? -1 : 1));
  }
}

function nothing(): Collected {
  return { scopes: new Set(), subTypes: new Set(), total: new SeriesTotal() };
}
