import { joinSpans, sortScopes, type MetricEntry, type Span } from '../../src/model/catalogue.js';
import { partsOf } from './level-parts.js';
import type { Level } from './level-tree.js';
import type { Metric, Metrics } from './metrics.js';

type Summary = Pick<MetricEntry, 'scopes' | 'subTypes' | 'seriesCount' | 'firstSec' | 'lastSec'>;

interface Collected {
  readonly scopes: Set<string>;
  readonly subTypes: Set<string>;
  seriesCount: number;
  span: Span;
}

/** What series of a cluster have in common, by metric. */
export class MetricSummaries {
  readonly #metrics: Metrics;
  readonly #isWanted: (name: string) => boolean;
  /** By metric index; null = it is not wanted. */
  readonly #collected = new Map<number, Collected | null>();

  constructor(metrics: Metrics, isWanted: (name: string) => boolean) {
    this.#metrics = metrics;
    this.#isWanted = isWanted;
  }

  add(metricIndex: number, level: Level, span: Span): void {
    let collected = this.#collected.get(metricIndex);
    if (collected === undefined) {
      const isWanted = this.#isWanted(this.#metrics.at(metricIndex).name);
      collected = isWanted ? nothing() : null;
      this.#collected.set(metricIndex, collected);
    }
    if (!collected) return;
    const { type, subType } = partsOf(level);
    collected.scopes.add(type);
    if (subType !== '') collected.subTypes.add(subType);
    collected.seriesCount++;
    collected.span = joinSpans(collected.span, span);
  }

  /** By name. */
  sorted(): [Metric, Summary][] {
    const found: [Metric, Summary][] = [];
    for (const [index, collected] of this.#collected) {
      if (!collected) continue;
      const { scopes, subTypes, seriesCount, span } = collected;
      const summary = {
        scopes: sortScopes(scopes),
        subTypes: [...subTypes].sort(),
        seriesCount,
        firstSec: span.firstSec,
        lastSec: span.lastSec,
      };
      found.push([this.#metrics.at(index), summary]);
    }
    return found.sort(([a], [b]) => (a.name < b.name ? -1 : 1));
  }
}

function nothing(): Collected {
  const span = { firstSec: null, lastSec: null };
  return { scopes: new Set(), subTypes: new Set(), seriesCount: 0, span };
}
