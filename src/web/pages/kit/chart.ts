import uPlot from '../vendor/uplot.js';
import { el, fill } from './dom.js';
import { time } from './format.js';
import { setText } from './text.js';

/** Colours of curves in their order; the style sheet has them for light and dark. */
export const COLOURS_MAX = 8;

/** A curve. */
export interface Curve {
  readonly label: string;
  /** How its values are shown: `8.2 M`. */
  readonly show: (value: number | null) => string;
  /** Index of its colour; absent: its own index. */
  readonly colour?: number;
  /** It is the border of a band: drawn thin, and the area down to this curve (by index) is filled. */
  readonly bandTo?: number;
  /** The other border of a band: drawn thin as well. */
  readonly isBorder?: boolean;
}

export interface ChartOptions {
  /** What the chart is of; screen readers read it. */
  readonly title: string;
  readonly curves: readonly Curve[];
  readonly heightPx?: number;
  /** Charts with one key show one point in time. */
  readonly sync?: string;
  /** Told the range that was selected, in seconds; absent: nothing can be selected. */
  readonly zoomed?: (fromSec: number, toSec: number) => void;
  /** Numbers at the axis. */
  readonly axis?: (value: number) => string;
  /** Distances of numbers at the axis that may be chosen, such as BYTE_STEPS; absent: decimal ones. */
  readonly steps?: readonly number[];
  /** The axis begins at 0: what is twice as high is twice as much. */
  readonly fromZero?: boolean;
  /** false: names and values of the curves stand elsewhere. */
  readonly legend?: boolean;
  /** The range that is shown, in seconds, also where there is no data; absent: that of the data. */
  readonly range?: () => readonly [fromSec: number, toSec: number];
  /** Told which point the cursor is at; null = none. */
  readonly pointed?: (index: number | null) => void;
}

export interface Chart {
  readonly element: HTMLElement;
  /** Times in seconds, then as many values for each curve; null = nothing is known. */
  setData(times: readonly number[], values: readonly (readonly (number | null)[])[]): void;
  /** uPlot's own, for who must look closely. */
  readonly plot: uPlot;
  destroy(): void;
}

/** Powers of two, so that axes of bytes have whole numbers. */
export const BYTE_STEPS: readonly number[] = Array.from({ length: 50 }, (_, power) => 2 ** power);

/** Times at the axis, by their distance; the day where it changes. The zone is that of whoever looks. */
const DAY = '\n{YYYY}-{MM}-{DD}';
const TIMES: (string | number | null)[][] = [
  [86_400 * 365, '{YYYY}', null, null, null, null, null, null, 1],
  [86_400 * 28, '{MMM}', '\n{YYYY}', null, null, null, null, null, 1],
  [86_400, '{MM}-{DD}', '\n{YYYY}', null, null, null, null, null, 1],
  [60, '{HH}:{mm}', DAY, null, DAY, null, null, null, 1],
  [1, '{HH}:{mm}:{ss}', DAY, null, DAY, null, null, null, 1],
  [0.001, ':{ss}.{fff}', DAY, null, DAY, null, '\n{HH}:{mm}', null, 1],
];

const DASHES = [undefined, [7, 3], [2, 3], [9, 3, 2, 3], [14, 4], [4, 4], [9, 3, 2, 3, 2, 3]];

/** A chart over time that follows its room and the colours of the page. */
export function makeChart(options: ChartOptions): Chart {
  const { title, heightPx = 180 } = options;
  const room = el('div', { class: 'plot' });
  const at = el('span', { class: 'at' });
  const caption = el('figcaption', {}, title, at);
  const element = el('figure', { class: 'chart' }, caption, room);
  let data: uPlot.AlignedData = [[], ...options.curves.map(() => [])];
  let plot = draw(options, data, at, room, 600, heightPx);
  const resized = new ResizeObserver(() => {
    const width = room.clientWidth;
    if (width > 0 && width !== plot.width) plot.setSize({ width, height: heightPx });
  });
  resized.observe(room);
  const recolour = (): void => {
    plot.destroy();
    fill(room);
    plot = draw(options, data, at, room, room.clientWidth || 600, heightPx);
  };
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  document.addEventListener('themechange', recolour);
  dark.addEventListener('change', recolour);
  return {
    element,
    get plot() {
      return plot;
    },
    setData(times, values) {
      data = [times, ...values] as uPlot.AlignedData;
      plot.setData(data);
      showNewest(plot);
      caption.title = times.length > 0 ? `${time(times[0])} – ${time(times.at(-1))}` : '';
    },
    destroy() {
      resized.disconnect();
      document.removeEventListener('themechange', recolour);
      dark.removeEventListener('change', recolour);
      plot.destroy();
    },
  };
}

function draw(
  options: ChartOptions,
  data: uPlot.AlignedData,
  at: HTMLElement,
  room: HTMLElement,
  width: number,
  height: number,
): uPlot {
  const { title, curves, sync, zoomed, legend = true, pointed } = options;
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const plot = new uPlot(
    {
      width,
      height,
      // The last time at the axis is not cut off.
      padding: [null, 28, null, null],
      ...scalesOf(options, colour),
      legend: { show: legend },
      cursor: {
        drag: { x: zoomed !== undefined, y: false, setScale: false },
        ...(sync !== undefined && { sync: { key: sync } }),
      },
      series: [
        { value: (_, at) => time(at) },
        ...curves.map((curve, index) => seriesOf(curve, index, colour)),
      ],
      bands: curves.flatMap(({ bandTo, colour: of }, index) =>
        bandTo === undefined
          ? []
          : [
              {
                series: [index + 1, bandTo + 1] as [number, number],
                fill: `${colour(`--curve-${(of ?? index) % COLOURS_MAX}`)}33`,
              },
            ],
      ),
      hooks: {
        setCursor: [
          (self) => {
            const index = self.cursor.idx ?? -1;
            setText(at, index < 0 ? '' : time(self.data[0][index]));
            if (index < 0) showNewest(self);
            pointed?.(index < 0 ? null : index);
          },
        ],
        setSelect: [
          (self) => {
            const { left, width: wide } = self.select;
            if (!zoomed || wide < 5) return;
            zoomed(self.posToVal(left, 'x'), self.posToVal(left + wide, 'x'));
            self.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          },
        ],
      },
    },
    data,
    room,
  );
  plot.root.setAttribute('role', 'img');
  plot.root.setAttribute('aria-label', title);
  return plot;
}

/** Scales and their axes: Unix seconds, and numbers. */
function scalesOf(
  { axis, steps, fromZero, range }: ChartOptions,
  colour: (name: string) => string,
): Pick<uPlot.Options, 'scales' | 'axes'> {
  const both = {
    stroke: colour('--quiet'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
  return {
    scales: {
      x: { time: true, ...(range && { range: () => [...range()] as [number, number] }) },
      ...(fromZero && { y: { range: { min: { soft: 0, mode: 1 }, max: { pad: 0.1 } } } }),
    },
    axes: [
      { ...both, values: TIMES },
      {
        ...both,
        size: 64,
        ...(axis && { values: (_: uPlot, values: number[]) => values.map(axis) }),
        ...(steps && { incrs: [...steps] }),
      },
    ],
  };
}

/** Where nobody points at a time, numbers are of the newest. */
function showNewest(plot: uPlot): void {
  const { data, cursor } = plot;
  if ((cursor.left ?? -1) >= 0 || data[0].length === 0) return;
  plot.setLegend({ idx: data[0].length - 1 }, false);
}

function seriesOf(
  { label, show, colour: of, bandTo, isBorder }: Curve,
  index: number,
  colour: (name: string) => string,
): uPlot.Series {
  const number = of ?? index;
  const stroke = colour(`--curve-${number % COLOURS_MAX}`);
  const isBand = bandTo !== undefined || isBorder === true;
  return {
    label,
    stroke: isBand ? `${stroke}66` : stroke,
    width: isBand ? 1 : 1.5,
    dash: isBand ? undefined : dashOf(number),
    points: { show: false, filter: isBand ? undefined : alone, fill: stroke, size: 4 },
    value: (_, value) => show(value ?? null),
  };
}

/** Lengths of strokes and gaps: curves of one colour are told apart by them. */
export function dashOf(number: number): number[] | undefined {
  return DASHES[Math.floor(number / COLOURS_MAX) % DASHES.length];
}

/** Points with gaps on both sides: without a mark nothing would be seen of them. */
function alone(self: uPlot, series: number): number[] {
  const values = self.data[series] as (number | null | undefined)[];
  const isThere = (index: number): boolean => (values[index] ?? null) !== null;
  return values.flatMap((_, index) =>
    isThere(index) && !isThere(index - 1) && !isThere(index + 1) ? [index] : [],
  );
}
