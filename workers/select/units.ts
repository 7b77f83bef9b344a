import type { Group } from '../engine/select.js';
import type { Level } from '../engine/level-tree.js';
import type { Metric } from '../engine/metrics.js';
import type { SeriesIn } from '../engine/select.js';
import type { Topologies, Topology } from '../engine/topology.js';
import { CPU, finerTypes, HWTHREAD, SentLevels } from './sent-levels.js';

/** Which parts of hosts are asked for. */
export interface Scope {
  /** '' = the host itself. */
  readonly type: string;
  /** Below it, such as `filesystem`; '' = none. */
  readonly subType: string;
  /** Of the type; of a host those of the hardware threads to take. null = all. */
  readonly ids: readonly string[] | null;
  readonly subIds: readonly string[] | null;
}

/** A level at a scope on one host, with what its value is made of. */
export interface Unit {
  readonly type: string;
  readonly id: string;
  /** Sub-type and its id, such as `filesystem/home`; '' = none. */
  readonly subId: string;
  readonly group: Group;
  readonly seriesCount: number;
}

/** Units of one host for one metric, ordered by id. */
export interface Units {
  readonly count: number;
  readonly seriesCount: number;
  /** All series, where each unit is one of them, in no order; undefined: there is more to it. */
  readonly plain: Group | undefined;
  /** One by one. */
  readonly list: readonly Unit[];
}

/** Units that were found one by one. */
export class ListedUnits implements Units {
  readonly list: readonly Unit[];
  readonly seriesCount: number;
  readonly plain = undefined;

  constructor(list: readonly Unit[]) {
    this.list = list;
    this.seriesCount = list.reduce((sum, { seriesCount }) => sum + seriesCount, 0);
  }

  get count(): number {
    return this.list.length;
  }
}

/**
 * Units that are a series each. There are thousands of hardware threads: that of which none is asked
 * for by itself is not made.
 */
class PlainUnits implements Units {
  readonly plain: Group;
  readonly #levels: readonly Level[];
  #list: readonly Unit[] | undefined;

  /** A series for each level. */
  constructor(levels: readonly Level[], series: number[]) {
    this.#levels = levels;
    this.plain = { series, layered: [] };
  }

  get count(): number {
    return this.#levels.length;
  }

  get seriesCount(): number {
    return this.#levels.length;
  }

  get list(): readonly Unit[] {
    const { series } = this.plain;
    this.#list ??= this.#levels
      .map(({ type, id }, index) => unit(type, id, '', single(series[index]!)))
      .sort((a, b) => compareIds(a.id, b.id));
    return this.#list;
  }
}

/** What a unit is made of, before it is known which unit that is. */
interface Source {
  readonly group: Group;
  readonly seriesCount: number;
}

const NOTHING: Source = { group: { series: [], layered: [] }, seriesCount: 0 };

/** Units of one host for one metric. */
export class UnitFinder {
  readonly #seriesIn: SeriesIn;
  readonly #topologies: Topologies;

  constructor(seriesIn: SeriesIn, topologies: Topologies) {
    this.#seriesIn = seriesIn;
    this.#topologies = topologies;
  }

  /** Units that have samples. */
  find(host: Level, metric: Metric, scope: Scope): Units {
    return new HostUnits(host, metric, this.#topologyOf(host), this.#seriesIn).find(scope);
  }

  /** Types of a host at which a metric is stored, `node` first. */
  scopesOf(host: Level, metric: Metric): string[] {
    const units = new HostUnits(host, metric, undefined, this.#seriesIn);
    const own = this.#seriesIn(host, metric.index) === 0 ? [] : ['node'];
    return [...own, ...units.sentTypes()];
  }

  #topologyOf(host: Level): Topology | undefined {
    return this.#topologies.topologyOf(host.parent!.name, host.name);
  }
}

class HostUnits {
  readonly #host: Level;
  readonly #metric: Metric;
  readonly #topology: Topology | undefined;
  readonly #seriesIn: SeriesIn;
  #sentLevels: SentLevels | undefined;

  constructor(host: Level, metric: Metric, topology: Topology | undefined, seriesIn: SeriesIn) {
    this.#host = host;
    this.#metric = metric;
    this.#topology = topology;
    this.#seriesIn = seriesIn;
  }

  get #sent(): SentLevels {
    this.#sentLevels ??= new SentLevels(this.#host, (level) =>
      this.#seriesIn(level, this.#metric.index),
    );
    return this.#sentLevels;
  }

  sentTypes(): string[] {
    return this.#sent.types();
  }

  find(scope: Scope): Units {
    const isPlain = scope.type !== '' && scope.ids === null && scope.subType === '';
    return (isPlain ? this.#plain(scope.type) : undefined) ?? new ListedUnits(this.#listed(scope));
  }

  #listed(scope: Scope): Unit[] {
    const { type, ids, subType } = scope;
    if (subType !== '') return this.#subUnits(scope);
    if (type === '') {
      const source = ids === null ? this.#source('', '') : this.#ofThreads(ids);
      return source.seriesCount === 0 ? [] : [unit('', '', '', source)];
    }
    const units: Unit[] = [];
    for (const id of this.#idsOf(type, ids)) {
      const source = this.#source(type, id);
      if (source.seriesCount > 0) units.push(unit(type, id, '', source));
    }
    return units;
  }

  /**
   * Fast path: each unit is a series. What a topology knows besides was not sent, nor is anything in
   * it. undefined: there is more to it.
   */
  #plain(type: string): Units | undefined {
    if (finerTypes(type).length > 0 && this.#sent.hasFiner(type)) return undefined;
    const levels: Level[] = [];
    const series: number[] = [];
    for (const level of this.#host.children?.values() ?? []) {
      if (level.type !== type) {
        if (type === HWTHREAD && level.type === CPU) return undefined;
        continue;
      }
      if (level.children) return undefined;
      const own = this.#seriesIn(level, this.#metric.index);
      if (own === 0) continue;
      levels.push(level);
      series.push(own);
    }
    return new PlainUnits(levels, series);
  }

  /** Ids that were asked for, or else those that were sent and those the topology knows. */
  #idsOf(type: string, ids: readonly string[] | null): readonly string[] {
    if (ids !== null) return ids;
    const sent = this.#sent.ids(type);
    const known = this.#topology?.idsOf(type);
    return (known ? [...new Set([...sent, ...known])] : [...sent]).sort(compareIds);
  }

  #subUnits({ type, ids, subType, subIds }: Scope): Unit[] {
    const parents: readonly (readonly [string, readonly Level[]])[] =
      type === ''
        ? [['', [this.#host]]]
        : this.#idsOf(type, ids).map((id) => [id, this.#sent.of(type, id)]);
    return parents.flatMap(([id, levels]) =>
      levels
        .flatMap(({ children }) => [...(children?.values() ?? [])])
        .filter((child) => child.type === subType && (subIds?.includes(child.id) ?? true))
        .sort((a, b) => compareIds(a.id, b.id))
        .map((child) => {
          const series = this.#seriesIn(child, this.#metric.index);
          const source = series === 0 ? NOTHING : single(series);
          return unit(type, id, `${subType}/${child.id}`, source);
        })
        .filter(({ seriesCount }) => seriesCount > 0),
    );
  }

  /** A unit's own samples, and what is below it for where it has none. */
  #source(type: string, id: string): Source {
    const levels = type === '' ? [this.#host] : this.#sent.of(type, id);
    const [only] = levels;
    // Fast path: most series lie at the finest type, where there is nothing below.
    if (levels.length === 1 && type !== '' && !only!.children) {
      const own = this.#seriesIn(only!, this.#metric.index);
      if (own !== 0 && !this.#sent.hasFiner(type)) return single(own);
    }
    const [own = 0, ...others] = levels
      .map((level) => this.#seriesIn(level, this.#metric.index))
      .filter((series) => series !== 0);
    // Without a strategy there is nothing to offer in the place of own samples.
    if (own !== 0 && this.#metric.aggregation === null) return single(own);
    const below = others.map(single);
    below.push(...this.#below(type, id));
    if (type !== '') below.push(...levels.flatMap((level) => this.#subSources(level)));
    return joined(own, below);
  }

  #subSources(level: Level): Source[] {
    const sources: Source[] = [];
    for (const child of level.children?.values() ?? []) {
      const series = this.#seriesIn(child, this.#metric.index);
      if (series !== 0) sources.push(single(series));
    }
    return sources;
  }

  /**
   * Finer units: of those that lie within one another only the coarsest of which some are known to be
   * in the unit, or threads would be counted beside their sockets.
   */
  #below(type: string, id: string): Source[] {
    let sources: Source[] = [];
    for (const finerType of finerTypes(type)) {
      if (!this.#sent.isSent(finerType)) continue;
      const ids =
        type === ''
          ? this.#idsOf(finerType, null)
          : (this.#topology?.childrenOf(type, id, finerType) ?? []);
      sources = ids.map((finerId) => this.#source(finerType, finerId));
      if (sources.some(({ seriesCount }) => seriesCount > 0)) break;
    }
    if (type !== '') return sources;
    for (const other of this.#sent.otherTypes()) {
      for (const otherId of this.#sent.ids(other)) sources.push(this.#source(other, otherId));
    }
    return sources;
  }

  /** A job's threads on a host: the metric where it was sent finest, as far as it belongs to them. */
  #ofThreads(threads: readonly string[]): Source {
    const finest = finerTypes('')
      .toReversed()
      .find((type) => this.#sent.isSent(type));
    if (finest === undefined) return this.#source('', '');
    const isKnown = finest === HWTHREAD || (this.#topology?.idsOf(finest) ?? []).length > 0;
    if (!isKnown) return this.#source('', '');
    const ids = finest === HWTHREAD ? threads : this.#topology!.unitsOfHwthreads(finest, threads);
    return joined(
      0,
      ids.map((id) => this.#source(finest, id)),
    );
  }
}

function unit(type: string, id: string, subId: string, { group, seriesCount }: Source): Unit {
  return { type, id, subId, group, seriesCount };
}

function single(series: number): Source {
  return { group: { series: [series], layered: [] }, seriesCount: 1 };
}

/** The series of a unit, each as a unit of its own. */
export function seriesOf({ group, ...unit }: Unit): Unit[] {
  const found: Unit[] = [];
  const look = ({ series, layered }: Group): void => {
    for (const one of series) found.push({ ...unit, ...single(one) });
    for (const { own, below } of layered) {
      if (own !== 0) found.push({ ...unit, ...single(own) });
      else look(below);
    }
  };
  look(group);
  return found;
}

/** Own samples (0 = none) before those of all that is below. */
function joined(own: number, below: readonly Source[]): Source {
  const members = below.filter(({ seriesCount }) => seriesCount > 0);
  const seriesCount = members.reduce((sum, source) => sum + source.seriesCount, own === 0 ? 0 : 1);
  if (own !== 0 && members.length === 0) return single(own);
  const group: Group = { series: [], layered: [] };
  for (const { group: member, seriesCount: count } of members) {
    if (count === 1) group.series.push(member.series[0]!);
    else if (member.series.length === 0 && member.layered.length === 1) {
      group.layered.push(member.layered[0]!);
    } else group.layered.push({ own: 0, below: member });
  }
  if (own !== 0) return { group: { series: [], layered: [{ own, below: group }] }, seriesCount };
  const [only] = group.layered;
  // One member that is made of others is what it is made of.
  if (group.series.length === 0 && group.layered.length === 1 && only!.own === 0) {
    return { group: only!.below, seriesCount };
  }
  return { group, seriesCount };
}

/** Numbers by their value, other ids by their text behind them. */
export function compareIds(a: string, b: string): number {
  const difference = Number(a) - Number(b);
  if (!Number.isNaN(difference) && difference !== 0) return difference;
  return a < b ? -1 : a > b ? 1 : 0;
}
