import type { SelectRequest } from '../../src/model/selection.js';
import { SELECT_COLUMN, StatColumns, TEXT_KEYS } from './result-keys.js';

/** The end of a line (RFC 4180). */
export const LINE_END = '\r\n';

/** Whether a request's table has a row a point; else it has one a series, with its statistics. */
export function hasPointRows({ select }: SelectRequest): boolean {
  return select.some(({ data }) => data);
}

/** The first line of a table. */
export function csvHeader(request: SelectRequest): string {
  const keys = TEXT_KEYS.map(({ column }) => column);
  const rest = hasPointRows(request)
    ? ['time', 'value']
    : ['series', 'coverage', ...new StatColumns(request).columns];
  return `${[SELECT_COLUMN, ...keys, ...rest].join(',')}${LINE_END}`;
}

/** A text as a value of a table: in quotes where it has to be. */
export function csvText(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
