import type { SelectRequest } from '../../src/model/selection.js';
import type { ResultSeries } from './output.js';

type TextField = 'metric' | 'unit' | 'cluster' | 'subCluster' | 'host' | 'type' | 'id' | 'subId';

/** Column of a table that JSON has as `select`, which SQL reserves. */
export const SELECT_COLUMN = 'selection';

/** What tells one series of an answer from another, in the order in which all forms have it. */
export const TEXT_KEYS: readonly {
  readonly field: TextField;
  /** Key in JSON. */
  readonly json: string;
  /** Column in a table: a name that SQL takes without quotes. */
  readonly column: string;
}[] = [
  { field: 'metric', json: 'metric', column: 'metric' },
  { field: 'unit', json: 'unit', column: 'unit' },
  { field: 'cluster', json: 'cluster', column: 'cluster' },
  { field: 'subCluster', json: 'sub-cluster', column: 'sub_cluster' },
  { field: 'host', json: 'host', column: 'host' },
  { field: 'type', json: 'type', column: 'type' },
  { field: 'id', json: 'id', column: 'id' },
  { field: 'subId', json: 'sub-id', column: 'sub_id' },
];

/** Length of all names of a series, in UTF-16 units. */
export function textLength(result: ResultSeries): number {
  let length = 0;
  for (const { field } of TEXT_KEYS) length += result[field].length;
  return length;
}

/** A function that keeps its last result: most series have most names of the one before them. */
export function rememberLast<Result>(make: (text: string) => Result): (text: string) => Result {
  let last: string | undefined;
  let result: Result;
  return (text) => {
    if (text !== last) {
      result = make(text);
      last = text;
    }
    return result;
  };
}

/** Columns of a table for the statistics of all selections, in the order of their first appearance. */
export class StatColumns {
  readonly names: readonly string[];
  /** By selection and its statistic: the column. */
  readonly #places: readonly (readonly number[])[];

  constructor(request: SelectRequest) {
    this.names = [...new Set(request.select.flatMap(({ stats }) => stats))];
    this.#places = request.select.map(({ stats }) => stats.map((name) => this.names.indexOf(name)));
  }

  /** Names in a table: a statistic may be called as another column is. */
  get columns(): string[] {
    return this.names.map((name) => `stat_${name}`);
  }

  /** A value for each column, NaN where the series has none. */
  row(result: ResultSeries): number[] {
    const row = this.names.map(() => NaN);
    this.#places[result.select]!.forEach((place, index) => {
      row[place] = result.stats[index]!;
    });
    return row;
  }
}
