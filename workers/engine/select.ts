import type { QueryItem } from '../../src/model/query-request.js';
import type { Level } from './level-tree.js';
import type { Metric } from './metrics.js';

/** One element of a result: the series behind it, or why there is none. */
export interface Element {
  /** Series that are combined. */
  readonly series: readonly number[];
  /** A level's own series, which goes before the children's aggregate where it has samples; 0 = none. */
  readonly own: number;
  /** All of them. */
  readonly all: readonly number[];
  readonly error?: string;
}

type SeriesIn = (level: Level, metric: Metric) => number;

/**
 * The elements a query asks for below a host: one aggregate, or one for each id in the order
 * asked. An id never seen is an element with an error, so that the others keep their places.
 */
export function selectElements(
  host: Level,
  item: QueryItem,
  metric: Metric,
  seriesIn: SeriesIn,
): Element[] {
  if (item.type === '' && item.subtype === '') return aggregateOf([host], metric, seriesIn);
  const targets = targetLevels(host, item);
  if (item.aggreg) {
    const levels = targets.filter((target) => typeof target !== 'string');
    return levels.length === 0 && targets.length > 0
      ? [failed(targets[0] as string)]
      : aggregateOf(levels, metric, seriesIn);
  }
  return targets.map((target) => {
    if (typeof target === 'string') return failed(target);
    const [element] = aggregateOf([target], metric, seriesIn);
    return element ?? failed(`${item.host}: ${target.name} has no ${metric.name}`);
  });
}

/** Levels named by type × ids × sub-type × ids; a text where one was never seen. */
function targetLevels(host: Level, item: QueryItem): (Level | string)[] {
  const first = childrenOf(host, item.type, item.typeIds, item.host);
  if (item.subtype === '') return first;
  return first.flatMap((level) =>
    typeof level === 'string' ? [level] : childrenOf(level, item.subtype, item.subtypeIds, item.host),
  );
}

function childrenOf(
  parent: Level,
  type: string,
  ids: readonly string[],
  host: string,
): (Level | string)[] {
  if (type === '' || type === 'node') return [parent];
  if (ids.length === 0) {
    return [...(parent.children?.values() ?? [])].filter((child) => child.type === type);
  }
  return ids.map(
    (id) => parent.children?.get(type + id) ?? `${host}: ${type} "${id}" was never seen`,
  );
}

/** The aggregate over levels: none, one or an error. */
function aggregateOf(levels: readonly Level[], metric: Metric, seriesIn: SeriesIn): Element[] {
  if (levels.length === 1) {
    const own = seriesIn(levels[0]!, metric);
    const below = seriesBelow(levels[0]!, metric, seriesIn);
    if (own === 0 && below.length === 0) return [];
    if (below.length === 0) return [{ series: [own], own: 0, all: [own] }];
    if (own !== 0 && metric.aggregation === null) return [{ series: [own], own: 0, all: [own] }];
    return [combined(below, own, metric)];
  }
  const series = levels.flatMap((level) => {
    const own = seriesIn(level, metric);
    return own !== 0 ? [own] : seriesBelow(level, metric, seriesIn);
  });
  return series.length === 0 ? [] : [combined(series, 0, metric)];
}

function combined(series: readonly number[], own: number, metric: Metric): Element {
  if (series.length > 1 && metric.aggregation === null) {
    return failed(
      `metric ${metric.name} has no aggregation, and ${series.length} series would have to be combined`,
    );
  }
  return { series, own, all: own === 0 ? series : [...series, own] };
}

/** Series of the metric below a level; below a level that has one, nothing further is looked at. */
function seriesBelow(level: Level, metric: Metric, seriesIn: SeriesIn): number[] {
  if (!level.children) return [];
  const found: number[] = [];
  for (const child of level.children.values()) {
    const own = seriesIn(child, metric);
    if (own !== 0) found.push(own);
    else if (child.children) found.push(...seriesBelow(child, metric, seriesIn));
  }
  return found;
}

function failed(error: string): Element {
  return { series: [], own: 0, all: [], error };
}
