import type { Aggregate } from '../../src/model/selection.js';
import type { Level } from '../engine/level-tree.js';
import type { Metric } from '../engine/metrics.js';
import type { Group } from '../engine/select.js';
import type { Scope, UnitFinder, Units } from './units.js';

/** What one host contributes to a group. */
export interface Part {
  readonly metric: Metric;
  readonly units: Units;
  readonly seriesCount: number;
  /** All that is in the units, where it can be combined at once; undefined: unit by unit. */
  readonly flat: Group | undefined;
  /** Names `flat` among all that are kept; '' = it is not kept. */
  readonly cacheKey: string;
  /** One of its series: all of a host have their windows at the same slots. */
  readonly firstSeries: number;
}

/**
 * The part of a host in a group. `isAlone`: the group has no other unit. `isWhole`: these are all
 * units of the scope.
 */
export function makePart(
  host: Level,
  metric: Metric,
  units: Units,
  scopeKey: string,
  operation: Aggregate,
  isAlone: boolean,
  isWhole: boolean,
): Part {
  const { seriesCount } = units;
  const flat = flatGroup(metric, units, operation, isAlone);
  const [first] = units.count === 1 ? units.list : [];
  const name = first ? first.type + first.id : `*${scopeKey}`;
  const cacheKey = isWhole ? `${host.index}/${metric.index}/${name}` : '';
  const { series } = units.plain ?? units.list[0]!.group;
  return { metric, units, seriesCount, flat, cacheKey, firstSeries: series[0] ?? 0 };
}

function flatGroup(
  metric: Metric,
  units: Units,
  operation: Aggregate,
  isAlone: boolean,
): Group | undefined {
  if (isAlone && operation === metric.aggregation) return units.list[0]!.group;
  const areSums = operation === 'sum' && metric.aggregation === 'sum';
  if (!areSums && operation !== 'sum' && operation !== 'avg') return undefined;
  if (units.plain) return units.plain;
  // One loop: there are thousands of units, and `flatMap` takes five times as long.
  const flat: Group = { series: [], layered: [] };
  for (const { group, seriesCount } of units.list) {
    const isSingle = group.series.length === 1 && seriesCount === 1;
    if (!areSums && !isSingle) return undefined;
    for (const series of group.series) flat.series.push(series);
    for (const layered of group.layered) flat.layered.push(layered);
  }
  return flat;
}

/** Units kept over all hosts, metrics and scopes. */
const UNITS_MAX = 100_000;

/** Units of hosts, found once for each generation of the tree. */
export class HostUnitsCache {
  readonly #finder: UnitFinder;
  #known = new Map<string, Map<Level, Units>>();
  #generation = -1;
  #count = 0;

  constructor(finder: UnitFinder) {
    this.#finder = finder;
  }

  find(host: Level, metric: Metric, scope: Scope, scopeKey: string, generation: number): Units {
    if (generation !== this.#generation || this.#count > UNITS_MAX) {
      this.#known = new Map();
      this.#generation = generation;
      this.#count = 0;
    }
    const key = `${metric.index}/${scopeKey}`;
    let hosts = this.#known.get(key);
    if (!hosts) this.#known.set(key, (hosts = new Map()));
    const known = hosts.get(host);
    if (known) return known;
    const units = this.#finder.find(host, metric, scope);
    hosts.set(host, units);
    this.#count += units.count + 1;
    return units;
  }
}
