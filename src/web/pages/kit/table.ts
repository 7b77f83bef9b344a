import { el, fill, type Child } from './dom.js';

/** A column of a table. */
export interface Column<Row> {
  readonly title: string;
  /** What a cell shows. */
  readonly show: (row: Row) => Child;
  /** What rows are sorted by when the title is pressed; absent: not sortable. */
  readonly by?: (row: Row) => number | string;
  /** Numbers stand at the right. */
  readonly isNumber?: boolean;
}

export interface Table<Row> {
  readonly element: HTMLElement;
  setRows(rows: readonly Row[]): void;
}

/** A table that scrolls sideways where there is no room, and sorts by its titles. */
export function makeTable<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  empty = 'nothing to show',
): Table<Row> {
  let rows: readonly Row[] = [];
  let sorted: { column: Column<Row>; isDescending: boolean } | undefined;
  const body = el('tbody');
  const heads = columns.map((column) => {
    const { title, by, isNumber } = column;
    const press = (): void => {
      const isSame = sorted?.column === column;
      sorted = { column, isDescending: isSame ? !sorted!.isDescending : isNumber === true };
      show();
    };
    return el(
      'th',
      { scope: 'col', class: isNumber ? 'number' : undefined },
      by ? el('button', { type: 'button', class: 'sort', click: press }, title) : title,
    );
  });
  const show = (): void => {
    for (const [index, head] of heads.entries()) {
      if (sorted?.column !== columns[index]) head.removeAttribute('aria-sort');
      else head.setAttribute('aria-sort', sorted!.isDescending ? 'descending' : 'ascending');
    }
    const shown = sorted ? sort(rows, sorted.column.by!, sorted.isDescending) : rows;
    fill(body, shown.length === 0 ? emptyRow(empty, columns.length) : shown.map(rowOf));
  };
  const rowOf = (row: Row): HTMLElement =>
    el(
      'tr',
      {},
      columns.map(({ show: cell, isNumber }) =>
        el('td', { class: isNumber ? 'number' : undefined }, cell(row)),
      ),
    );
  show();
  const table = el(
    'table',
    {},
    el('caption', {}, caption),
    el('thead', {}, el('tr', {}, heads)),
    body,
  );
  return {
    element: el(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption },
      table,
    ),
    setRows(next) {
      rows = next;
      show();
    },
  };
}

function emptyRow(text: string, columns: number): HTMLElement {
  return el('tr', {}, el('td', { colspan: columns, class: 'quiet' }, text));
}

function sort<Row>(
  rows: readonly Row[],
  by: (row: Row) => number | string,
  isDescending: boolean,
): Row[] {
  const sign = isDescending ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [left, right] = [by(a), by(b)];
    return left < right ? -sign : left > right ? sign : 0;
  });
}
