import type { ParsedQuery } from './query-request.js';

/** Of a series: where below its host it is; empty for the host itself. */
export interface ScopedSeries {
  readonly metric: string;
  readonly type: string;
  readonly typeId: string;
}

/** Which series a request needs: no more of the archive has to be read. */
export class QueryScope {
  /** null = all of the cluster. */
  readonly hosts: readonly string[] | null;
  readonly metrics: readonly string[];
  /** By host and metric: types that are asked for, each with its ids; no id = all of them. */
  readonly #types = new Map<string, Map<string, Set<string>>>();
  readonly #forAll: ReadonlySet<string>;

  constructor({ queries, forAllNodes }: Pick<ParsedQuery, 'queries' | 'forAllNodes'>) {
    this.hosts = forAllNodes ? null : [...new Set(queries.map(({ host }) => host))];
    this.metrics = [...new Set([...queries.map(({ metric }) => metric), ...(forAllNodes ?? [])])];
    this.#forAll = new Set(forAllNodes);
    for (const { host, metric, type, typeIds } of queries) {
      const key = keyOf(host, metric);
      const types = this.#types.get(key) ?? new Map<string, Set<string>>();
      const ids = types.get(type) ?? new Set(typeIds);
      // One query for all of them, and one for some.
      if (ids.size > 0) for (const id of typeIds) ids.add(id);
      types.set(type, typeIds.length === 0 ? new Set() : ids);
      this.#types.set(key, types);
    }
  }

  /**
   * Those of a host's series that are needed. Where a level is asked for that has the metric itself,
   * what is below it is not; where it does not, all that is below is aggregated.
   */
  of<Series extends ScopedSeries>(host: string, series: readonly Series[]): Series[] {
    const own = new Set(series.flatMap(({ metric, type }) => (type === '' ? metric : [])));
    return series.filter(({ metric, type, typeId }) => {
      const types = this.#types.get(keyOf(host, metric));
      const isNodeAsked = this.#forAll.has(metric) || types?.has('') === true;
      if (isNodeAsked && (type === '' || !own.has(metric))) return true;
      const ids = types?.get(type);
      return ids !== undefined && (ids.size === 0 || ids.has(typeId));
    });
  }
}

function keyOf(host: string, metric: string): string {
  return `${host}\n${metric}`;
}
