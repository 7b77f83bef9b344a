import type { SelectRequest } from '../../src/model/selection.js';
import type { SelectProblem } from '../../src/protocol/select.js';
import type { Metric } from '../engine/metrics.js';
import type { SelectTools } from './select-tools.js';
import type { Targets } from './targets.js';

/** Problems that are told of one request. */
const PROBLEMS_MAX = 20;
/** Hosts that are looked at to say what there is. */
const LOOKED_AT_MAX = 10;

/** Why selections have no results, or not all. */
export class Problems {
  readonly list: SelectProblem[] = [];

  add(select: number, error: string, isAbsence = false): void {
    if (this.list.length < PROBLEMS_MAX) this.list.push({ select, error, isAbsence });
  }

  /** Nothing was found of a metric: says what there is instead. */
  addAbsence(
    { tree, units }: SelectTools,
    { clusters, select }: SelectRequest,
    index: number,
    metric: Metric,
    targets: Targets,
  ): void {
    const levels = clusters.flatMap((cluster) =>
      targets.hostsOf(cluster).flatMap((host) => tree.find([cluster, host]) ?? []),
    );
    const some = levels.slice(0, LOOKED_AT_MAX);
    const scopes = new Set(some.flatMap((level) => units.scopesOf(level, metric)));
    const found =
      levels.length === 0
        ? 'none of these hosts is known'
        : scopes.size === 0
          ? `the hosts looked at (${some.length} of ${levels.length}) do not have it`
          : `it is stored at ${[...scopes].join(', ')}`;
    const what = `no data of metric ${metric.name} at scope ${select[index]!.scope}`;
    this.add(index, `${what} in ${clusters.join(', ')}: ${found}`, true);
  }
}
