import type { QueryItem } from '../../src/model/query-request.js';
import type { Level } from './level-tree.js';
import type { Metric } from './metrics.js';

/** Members that are combined by the metric's strategy: plain series, and levels of two layers. */
export interface Group {
  readonly series: number[];
  readonly layered: Layered[];
}

/** A level that holds the metric and has children that do: its own samples go first. */
export interface Layered {
  /** Its series; 0 = it has none, and stands for the aggregate of what is below. */
  readonly own: number;
  readonly below: Group;
}

/** What is found below a level. */
export interface Below {
  readonly group: Group;
  /** Series in all layers. */
  readonly seriesCount: number;
}

const NOTHING: Below = { group: { series: [], layered: [] }, seriesCount: 0 };

/** One element of a result: what is behind it, or why there is nothing. */
export interface Element {
  readonly group: Group;
  /** Series in all layers. */
  readonly seriesCount: number;
  readonly error: string;
}

/** Address of a level's series of a metric, 0 if it has none. */
export type SeriesIn = (level: Level, metricIndex: number) => number;

/**
 * The elements a query asks for below a host: one aggregate, or one for each id in the order
 * asked. An id never seen is an element with an error, so that the others keep their places.
 * `host` is undefined if it was never seen, `metric` if it is known but never was; `generation`
 * is the tree's.
 */
export function selectElements(
  host: Level | undefined,
  item: QueryItem,
  metric: Metric | undefined,
  seriesIn: SeriesIn,
  generation: number,
): Element[] {
  const targets = targetsOf(host, item);
  const levels: Level[] = [];
  for (const target of targets) if (typeof target !== 'string') levels.push(target);
  if (item.aggreg || item.type === '') {
    const element = combined(levels, metric, seriesIn, generation);
    if (element) return [element];
    // Nothing: of a host that is no error, of ids that were named it is.
    return item.type === ''
      ? []
      : [failed(noData(item, targets.length === 0 ? 'no such level' : ''))];
  }
  return targets.map((target) =>
    typeof target === 'string'
      ? failed(target)
      : (combined([target], metric, seriesIn, generation) ?? failed(noData(item, target.name))),
  );
}

function noData(item: QueryItem, detail: string): string {
  return `no data for metric ${item.metric} of ${item.host} ${item.type} ${detail}`.trimEnd();
}

/** Levels named by type × ids × sub-type × ids; a text where one was never seen. */
function targetsOf(host: Level | undefined, item: QueryItem): (Level | string)[] {
  const first = below(host ?? `host ${item.host} was never seen`, item.type, item.typeIds);
  if (item.subtype === '') return first;
  return first.flatMap((level) => below(level, item.subtype, item.subtypeIds));
}

/** One target an id, also where there is no parent: an answer has one element an id. */
function below(parent: Level | string, type: string, ids: readonly string[]): (Level | string)[] {
  if (type === '') return [parent];
  // The host itself: its ids say nothing, yet each is owed an element.
  if (type === 'node') return ids.length === 0 ? [parent] : ids.map(() => parent);
  if (typeof parent === 'string') return ids.map(() => parent);
  if (ids.length === 0) {
    return [...(parent.children?.values() ?? [])].filter((child) => child.type === type);
  }
  return ids.map(
    (id) => parent.children?.get(type + id) ?? `${type} ${id} of ${parent.name} was never seen`,
  );
}

/** The aggregate over levels; undefined if none of them has the metric. */
function combined(
  levels: readonly Level[],
  metric: Metric | undefined,
  seriesIn: SeriesIn,
  generation: number,
): Element | undefined {
  if (!metric) return undefined;
  const group: Group = { series: [], layered: [] };
  let seriesCount = 0;
  // The host named by several ids, or an id named twice, is one child.
  for (const level of levels.length > 1 ? new Set(levels) : levels) {
    seriesCount += collect(level, metric, seriesIn, generation, group);
  }
  if (seriesCount === 0) return undefined;
  const members = group.series.length + group.layered.length;
  if (members > 1 && metric.aggregation === null) {
    return failed(`metric ${metric.name} has no aggregation, and ${members} series are asked for`);
  }
  return { group, seriesCount, error: '' };
}

/** Adds what a level contributes; returns how many series that is. */
function collect(
  level: Level,
  metric: Metric,
  seriesIn: SeriesIn,
  generation: number,
  target: Group,
): number {
  const own = seriesIn(level, metric.index);
  // A metric without aggregation has nothing to offer for the children of a level that has it.
  const isAlone = !level.children || (own !== 0 && metric.aggregation === null);
  const children = isAlone ? NOTHING : belowOf(level, metric, seriesIn, generation);
  if (own === 0) {
    for (const series of children.group.series) target.series.push(series);
    for (const layered of children.group.layered) target.layered.push(layered);
    return children.seriesCount;
  }
  if (children.seriesCount === 0) target.series.push(own);
  else target.layered.push({ own, below: children.group });
  return children.seriesCount + 1;
}

/**
 * What the children of a level hold of a metric. It is kept with the level until the tree changes:
 * a host has 150 parts, and every query for the host asks for them again.
 */
function belowOf(level: Level, metric: Metric, seriesIn: SeriesIn, generation: number): Below {
  if (level.below === null || level.belowGeneration !== generation) {
    level.below = new Map();
    level.belowGeneration = generation;
  }
  const known = level.below.get(metric.index);
  if (known) return known;
  const group: Group = { series: [], layered: [] };
  let seriesCount = 0;
  for (const child of level.children!.values()) {
    seriesCount += collect(child, metric, seriesIn, generation, group);
  }
  const found = seriesCount === 0 ? NOTHING : { group, seriesCount };
  level.below.set(metric.index, found);
  return found;
}

function failed(error: string): Element {
  return { group: { series: [], layered: [] }, seriesCount: 0, error };
}
