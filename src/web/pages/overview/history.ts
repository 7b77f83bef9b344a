import { NUMBERS, type HistoryAnswer, type NumberName, type Rates } from './answers.js';

/** As much as the store keeps: an hour. */
const SPAN_SEC = 3600;
type Value = number | null;

/** What a point stands for: an average of its time, or, where that says nothing, the value at its end. */
const isAveraged = (name: NumberName): boolean => /PerSec$|Ms|Percent$/.test(name);

/**
 * The last hour in rows, as the store had it when the page was opened, continued by what it tells
 * since then. Live numbers come more often than rows: some of them make one.
 */
export class History {
  #stepSec = 10;
  #times: number[] = [];
  #columns = emptyColumns();
  #pending: Rates[] = [];

  get times(): readonly number[] {
    return this.#times;
  }

  column(name: NumberName): readonly Value[] {
    return this.#columns[name];
  }

  /** Starts anew with an answer; rows that no number is known of are left out at its beginning. */
  load({ fromSec, stepSec, count, series }: HistoryAnswer): void {
    this.#stepSec = stepSec;
    this.#times = Array.from({ length: count }, (_, index) => fromSec + index * stepSec);
    this.#columns = emptyColumns();
    for (const name of NUMBERS) {
      this.#columns[name] = this.#times.map((_, index) => series[name]?.[index] ?? null);
    }
    const first = this.#times.findIndex((_, row) =>
      NUMBERS.some((name) => this.#columns[name][row] !== null),
    );
    this.#drop(first < 0 ? count : first);
    this.#pending = [];
  }

  /** True if there is a new row. */
  add(rates: Rates): boolean {
    const last = this.#times.at(-1);
    if (last !== undefined && rates.timeSec <= last) return false;
    this.#pending.push(rates);
    const since = last ?? this.#pending[0]!.timeSec - 1;
    if (rates.timeSec - since < this.#stepSec) return false;
    // Nothing was heard for a while: a line through that time would tell what nobody knows.
    if (last !== undefined && this.#pending[0]!.timeSec - last > 2 * this.#stepSec) {
      this.#push(last + this.#stepSec, () => null);
    }
    const rows = this.#pending;
    this.#push(rates.timeSec, (name) => valueOf(rows, name));
    this.#pending = [];
    const tooOld = this.#times.findIndex((time) => time > rates.timeSec - SPAN_SEC);
    this.#drop(tooOld);
    return true;
  }

  #push(timeSec: number, value: (name: NumberName) => Value): void {
    this.#times.push(timeSec);
    for (const name of NUMBERS) this.#columns[name].push(value(name));
  }

  #drop(rows: number): void {
    if (rows <= 0) return;
    this.#times.splice(0, rows);
    for (const name of NUMBERS) this.#columns[name].splice(0, rows);
  }
}

function emptyColumns(): Record<NumberName, Value[]> {
  return Object.fromEntries(NUMBERS.map((name) => [name, [] as Value[]])) as unknown as Record<
    NumberName,
    Value[]
  >;
}

function valueOf(rows: readonly Rates[], name: NumberName): Value {
  const known = rows.map((row) => row[name]).filter((value) => typeof value === 'number');
  if (known.length === 0) return null;
  if (!isAveraged(name)) return known.at(-1)!;
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}
