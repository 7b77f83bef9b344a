import { TYPES_BY_COARSENESS, type TopologyLists } from '../../src/model/cluster.js';
import type { Metric, Slots } from './naive-store.js';

/** Where samples come from; '' = there is no such level. */
export interface Place {
  readonly cluster: string;
  readonly host: string;
  readonly type: string;
  readonly id: string;
  readonly subType: string;
  readonly subId: string;
}

export interface PlacedSeries extends Place {
  readonly metric: string;
  readonly slots: Slots;
}

/** What a value is made of: own samples, and where there is none those below. */
export interface Made {
  readonly own: Slots | undefined;
  readonly below: readonly Made[];
}

export interface NaiveUnit {
  readonly type: string;
  readonly id: string;
  readonly subId: string;
  readonly made: Made;
}

const NESTED: readonly string[] = TYPES_BY_COARSENESS;

export function seriesCount({ own, below }: Made): number {
  return below.reduce((sum, made) => sum + seriesCount(made), own ? 1 : 0);
}

/** Members of its aggregate: one that is made of others only is what it is made of. */
export function membersOf(made: Made): readonly Made[] {
  if (made.own) return [made];
  const members = made.below.filter((member) => seriesCount(member) > 0);
  const [only] = members;
  return members.length === 1 ? membersOf(only!) : members;
}

/** Its series, where nothing says how they are combined: own samples go before all below. */
export function seriesOf({ own, below }: Made): readonly Made[] {
  return own ? [{ own, below: [] }] : below.flatMap(seriesOf);
}

export function valueOf({ own, below }: Made, metric: Metric, slot: number): number {
  const value = own?.get(slot);
  if (value !== undefined) return value;
  const values = below.map((made) => valueOf(made, metric, slot));
  const present = values.filter((each) => !Number.isNaN(each));
  if (present.length === 0) return NaN;
  const sum = present.reduce((a, b) => a + b);
  return metric.aggregation === 'avg' ? sum / present.length : sum;
}

/** Which units one host has, and what they are made of, said as plainly as can be. */
export class NaiveUnits {
  readonly #series: readonly PlacedSeries[];
  readonly #topology: TopologyLists | undefined;
  readonly #metric: Metric;

  /** `series`: those of the host and metric that have samples. */
  constructor(
    series: readonly PlacedSeries[],
    topology: TopologyLists | undefined,
    metric: Metric,
  ) {
    this.#series = series;
    this.#topology = topology;
    this.#metric = metric;
  }

  find(
    scope: string,
    subScope: string,
    ids: readonly string[] | null,
    subIds: readonly string[] | null,
  ): NaiveUnit[] {
    const type = scope === 'node' ? '' : scope;
    const units =
      subScope !== ''
        ? this.#subUnits(type, subScope, ids, subIds)
        : type === ''
          ? [{ type, id: '', subId: '', made: ids ? this.#ofThreads(ids) : this.#made('', '') }]
          : (ids ?? this.#idsOf(type)).map((id) => {
              return { type, id, subId: '', made: this.#made(type, id) };
            });
    return units.filter(({ made }) => seriesCount(made) > 0);
  }

  #subUnits(
    type: string,
    subType: string,
    ids: readonly string[] | null,
    subIds: readonly string[] | null,
  ): NaiveUnit[] {
    // A sub-type of the host itself is stored as a level below it.
    const found = this.#series.filter((series) =>
      type === ''
        ? series.type === '' && series.subType === subType
        : series.type === type && series.subType === subType && (ids?.includes(series.id) ?? true),
    );
    return found
      .filter(({ subId }) => subIds?.includes(subId) ?? true)
      .map(({ id, subId, slots }) => {
        return { type, id, subId: `${subType}/${subId}`, made: { own: slots, below: [] } };
      });
  }

  #sentTypes(): Set<string> {
    return new Set(this.#series.map(({ type }) => type).filter((type) => type !== ''));
  }

  #idsOf(type: string): string[] {
    const sent = this.#series.filter((series) => series.type === type).map(({ id }) => id);
    return [...new Set([...sent, ...this.#topologyIds(type)])];
  }

  #topologyIds(type: string): string[] {
    if (type === 'accelerator') return [...(this.#topology?.accelerators ?? [])];
    return [...this.#threads(type).keys()];
  }

  /** Hardware threads by id of the units of a type. */
  #threads(type: string): Map<string, Set<number>> {
    const lists = this.#topology;
    if (!lists) return new Map();
    if (type === 'hwthread') return new Map(lists.node.map((id) => [String(id), new Set([id])]));
    if (!(type in lists) || type === 'node') return new Map();
    const units = lists[type as 'socket' | 'die' | 'memoryDomain' | 'core'];
    return new Map(units.map((threads, id) => [String(id), new Set(threads)]));
  }

  #made(type: string, id: string): Made {
    const own = this.#series.find(
      (series) => series.type === type && series.id === id && series.subType === '',
    )?.slots;
    if (own && this.#metric.aggregation === null) return { own, below: [] };
    const below = this.#below(type, id);
    if (type !== '') {
      for (const series of this.#series) {
        const isSub = series.type === type && series.id === id && series.subType !== '';
        if (isSub) below.push({ own: series.slots, below: [] });
      }
    }
    return { own, below: below.filter((made) => seriesCount(made) > 0) };
  }

  #below(type: string, id: string): Made[] {
    const sent = this.#sentTypes();
    const finer =
      type === '' ? NESTED : NESTED.includes(type) ? NESTED.slice(NESTED.indexOf(type) + 1) : [];
    const found = finer
      .filter((finerType) => sent.has(finerType))
      .map((finerType) =>
        this.#within(type, id, finerType)
          .map((finerId) => this.#made(finerType, finerId))
          .filter((made) => seriesCount(made) > 0),
      );
    const below = found.find((made) => made.length > 0) ?? [];
    if (type !== '') return [...below];
    const others = [...sent].filter((other) => !NESTED.includes(other));
    const ofOthers = others.flatMap((other) => {
      const ids = new Set(this.#series.filter((s) => s.type === other).map((s) => s.id));
      return [...ids].map((otherId) => this.#made(other, otherId));
    });
    const subs = this.#series.filter((series) => series.type === '' && series.subType !== '');
    return [...below, ...ofOthers, ...subs.map(({ slots }) => ({ own: slots, below: [] }))];
  }

  #within(type: string, id: string, finer: string): string[] {
    if (type === '') return this.#idsOf(finer);
    const outer = this.#threads(type).get(id);
    if (!outer) return [];
    return [...this.#threads(finer)]
      .filter(([, threads]) => [...threads].every((thread) => outer.has(thread)))
      .map(([finerId]) => finerId);
  }

  /** Threads of a job: units of the finest type that was sent, as far as it has to do with them. */
  #ofThreads(threads: readonly string[]): Made {
    const sent = this.#sentTypes();
    const finest = NESTED.findLast((type) => sent.has(type));
    if (finest === undefined) return this.#made('', '');
    if (finest === 'hwthread') {
      return { own: undefined, below: threads.map((id) => this.#made('hwthread', id)) };
    }
    const units = [...this.#threads(finest)];
    if (units.length === 0) return this.#made('', '');
    const asked = units.filter(([, own]) => threads.some((id) => own.has(Number(id))));
    return { own: undefined, below: asked.map(([id]) => this.#made(finest, id)) };
  }
}
