export interface TextCacheBounds {
  readonly entriesMax: number;
  /** Values of longer texts are not kept. */
  readonly charsMax: number;
  /** Of all that was noted; past it all values are dropped. */
  readonly weightMax: number;
}

/**
 * Values by the text they were made of: dashboards and job views repeat a few requests. The least
 * recently used go first.
 */
export class TextCache<Value> {
  readonly #bounds: TextCacheBounds;
  /** In the order of use, the newest last. */
  readonly #values = new Map<string, Value>();
  #weight = 0;

  constructor(bounds: TextCacheBounds) {
    this.#bounds = bounds;
  }

  get(text: string): Value | undefined {
    const value = this.#values.get(text);
    if (value === undefined) return undefined;
    this.#values.delete(text);
    this.#values.set(text, value);
    return value;
  }

  set(text: string, value: Value): void {
    const { entriesMax, charsMax } = this.#bounds;
    if (text.length > charsMax) return;
    this.#values.delete(text);
    const oldest = this.#values.keys().next();
    if (this.#values.size >= entriesMax && !oldest.done) this.#values.delete(oldest.value);
    this.#values.set(text, value);
  }

  /** A value has grown. Past the bound all are dropped, and made anew when they are asked for. */
  note(weight: number): void {
    this.#weight += weight;
    if (this.#weight < this.#bounds.weightMax) return;
    this.#weight = 0;
    this.#values.clear();
  }
}
