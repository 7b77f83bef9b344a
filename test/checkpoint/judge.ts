import { Series } from '../kernel/twins/series.js';
import { CLUSTER, type DiskStore, type Where } from './disk-store.js';

/** A series as it should be. */
interface Kept {
  readonly where: Where;
  readonly naive: Series;
  /** Slots before it were freed, or may go with the next ones. */
  freedBefore: number;
  /** Slots that were freed and not written again. */
  readonly gone: Set<number>;
}

/** What a store on disk should hold: samples in plain maps, and a twin store that never crashed. */
export class Judge {
  readonly twin: DiskStore;
  readonly #stepOf: (metric: string) => number;
  readonly #series = new Map<string, Kept>();

  constructor(twin: DiskStore, stepOf: (metric: string) => number) {
    this.twin = twin;
    this.#stepOf = stepOf;
  }

  get count(): number {
    return this.#series.size;
  }

  write(where: Where, timeSec: number, value: number): void {
    this.twin.write(where, timeSec, value);
    const kept = this.#kept(where);
    const before = new Set(kept.gone);
    kept.naive.append(timeSec, value);
    for (const slot of before) if (kept.naive.slots.has(slot)) kept.gone.delete(slot);
  }

  /** `store` has just freed this; what it may keep of that, it tells. */
  free(store: DiskStore, host: string | undefined, toSec: number): void {
    this.twin.free([host === undefined ? [CLUSTER] : [CLUSTER, host]], toSec);
    for (const [name, kept] of this.#series) {
      if (host !== undefined && kept.where.host !== host) continue;
      if (store.seriesAt(kept.where) === 0) this.#series.delete(name);
      else {
        const slot = Math.ceil(toSec / kept.naive.step);
        kept.freedBefore = Math.max(kept.freedBefore, slot);
        this.#forget(kept, store.read(kept.where));
      }
    }
  }

  /** What is wrong with a store; '' if nothing is. */
  difference(store: DiskStore): string {
    if (store.engine.seriesCount !== this.#series.size) {
      return `${store.engine.seriesCount} series for ${this.#series.size}`;
    }
    for (const [name, kept] of this.#series) {
      const slots = store.read(kept.where);
      const wrong = differenceOf(kept, slots) || this.#placing(store, kept.where);
      if (wrong) return `${name}: ${wrong}`;
      this.#forget(kept, slots);
    }
    return '';
  }

  #placing(store: DiskStore, where: Where): string {
    const is = store.placing(where).join();
    const should = this.twin.placing(where).join();
    return is === should ? '' : `places samples by ${is}, not ${should}`;
  }

  /** Old slots that went with what was freed. */
  #forget({ naive, gone, freedBefore }: Kept, slots: ReadonlyMap<number, number>): void {
    for (const slot of naive.slots.keys()) {
      if (slot >= freedBefore || slots.has(slot)) continue;
      naive.slots.delete(slot);
      gone.add(slot);
    }
  }

  #kept(where: Where): Kept {
    const { metric, host, type = '' } = where;
    const name = `${metric} of ${host} ${type}`;
    let kept = this.#series.get(name);
    if (!kept) {
      const naive = new Series(this.#stepOf(where.metric));
      kept = { where, naive, freedBefore: 0, gone: new Set() };
      this.#series.set(name, kept);
    }
    return kept;
  }
}

function differenceOf(kept: Kept, slots: ReadonlyMap<number, number>): string {
  const { naive, gone, freedBefore } = kept;
  for (const [slot, value] of naive.slots) {
    const is = slots.get(slot);
    if (is === undefined && slot < freedBefore) continue;
    if (!Object.is(is, value))
      return `${is} for ${value} in slot ${slot}, newest ${naive.newestSlot}`;
  }
  for (const [slot, value] of slots) {
    if (naive.slots.has(slot)) continue;
    return `${value} in slot ${slot}, which was ${gone.has(slot) ? 'freed' : 'never written'}`;
  }
  return '';
}
