/** Slots of a series by number; what is not there is missing. */
export type Slots = Map<number, number>;

export interface Metric {
  readonly name: string;
  readonly step: number;
  readonly aggregation: 'sum' | 'avg' | null;
}

interface Level {
  readonly name: string;
  readonly series: Map<string, Slots>;
  readonly children: Map<string, Level>;
}

/** A series, or one that is asked first with what lies below it. */
export interface Member {
  readonly own: Slots;
  readonly below: readonly Member[];
}

/** The nearest slot, ties to the lower one. */
export function slotAt(timeSec: number, step: number): number {
  return Math.ceil((timeSec - Math.floor(step / 2)) / step);
}

/**
 * What the store should be, as plainly as it can be said: a tree of levels with a map of slots for
 * each metric. Series without samples do not exist.
 */
export class NaiveStore {
  readonly hosts = new Map<string, Level>();

  /** `path` is a host, a third level such as `hwthread7`, a fourth. */
  slots(path: readonly string[], metric: string): Slots {
    let levels = this.hosts;
    let level: Level | undefined;
    for (const name of path) {
      level = levels.get(name);
      if (!level) levels.set(name, (level = newLevel(name)));
      levels = level.children;
    }
    if (!level!.series.has(metric)) level!.series.set(metric, new Map());
    return level!.series.get(metric)!;
  }

  find(path: readonly string[]): Level | undefined {
    let level: Level | undefined;
    let levels: Map<string, Level> | undefined = this.hosts;
    for (const name of path) {
      level = levels?.get(name);
      levels = level?.children;
    }
    return level;
  }

  /** Every series of a host: its path, metric and slots. */
  *seriesOf(host: string): Generator<{ path: string[]; metric: string; slots: Slots }> {
    const level = this.hosts.get(host);
    if (level) yield* seriesBelow(level, [host]);
  }
}

function newLevel(name: string): Level {
  return { name, series: new Map(), children: new Map() };
}

function* seriesBelow(
  level: Level,
  path: string[],
): Generator<{ path: string[]; metric: string; slots: Slots }> {
  for (const [metric, slots] of level.series) {
    if (slots.size > 0) yield { path, metric, slots };
  }
  for (const child of level.children.values()) yield* seriesBelow(child, [...path, child.name]);
}

/** What a level contributes to an aggregate: itself before its children, or its children. */
export function membersOf(level: Level | undefined, metric: Metric): readonly Member[] {
  if (!level) return [];
  const own = level.series.get(metric.name);
  const below = [...level.children.values()].flatMap((child) => membersOf(child, metric));
  if (!own || own.size === 0) return below;
  // Without aggregation there is no way to fill a level's gaps from its children.
  return [{ own, below: metric.aggregation === null ? [] : below }];
}

/** The aggregate of one slot, NaN if nothing is known of it. */
export function valueAt(
  members: readonly Member[],
  metric: Metric,
  slot: number,
  missingAsNull: boolean,
): number {
  const values = members.map(
    ({ own, below }) =>
      own.get(slot) ?? (below.length > 0 ? valueAt(below, metric, slot, missingAsNull) : NaN),
  );
  const present = values.filter((value) => !Number.isNaN(value));
  if (present.length === 0) return NaN;
  if (missingAsNull && present.length < values.length) return NaN;
  if (present.length === 1 && values.length === 1) return present[0]!;
  const sum = present.reduce((total, value) => total + value, 0);
  return metric.aggregation === 'avg' ? sum / present.length : sum;
}
