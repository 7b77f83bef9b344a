import type { Level } from '../engine/level-tree.js';
import { TYPES_BY_COARSENESS } from '../engine/topology.js';

export const HWTHREAD = 'hwthread';
/** An old name of it. */
export const CPU = 'cpu';

/** Types that lie within one another, the coarsest first. */
const NESTED: readonly string[] = TYPES_BY_COARSENESS;

/** Types that may lie in a type ('' = the host), the coarsest first. */
export function finerTypes(type: string): readonly string[] {
  if (type === '') return NESTED;
  const place = NESTED.indexOf(type);
  return place < 0 ? [] : NESTED.slice(place + 1);
}

/**
 * Levels below a host at which a metric was sent, or of which parts have it. Each type is looked through
 * when it is asked for: most scopes need one or two of them.
 */
export class SentLevels {
  readonly #seriesOf: (level: Level) => number;
  /** By type, whatever they hold. */
  readonly #all = new Map<string, Level[]>();
  /**
   * By type, then id: as far as they were asked for. A thread has two where a collector has changed
   * from one name of its type to the other.
   */
  readonly #sent = new Map<string, ReadonlyMap<string, Level[]>>();
  readonly #hasFiner = new Map<string, boolean>();

  constructor(host: Level, seriesOf: (level: Level) => number) {
    this.#seriesOf = seriesOf;
    for (const level of host.children?.values() ?? []) {
      const type = level.type === CPU ? HWTHREAD : level.type;
      const known = this.#all.get(type);
      if (known) known.push(level);
      else this.#all.set(type, [level]);
    }
  }

  types(): string[] {
    return [...this.#all.keys()].filter((type) => this.isSent(type));
  }

  /** Types that lie in no other. */
  otherTypes(): string[] {
    return [...this.#all.keys()].filter((type) => !NESTED.includes(type));
  }

  /** Whether anything finer than a type was sent. */
  hasFiner(type: string): boolean {
    let known = this.#hasFiner.get(type);
    if (known === undefined) {
      known = finerTypes(type).some((finer) => this.isSent(finer));
      this.#hasFiner.set(type, known);
    }
    return known;
  }

  isSent(type: string): boolean {
    return this.#sentOf(type).size > 0;
  }

  /** Levels of a type, also those that do not have the metric. */
  all(type: string): readonly Level[] {
    return this.#all.get(type) ?? [];
  }

  ids(type: string): Iterable<string> {
    return this.#sentOf(type).keys();
  }

  /** Levels of a unit: one, or none, but for a thread of two names. */
  of(type: string, id: string): readonly Level[] {
    return this.#sentOf(type).get(id) ?? [];
  }

  #sentOf(type: string): ReadonlyMap<string, Level[]> {
    const known = this.#sent.get(type);
    if (known) return known;
    const ids = new Map<string, Level[]>();
    for (const level of this.all(type)) {
      if (!this.#holds(level)) continue;
      const levels = ids.get(level.id);
      if (!levels) ids.set(level.id, [level]);
      else if (level.type === CPU) levels.push(level);
      else levels.unshift(level);
    }
    this.#sent.set(type, ids);
    return ids;
  }

  #holds(level: Level): boolean {
    if (this.#seriesOf(level) !== 0) return true;
    if (!level.children) return false;
    for (const child of level.children.values()) if (this.#seriesOf(child) !== 0) return true;
    return false;
  }
}
