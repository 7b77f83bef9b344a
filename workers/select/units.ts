import type { Group } from '../engine/select.js';
import type { Level } from '../engine/level-tree.js';
import type { Metric } from '../engine/metrics.js';
import type { SeriesIn } from '../engine/select.js';
import { TYPES_BY_COARSENESS, type Topologies, type Topology } from '../engine/topology.js';

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

/** What a unit is made of, before it is known which unit that is. */
interface Source {
  readonly group: Group;
  readonly seriesCount: number;
}

const NOTHING: Source = { group: { series: [], layered: [] }, seriesCount: 0 };
const HWTHREAD = 'hwthread';
/** An old name of it. */
const CPU = 'cpu';

/** Units of one host for one metric. */
export class UnitFinder {
  readonly #seriesIn: SeriesIn;
  readonly #topologies: Topologies;

  constructor(seriesIn: SeriesIn, topologies: Topologies) {
    this.#seriesIn = seriesIn;
    this.#topologies = topologies;
  }

  /** Units that have samples, ordered by id. */
  find(host: Level, metric: Metric, scope: Scope): Unit[] {
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
  /**
   * Levels below the host that have the metric, or whose parts do: by type, then id. A thread has two
   * where a collector has changed from one name of its type to the other.
   */
  readonly #sent = new Map<string, Map<string, Level[]>>();

  constructor(host: Level, metric: Metric, topology: Topology | undefined, seriesIn: SeriesIn) {
    this.#host = host;
    this.#metric = metric;
    this.#topology = topology;
    this.#seriesIn = seriesIn;
    for (const level of host.children?.values() ?? []) {
      if (!this.#holds(level)) continue;
      const type = level.type === CPU ? HWTHREAD : level.type;
      let ids = this.#sent.get(type);
      if (!ids) this.#sent.set(type, (ids = new Map()));
      const known = ids.get(level.id);
      if (!known) ids.set(level.id, [level]);
      else if (level.type === CPU) known.push(level);
      else known.unshift(level);
    }
  }

  sentTypes(): string[] {
    return [...this.#sent.keys()];
  }

  find(scope: Scope): Unit[] {
    const { type, ids, subType } = scope;
    if (subType !== '') return this.#subUnits(scope);
    if (type === '') {
      const source = ids === null ? this.#source('', '') : this.#ofThreads(ids);
      return source.seriesCount === 0 ? [] : [unit('', '', '', source)];
    }
    return this.#idsOf(type, ids)
      .map((id) => unit(type, id, '', this.#source(type, id)))
      .filter(({ seriesCount }) => seriesCount > 0);
  }

  #holds(level: Level): boolean {
    if (this.#seriesIn(level, this.#metric.index) !== 0) return true;
    if (!level.children) return false;
    for (const child of level.children.values()) {
      if (this.#seriesIn(child, this.#metric.index) !== 0) return true;
    }
    return false;
  }

  /** Ids that were asked for, or else those that were sent and those the topology knows. */
  #idsOf(type: string, ids: readonly string[] | null): readonly string[] {
    if (ids !== null) return ids;
    const sent = [...(this.#sent.get(type)?.keys() ?? [])];
    const known = this.#topology?.idsOf(type) ?? [];
    return [...new Set([...sent, ...known])].sort(compareIds);
  }

  #subUnits({ type, ids, subType, subIds }: Scope): Unit[] {
    const parents: readonly (readonly [string, readonly Level[]])[] =
      type === ''
        ? [['', [this.#host]]]
        : this.#idsOf(type, ids).map((id) => [id, this.#levels(type, id)]);
    return parents.flatMap(([id, levels]) =>
      levels
        .flatMap(({ children }) => [...(children?.values() ?? [])])
        .filter((child) => child.type === subType && (subIds?.includes(child.id) ?? true))
        .sort((a, b) => compareIds(a.id, b.id))
        .map((child) => {
          const series = this.#seriesIn(child, this.#metric.index);
          const source = series === 0 ? NOTHING : joined(series, []);
          return unit(type, id, `${subType}/${child.id}`, source);
        })
        .filter(({ seriesCount }) => seriesCount > 0),
    );
  }

  /** A unit's own samples, and what is below it for where it has none. */
  #source(type: string, id: string): Source {
    const levels = type === '' ? [this.#host] : this.#levels(type, id);
    const [own = 0, ...others] = levels
      .map((level) => this.#seriesIn(level, this.#metric.index))
      .filter((series) => series !== 0);
    // Without a strategy there is nothing to offer in the place of own samples.
    if (own !== 0 && this.#metric.aggregation === null) return joined(own, []);
    const below = others.map((series) => joined(series, []));
    below.push(...this.#below(type, id));
    if (type !== '') below.push(...levels.flatMap((level) => this.#subSources(level)));
    return joined(own, below);
  }

  #levels(type: string, id: string): readonly Level[] {
    return this.#sent.get(type)?.get(id) ?? [];
  }

  #subSources(level: Level): Source[] {
    const sources: Source[] = [];
    for (const child of level.children?.values() ?? []) {
      const series = this.#seriesIn(child, this.#metric.index);
      if (series !== 0) sources.push(joined(series, []));
    }
    return sources;
  }

  /**
   * Finer units: of those that lie within one another only the coarsest of which some are known to be
   * in the unit, or threads would be counted beside their sockets.
   */
  #below(type: string, id: string): Source[] {
    const nested: readonly string[] = TYPES_BY_COARSENESS;
    const finer = type === '' ? nested : nested.slice(nested.indexOf(type) + 1);
    let sources: Source[] = [];
    for (const finerType of type === '' || nested.includes(type) ? finer : []) {
      if (!this.#sent.has(finerType)) continue;
      const ids =
        type === ''
          ? this.#idsOf(finerType, null)
          : (this.#topology?.childrenOf(type, id, finerType) ?? []);
      sources = ids.map((finerId) => this.#source(finerType, finerId));
      if (sources.some(({ seriesCount }) => seriesCount > 0)) break;
    }
    if (type !== '') return sources;
    for (const [other, levels] of this.#sent) {
      if (nested.includes(other)) continue;
      for (const otherId of levels.keys()) sources.push(this.#source(other, otherId));
    }
    return sources;
  }

  /** A job's threads on a host: the metric where it was sent finest, as far as it belongs to them. */
  #ofThreads(threads: readonly string[]): Source {
    const finest = TYPES_BY_COARSENESS.toReversed().find((type) => this.#sent.has(type));
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

/** Own samples (0 = none) before those of all that is below. */
function joined(own: number, below: readonly Source[]): Source {
  const members = below.filter(({ seriesCount }) => seriesCount > 0);
  const seriesCount = members.reduce((sum, source) => sum + source.seriesCount, own === 0 ? 0 : 1);
  if (own !== 0 && members.length === 0)
    return { group: { series: [own], layered: [] }, seriesCount };
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
