import type { Metric } from '../engine/metrics.js';
import type { SelectRequest } from '../../src/model/selection.js';
import type { ResultGroup } from './groups.js';

/** Units in all groups that are kept. */
const UNITS_MAX = 100_000;

/**
 * Groups that are spread over hosts, as found when the tree had some generation: to find thousands of
 * series again takes longer than to add up what is kept of them.
 */
export class GroupCache {
  readonly #groups = new Map<string, ResultGroup[]>();
  #generation = -1;
  #count = 0;

  get(
    { clusters, select }: SelectRequest,
    index: number,
    metric: Metric,
    generation: number,
    find: () => ResultGroup[],
  ): ResultGroup[] {
    if (generation !== this.#generation || this.#count > UNITS_MAX) {
      this.#groups.clear();
      this.#generation = generation;
      this.#count = 0;
    }
    const { hosts, subClusters, scope, subScope, ids, subIds, by, aggregate } = select[index]!;
    const asked = [clusters, hosts, subClusters, scope, subScope, ids, subIds, by, aggregate];
    const key = JSON.stringify([metric.index, ...asked]);
    const known = this.#groups.get(key);
    if (known) return known;
    const groups = find();
    this.#groups.set(key, groups);
    this.#count += 1 + groups.reduce((sum, { parts }) => sum + sizeOf(parts), 0);
    return groups;
  }
}

function sizeOf(parts: ResultGroup['parts']): number {
  return parts.reduce((sum, { units }) => sum + units.count, 0);
}
