import {
  compareKeys,
  keyOf,
  type CatalogueEntry,
  type CatalogueKind,
} from '../../src/model/catalogue.js';

interface Keyed {
  readonly key: readonly string[];
  readonly entry: CatalogueEntry;
}

/**
 * The first entries of many in the order of their keys: those beyond twice the number are sorted out
 * as they come, so that neither memory nor the last sort depend on how many there are.
 */
export class SmallestEntries {
  readonly #kind: CatalogueKind;
  readonly #countMax: number;
  #kept: Keyed[] = [];
  /** Keys from here on are of no use. */
  #bound: readonly string[] | undefined;

  constructor(kind: CatalogueKind, countMax: number) {
    this.#kind = kind;
    this.#countMax = countMax;
  }

  add(entry: CatalogueEntry): void {
    const key = keyOf(this.#kind, entry);
    if (this.#bound && compareKeys(key, this.#bound) >= 0) return;
    this.#kept.push({ key, entry });
    if (this.#kept.length >= 2 * this.#countMax) this.#sortOut();
  }

  sorted(): CatalogueEntry[] {
    this.#sortOut();
    return this.#kept.map(({ entry }) => entry);
  }

  #sortOut(): void {
    this.#kept.sort((a, b) => compareKeys(a.key, b.key));
    this.#kept = this.#kept.slice(0, this.#countMax);
    if (this.#kept.length === this.#countMax) this.#bound = this.#kept.at(-1)?.key;
  }
}
