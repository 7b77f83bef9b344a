import { el, type Child } from './dom.js';

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

/** For tables of many rows, of which the first are shown until one asks for more. */
export interface TablePage<Row> {
  /** Rows that are shown, and how many more each time. */
  readonly rows: number;
  /** Told which are shown, whenever rows or their order change. */
  readonly shown?: (rows: readonly Row[]) => void;
}

/**
 * A table that scrolls sideways where there is no room, and sorts by its titles. With `page`, a row that is
 * the same object as before is not made anew: what has the focus keeps it.
 */
export function makeTable<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  empty = 'nothing to show',
  page?: TablePage<Row>,
): Table<Row> {
  let rows: readonly Row[] = [];
  let rowsMax = page?.rows ?? Number.POSITIVE_INFINITY;
  let sorted: { column: Column<Row>; isDescending: boolean } | undefined;
  const body = el('tbody');
  const rowOf = keeping(columns, page !== undefined);
  const press = (column: Column<Row>): void => {
    const isSame = sorted?.column === column;
    sorted = { column, isDescending: isSame ? !sorted!.isDescending : column.isNumber === true };
    show();
  };
  const heads = columns.map((column) => headOf(column, () => press(column)));
  const more = (): void => {
    const first = rowsMax;
    rowsMax += page!.rows;
    show();
    body.children[first]?.querySelector<HTMLElement>('a, button')?.focus();
  };
  const show = (): void => {
    for (const [index, head] of heads.entries()) {
      if (sorted?.column !== columns[index]) head.removeAttribute('aria-sort');
      else head.setAttribute('aria-sort', sorted!.isDescending ? 'descending' : 'ascending');
    }
    const all = sorted ? sort(rows, sorted.column.by!, sorted.isDescending) : rows;
    const shown = all.slice(0, rowsMax);
    place(body, shown.map(rowOf));
    if (shown.length === 0) body.append(emptyRow(empty, columns.length));
    if (shown.length < all.length) body.append(moreRow(all.length - shown.length, columns, more));
    page?.shown?.(shown);
  };
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

function headOf<Row>({ title, by, isNumber }: Column<Row>, press: () => void): HTMLElement {
  return el(
    'th',
    { scope: 'col', class: isNumber ? 'number' : undefined },
    by ? el('button', { type: 'button', class: 'sort', click: press }, title) : title,
  );
}

/** Makes rows; where they are kept, once for each object. */
function keeping<Row>(columns: readonly Column<Row>[], isKept: boolean): (row: Row) => HTMLElement {
  const make = (row: Row): HTMLElement =>
    el(
      'tr',
      {},
      columns.map(({ show, isNumber }) =>
        el('td', { class: isNumber ? 'number' : undefined }, show(row)),
      ),
    );
  if (!isKept) return make;
  const made = new WeakMap<object, HTMLElement>();
  return (row) => {
    const key = row as object;
    const known = made.get(key) ?? make(row);
    made.set(key, known);
    return known;
  };
}

function moreRow(count: number, columns: readonly unknown[], more: () => void): HTMLElement {
  const title = `Show more (${count} are not shown)`;
  const button = el('button', { type: 'button', click: more }, title);
  return el('tr', {}, el('td', { colspan: columns.length }, button));
}

/** Makes rows the children of a body; those that stand where they did are not touched. */
function place(body: HTMLElement, rows: readonly HTMLElement[]): void {
  const kept = new Set<Element>(rows);
  for (const child of Array.from(body.children)) if (!kept.has(child)) child.remove();
  for (const [index, row] of rows.entries()) {
    const present = body.children[index];
    if (present !== row) body.insertBefore(row, present ?? null);
  }
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
