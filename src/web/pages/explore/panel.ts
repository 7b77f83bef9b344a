import { COLOURS_MAX, dashOf, makeChart, type Chart, type Curve as Line } from '../kit/chart.js';
import { el, fill } from '../kit/dom.js';
import { duration, time } from '../kit/format.js';
import { svg } from '../kit/svg.js';
import { makeTable, type Table } from '../kit/table.js';
import { CURVES_MAX, type Band, type MetricCurves } from './curves.js';
import { STATISTICS } from './request.js';
import type { Range } from './times.js';
import { unitsLike } from './units.js';

/** More bands than these would lie above one another. */
export const BANDS_MAX = 4;
/** Columns of the table of points: what a screen has room for. The file has all. */
const COLUMNS_MAX = 10;
const HEIGHT_PX = 230;
const DIGITS = 6;

/** What a panel tells the page. */
export interface PanelEvents {
  readonly zoomed: (fromSec: number, toSec: number) => void;
  readonly unitChosen: (metric: string, unit: string) => void;
}

interface Row {
  readonly index: number;
  readonly label: string;
  readonly series: number;
  readonly coverage: number;
  readonly stats: Readonly<Record<string, number | null>>;
  readonly atCursor: HTMLElement;
  readonly button: HTMLElement;
}

/** A metric: its chart, statistics of its curves, and the numbers that were plotted. */
export class Panel {
  readonly element: HTMLElement;
  readonly #metric: string;
  readonly #events: PanelEvents;
  readonly #unit: HTMLSelectElement;
  readonly #about = el('span', { class: 'quiet' });
  readonly #room: HTMLElement;
  readonly #statistics: Table<Row>;
  readonly #numbers: HTMLDetailsElement;
  readonly #hidden = new Set<string>();
  #rows: Row[] = [];
  #shown: MetricCurves | undefined;
  #band: Band | undefined;
  #range: Range = { fromSec: 0, toSec: 1 };
  #chart: Chart | undefined;
  /** What the chart was made for: with the same curves it gets other data only. */
  #madeFor = '';

  constructor(metric: string, events: PanelEvents) {
    this.#metric = metric;
    this.#events = events;
    const change = (): void => events.unitChosen(metric, this.#unit.value);
    this.#unit = el('select', { change, 'aria-label': `unit of ${metric}` });
    this.#statistics = makeTable(`Statistics of all samples of ${metric}`, columnsOf());
    this.#numbers = el(
      'details',
      { toggle: () => this.#showNumbers() },
      el('summary', {}, 'Numbers of the chart'),
      el('div'),
    );
    const keys = `chart of ${metric}; keys + - and arrows change the range`;
    this.#room = el('div', { tabindex: 0, role: 'group', class: 'chart-room', 'aria-label': keys });
    const head = el('div', { class: 'panel-head' }, el('h2', {}, metric), this.#unit, this.#about);
    this.element = el(
      'section',
      { class: 'panel metric', 'aria-label': metric },
      head,
      this.#room,
      this.#statistics.element,
      this.#numbers,
    );
  }

  /** @param nativeUnit of the metric, which others are derived from. */
  show(shown: MetricCurves, range: Range, nativeUnit: string, band: Band | undefined): void {
    this.#shown = shown;
    this.#range = range;
    this.#band = band;
    this.#showUnits(nativeUnit || shown.unit, shown.unit);
    const of = CURVES_MAX + shown.curvesNotShown;
    const few = `${CURVES_MAX} of ${of} curves: combine them, or name fewer nodes`;
    const more = shown.curvesNotShown > 0 ? ` · ${few}` : '';
    const borders = band ? ' · band: smallest and largest sample of each' : '';
    fill(this.#about, `a point each ${duration(shown.stepSec)}${borders}${more}`);
    const madeFor = [shown.unit, Boolean(band), ...shown.curves.map(({ label }) => label)].join(
      '\n',
    );
    if (madeFor !== this.#madeFor) this.#makeChart(shown, band !== undefined);
    this.#madeFor = madeFor;
    this.#chart!.setData(shown.times, [...shown.values, ...bandValues(band)]);
    this.#rows = shown.curves.map(({ label, result }, index) => ({
      index,
      label,
      series: result.series,
      coverage: result.coverage ?? 1,
      stats: result.stats ?? {},
      atCursor: el('span'),
      button: this.#curveButton(label, index),
    }));
    this.#statistics.setRows(this.#rows);
    for (const { label, index } of this.#rows)
      if (this.#hidden.has(label)) this.#setShown(index, false);
    this.#showNumbers();
  }

  destroy(): void {
    this.#chart?.destroy();
    this.element.remove();
  }

  #makeChart(shown: MetricCurves, hasBand: boolean): void {
    this.#chart?.destroy();
    const unit = shown.unit === '' ? '' : ` in ${shown.unit}`;
    const lines: Line[] = shown.curves.map(({ label }) => ({ label, show: rounded }));
    const count = lines.length;
    const borders = hasBand
      ? shown.curves.flatMap(({ label }, index): Line[] => [
          {
            label: `${label}, largest`,
            show: rounded,
            colour: index,
            bandTo: count + 2 * index + 1,
          },
          { label: `${label}, smallest`, show: rounded, colour: index, isBorder: true },
        ])
      : [];
    this.#chart = makeChart({
      title: `${shown.metric}${unit}: ${count} ${count === 1 ? 'curve' : 'curves'}`,
      curves: [...lines, ...borders],
      heightPx: HEIGHT_PX,
      sync: 'explore',
      legend: false,
      zoomed: this.#events.zoomed,
      axis: rounded,
      range: () => [this.#range.fromSec, this.#range.toSec],
      pointed: (index) => this.#point(index),
    });
    fill(this.#room, this.#chart.element);
  }

  #showUnits(native: string, present: string): void {
    const units = unitsLike(native);
    if (!units.includes(present)) units.push(present);
    const options = units.map((unit) => el('option', { value: unit }, unit || 'no unit'));
    fill(this.#unit, options);
    this.#unit.value = present;
    this.#unit.disabled = units.length < 2;
  }

  #curveButton(label: string, index: number): HTMLElement {
    const press = (): void => {
      const isShown = this.#hidden.has(label);
      if (isShown) this.#hidden.delete(label);
      else this.#hidden.add(label);
      this.#setShown(index, isShown);
    };
    const isShown = !this.#hidden.has(label);
    return el(
      'button',
      { type: 'button', class: 'curve', 'aria-pressed': String(isShown), click: press },
      swatch(index),
      label,
    );
  }

  #setShown(index: number, show: boolean): void {
    this.#rows[index]?.button.setAttribute('aria-pressed', String(show));
    const { plot } = this.#chart!;
    const count = this.#shown!.curves.length;
    const borders = this.#band ? [count + 2 * index, count + 2 * index + 1] : [];
    for (const one of [index, ...borders]) plot.setSeries(one + 1, { show });
  }

  #point(index: number | null): void {
    for (const row of this.#rows) {
      const value = index === null ? null : (this.#shown!.values[row.index]?.[index] ?? null);
      row.atCursor.textContent = value === null ? '' : rounded(value);
    }
  }

  /** The chart as a table, for those who read or copy numbers; made only where it is opened. */
  #showNumbers(): void {
    const room = this.#numbers.lastElementChild!;
    if (!this.#numbers.open || !this.#shown) return fill(room);
    const { curves, times, values } = this.#shown;
    const shown = curves.slice(0, COLUMNS_MAX);
    const more = curves.length - shown.length;
    const table = makeTable<number>(`Points of ${this.#metric}`, [
      { title: 'Time', show: (row) => time(times[row]) },
      ...shown.flatMap(({ label }, index) => [
        numberColumn(label, values[index]!),
        ...(this.#band
          ? [
              numberColumn(`${label} min`, this.#band.min[index]!),
              numberColumn(`${label} max`, this.#band.max[index]!),
            ]
          : []),
      ]),
    ]);
    table.setRows(times.map((_, row) => row));
    fill(
      room,
      more > 0 && el('p', { class: 'quiet' }, `${more} more are in the file`),
      table.element,
    );
  }
}

/** Six digits: more than a chart shows, and no tail of binary fractions. */
export function rounded(value: number | null): string {
  return value === null ? '–' : String(Number(value.toPrecision(DIGITS)));
}

function columnsOf() {
  const number = (name: string) => ({
    title: name === 'count' ? 'samples' : name,
    isNumber: true,
    by: ({ stats }: Row) => stats[name] ?? Number.NEGATIVE_INFINITY,
    show: ({ stats }: Row) => valueCell(stats[name] ?? null),
  });
  return [
    { title: 'Curve', by: ({ index }: Row) => index, show: ({ button }: Row) => button },
    { title: 'At the cursor', isNumber: true, show: ({ atCursor }: Row) => atCursor },
    ...STATISTICS.map(number),
    {
      title: 'Series',
      isNumber: true,
      by: ({ series }: Row) => series,
      show: ({ series, coverage }: Row) =>
        coverage < 1 ? `${series}, at least ${Math.floor(coverage * 100)} %` : series,
    },
  ];
}

function numberColumn(title: string, values: readonly (number | null)[]) {
  return { title, isNumber: true, show: (row: number) => values[row] ?? '–' };
}

function valueCell(value: number | null): HTMLElement {
  return el('span', { title: value === null ? undefined : String(value) }, rounded(value));
}

function swatch(index: number): SVGElement {
  const line = { x1: 0, y1: 5, x2: 22, y2: 5, 'stroke-dasharray': dashOf(index)?.join(' ') };
  return svg(
    'svg',
    { class: `swatch curve-${index % COLOURS_MAX}`, width: 22, height: 10, 'aria-hidden': 'true' },
    svg('line', line),
  );
}

function bandValues(band: Band | undefined): (readonly (number | null)[])[] {
  return band ? band.max.flatMap((max, index) => [max, band.min[index]!]) : [];
}
