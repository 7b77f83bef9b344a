import type { SelectRequest } from '../../src/model/selection.js';
import { absenceText, type SelectProblem } from '../../src/protocol/select.js';
import type { SelectTools } from './select-tools.js';
import type { Targets } from './targets.js';
import type { Variants } from './variants.js';

/** Problems that are told of one request. */
const PROBLEMS_MAX = 20;
/** Absences that are told to the front, which tells only those that all shards have. */
const ABSENCES_MAX = 1000;
/** Hosts that are looked at to say what there is. */
const LOOKED_AT_MAX = 10;

/** Why selections have no results, or not all. */
export class Problems {
  readonly list: SelectProblem[] = [];
  #absences = 0;

  add(select: number, error: string): void {
    if (this.list.length - this.#absences < PROBLEMS_MAX) this.list.push({ select, error });
  }

  /** Nothing was found of a metric, or there is nothing (no variants): says what there is instead. */
  addAbsence(
    { tree, units }: SelectTools,
    { clusters, select }: SelectRequest,
    index: number,
    name: string,
    variants: Variants,
    targets: Targets,
  ): void {
    if (this.#absences >= ABSENCES_MAX) return;
    this.#absences++;
    const levels = clusters.flatMap((cluster) =>
      targets.hostsOf(cluster).flatMap((host) => {
        const level = tree.find([cluster, host]);
        return level ? [{ level, metric: variants.get(cluster) }] : [];
      }),
    );
    const some = levels.slice(0, LOOKED_AT_MAX);
    const types = some.flatMap(({ level, metric }) =>
      metric ? units.scopesOf(level, metric) : [],
    );
    const { scope, subScope } = select[index]!;
    const place = subScope === '' ? scope : `${scope}/${subScope}`;
    const absence = {
      metric: name,
      what: `no data of metric ${name} at scope ${place} in ${clusters.join(', ')}`,
      hosts: levels.length,
      lookedAt: some.length,
      types: [...new Set(types)],
    };
    this.list.push({ select: index, error: absenceText(absence), absence });
  }
}
