import { StoreError } from '../../src/model/errors.js';
import type { SelectRequest } from '../../src/model/selection.js';
import { ARROW_END } from './arrow-message.js';
import { arrowColumns, schemaMessage } from './arrow-schema.js';
import { csvHeader } from './csv-text.js';
import type { ResultProblem } from './output.js';
import { StatColumns } from './result-keys.js';

/** Forms that an answer can have. This file touches no shard: the front uses it, too. */
export const OUTPUT_FORMS = ['json', 'ndjson', 'csv', 'arrow'] as const;
export type OutputForm = (typeof OUTPUT_FORMS)[number];

export const CONTENT_TYPES: Readonly<Record<OutputForm, string>> = {
  json: 'application/json',
  ndjson: 'application/x-ndjson',
  csv: 'text/csv; charset=utf-8',
  arrow: 'application/vnd.apache.arrow.stream',
};

/** What whoever joins pieces puts between two that are not empty. */
export const SEPARATORS: Readonly<Record<OutputForm, string>> = {
  json: ',',
  ndjson: '',
  csv: '',
  arrow: '',
};

/** Forms that are one table: without a place for the problem of a selection. */
export function isTable(form: OutputForm): boolean {
  return form === 'csv' || form === 'arrow';
}

/** Throws `bad-request` where a request cannot be answered in a form. */
export function checkForm(form: OutputForm, { select }: SelectRequest): void {
  if (form !== 'csv') return;
  const wantsData = select[0]?.data;
  const odd = select.findIndex(({ data }) => data !== wantsData);
  if (odd < 0) return;
  throw new StoreError(
    'bad-request',
    `select[${odd}].data: ${!wantsData} differs from select[0].data, and CSV is one table, of points or ` +
      'of statistics; ask for the same everywhere, or for JSON',
  );
}

/** The bytes before the first series. */
export function headOf(form: OutputForm, request: SelectRequest): Uint8Array {
  switch (form) {
    case 'json':
      return Buffer.from(`{"from":${request.fromSec},"to":${request.toSec},"results":[`);
    case 'ndjson':
      return Buffer.alloc(0);
    case 'csv':
      return Buffer.from(csvHeader(request));
    case 'arrow':
      return schemaMessage(arrowColumns(new StatColumns(request).columns));
  }
}

/** The bytes behind the last series. */
export function tailOf(form: OutputForm, problems: readonly ResultProblem[]): Uint8Array {
  switch (form) {
    case 'json':
      return Buffer.from(`],"problems":[${problems.map(problemText).join(',')}]}`);
    case 'ndjson':
    case 'csv':
      return Buffer.alloc(0);
    case 'arrow':
      return ARROW_END;
  }
}

/** A problem as JSON. */
export function problemText({ select, error }: ResultProblem): string {
  return JSON.stringify({ select, error });
}

/** What becomes of a problem in a table. */
export function problemError({ select, error }: ResultProblem): StoreError {
  return new StoreError('bad-request', `select[${select}]: ${error}`);
}
