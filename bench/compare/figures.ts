/** Median and extremes of the rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: readonly number[];
}

/** What was measured, by measure and store. */
export class Figures {
  readonly #runs = new Map<string, Map<string, number[]>>();
  readonly #notes = new Map<string, Map<string, string>>();

  add(measure: string, store: string, value: number): void {
    const stores = this.#runs.get(measure) ?? new Map<string, number[]>();
    this.#runs.set(measure, stores);
    stores.set(store, [...(stores.get(store) ?? []), value]);
  }

  /** Why there is no value, or what is to be known of it. */
  note(measure: string, store: string, text: string): void {
    const stores = this.#notes.get(measure) ?? new Map<string, string>();
    this.#notes.set(measure, stores);
    stores.set(store, text);
  }

  spread(measure: string, store: string): Spread | undefined {
    const runs = this.#runs.get(measure)?.get(store);
    return runs && spreadOf(runs);
  }

  median(measure: string, store: string): number | undefined {
    return this.spread(measure, store)?.median;
  }

  noteOf(measure: string, store: string): string | undefined {
    return this.#notes.get(measure)?.get(store);
  }

  /** All notes, as `store, measure: text`. */
  notes(): string[] {
    return [...this.#notes].flatMap(([measure, stores]) =>
      [...stores].map(([store, text]) => `${store}, ${measure}: ${text}`),
    );
  }

  toJSON(): Record<string, Record<string, Spread>> {
    const all = [...this.#runs].map(([measure, stores]) => {
      const spreads = [...stores].map(([store, runs]) => [store, spreadOf(runs)] as const);
      return [measure, Object.fromEntries(spreads)] as const;
    });
    return Object.fromEntries(all);
  }
}

/** Of an even number of runs the median is the mean of the middle two. */
export function spreadOf(runs: readonly number[]): Spread {
  if (runs.length === 0) throw new Error('nothing was measured');
  const sorted = [...runs].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median =
    sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)!, runs };
}
