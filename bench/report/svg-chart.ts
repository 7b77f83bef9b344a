/** A curve: `x` ascending; NaN in `y` is a gap. */
export interface Curve {
  readonly name: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
}

export interface LineChart {
  readonly title: string;
  readonly xTitle: string;
  readonly yTitle: string;
  /** Logarithmic axes need values above 0; others are left out. */
  readonly xLog?: boolean;
  readonly yLog?: boolean;
  readonly curves: readonly Curve[];
}

/** A group of bars, one for each series of the chart; undefined = there is none. */
export interface BarGroup {
  readonly name: string;
  readonly values: readonly (number | undefined)[];
}

export interface BarChart {
  readonly title: string;
  /** Names of the bars of a group. */
  readonly series: readonly string[];
  readonly groups: readonly BarGroup[];
  /** What stands behind a number. */
  readonly unit: string;
}

/** Distinct for eyes that do not tell red from green (Okabe and Ito, 2008). */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'];
const WIDTH = 860;
const PLOT_HEIGHT = 320;
const LEFT = 90;
const TOP = 44;
const RIGHT = 20;
const BOTTOM = 56;
const ROW = 16;
/** Between charts of one document. */
const GAP = 24;
const BAR_RIGHT = 110;
/** Room for the names of groups, by the longest. */
const BAR_LEFT_MIN = 100;
const BAR_LEFT_MAX = 360;
/** Of a letter, on average: nobody measures text here. */
const LETTER_WIDTH = 6.6;
/** Where there are more points to a curve, they stand so close that dots would be all there is. */
const DOTS_MAX = 40;
/** Of a logarithmic axis; beyond, not every power of ten has one. */
const LOG_TICKS_MAX = 12;

/** One axis: from values to pixels. */
interface Axis {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

/** Curves over one pair of axes, as an SVG document of its own. */
export function lineChart(chart: LineChart): string {
  const { title, xTitle, yTitle, xLog = false, yLog = false, curves } = chart;
  const isShown = ({ x, y }: Place): boolean =>
    Number.isFinite(x) && Number.isFinite(y) && (!xLog || x > 0) && (!yLog || y > 0);
  const points = curves.map(({ x, y }) => x.map((at, i) => ({ x: at, y: y[i]! })));
  const shown = points.flat().filter(isShown);
  const bottom = TOP + PLOT_HEIGHT;
  const xAxis = axis(
    shown.map(({ x }) => x),
    LEFT,
    WIDTH - RIGHT,
    xLog,
  );
  const yAxis = axis(
    yLog ? shown.map(({ y }) => y) : [0, ...shown.map(({ y }) => y)],
    bottom,
    TOP,
    yLog,
  );
  const parts = [text(LEFT, 24, title, 'class="title"')];
  for (const tick of xAxis.ticks) {
    parts.push(rule(xAxis.at(tick), TOP, xAxis.at(tick), bottom));
    parts.push(text(xAxis.at(tick), bottom + 18, short(tick), 'text-anchor="middle"'));
  }
  for (const tick of yAxis.ticks) {
    parts.push(rule(LEFT, yAxis.at(tick), WIDTH - RIGHT, yAxis.at(tick)));
    parts.push(text(LEFT - 8, yAxis.at(tick) + 4, short(tick), 'text-anchor="end"'));
  }
  parts.push(text((LEFT + WIDTH) / 2, bottom + 40, xTitle, 'text-anchor="middle"'));
  const middle = TOP + PLOT_HEIGHT / 2;
  parts.push(text(18, middle, yTitle, `text-anchor="middle" transform="rotate(-90 18 ${middle})"`));
  points.forEach((curve, index) => {
    const places = curve.map((place) =>
      isShown(place) ? { x: round(xAxis.at(place.x)), y: round(yAxis.at(place.y)) } : undefined,
    );
    parts.push(...drawn(places, colour(index)));
  });
  if (shown.length === 0) parts.push(text(LEFT + 12, TOP + 24, 'no points'));
  const names = curves.map(({ name }) => name);
  const { height, parts: entries } = legend(names, LEFT, bottom + BOTTOM);
  return document(bottom + BOTTOM + height, [...parts, ...entries]);
}

interface Place {
  readonly x: number;
  readonly y: number;
}

/** A curve in pixels; it is interrupted where a place is missing. */
function drawn(places: readonly (Place | undefined)[], paint: string): string[] {
  let path = '';
  let pen = 'M';
  for (const place of places) {
    if (place) path += `${pen}${place.x} ${place.y}`;
    pen = place ? 'L' : 'M';
  }
  const line = `<path d="${path}" fill="none" stroke="${paint}" stroke-width="2"/>`;
  const shown = places.filter((place) => place !== undefined);
  const dots =
    shown.length > DOTS_MAX
      ? []
      : shown.map(({ x, y }) => `<circle cx="${x}" cy="${y}" r="3" fill="${paint}"/>`);
  return path === '' ? [] : [line, ...dots];
}

/** Horizontal bars; each group has a scale of its own, whose largest bar is as long as there is room. */
export function barChart({ title, series, groups, unit }: BarChart): string {
  const longest = Math.max(0, ...groups.map(({ name }) => name.length));
  const left = Math.min(BAR_LEFT_MAX, Math.max(BAR_LEFT_MIN, 24 + longest * LETTER_WIDTH));
  const parts = [text(left, 24, title, 'class="title"')];
  let y = TOP;
  for (const { name, values } of groups) {
    const largest = Math.max(...values.filter(isNumber), 0);
    parts.push(text(left - 8, y + 12, name, 'text-anchor="end"'));
    values.forEach((value, index) => {
      if (!isNumber(value)) return;
      const room = WIDTH - left - BAR_RIGHT;
      const length = largest > 0 ? Math.max(1, (value / largest) * room) : 1;
      parts.push(
        `<rect x="${round(left)}" y="${y + 2}" width="${round(length)}" height="${ROW - 4}" fill="${colour(index)}"/>`,
        text(left + length + 6, y + 12, `${short(value)}${unit && ` ${unit}`}`),
      );
      y += ROW;
    });
    // A group of nothing has its name still.
    y += values.some(isNumber) ? ROW : 2 * ROW;
  }
  const { height, parts: entries } = legend(series, left, y + ROW / 2);
  return document(y + ROW / 2 + height, [...parts, ...entries]);
}

function isNumber(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value);
}

/** Documents of this file, one below the other in one. */
export function stackCharts(charts: readonly string[]): string {
  let top = 0;
  const parts = charts.map((chart) => {
    const height = Number(/ height="(\d+)"/.exec(chart)![1]);
    const placed = chart.trimEnd().replace('<svg ', `<svg y="${top}" `);
    top += height + GAP;
    return placed;
  });
  return document(Math.max(0, top - GAP), parts);
}

function axis(values: readonly number[], from: number, to: number, isLog: boolean): Axis {
  const low = values.length > 0 ? Math.min(...values) : isLog ? 1 : 0;
  const high = values.length > 0 ? Math.max(...values) : 1;
  if (isLog) return logAxis(low, high, from, to);
  const step = niceStep((high - low || 1) / 6);
  const first = Math.floor(low / step);
  const last = Math.max(first + 1, Math.ceil(high / step));
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  const at = (value: number): number =>
    from + ((value / step - first) / (last - first)) * (to - from);
  return { at, ticks };
}

/** From one of 1, 2, 5, 10, … to another. Over two decades and more, only powers of ten are named. */
function logAxis(low: number, high: number, from: number, to: number): Axis {
  const nice = (decades: number): number => Number((10 ** decades).toPrecision(1));
  const thirds = (value: number): number => 3 * Math.log10(value);
  // A third of a decade is near 2, two thirds near 5.
  let first = Math.floor(thirds(low));
  if (nice((first + 1) / 3) <= low) first++;
  let last = Math.max(first + 1, Math.ceil(thirds(high)));
  if (nice((last - 1) / 3) >= high && last - 1 > first) last--;
  const [least, most] = [nice(first / 3), nice(last / 3)];
  const decades = Math.log10(most / least);
  const stride = decades <= 2 ? 1 : 3 * Math.ceil(decades / LOG_TICKS_MAX);
  const ticks: number[] = [];
  const start = stride === 1 ? first : 3 * Math.ceil(first / 3);
  for (let third = start; third <= last; third += stride) ticks.push(nice(third / 3));
  const at = (value: number): number => from + (Math.log10(value / least) / decades) * (to - from);
  return { at, ticks };
}

/** 1, 2 or 5 times a power of ten, not below `least`. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least * 0.999)!;
}

/** Names one beside the other, as many in a row as there is room for. */
function legend(
  names: readonly string[],
  left: number,
  top: number,
): { readonly height: number; readonly parts: string[] } {
  let x = left;
  let y = top;
  const parts = names.flatMap((name, index) => {
    const width = 16 + name.length * LETTER_WIDTH + 18;
    if (x > left && x + width > WIDTH - RIGHT) {
      x = left;
      y += ROW;
    }
    const entry = [
      `<rect x="${round(x)}" y="${round(y - 9)}" width="10" height="10" fill="${colour(index)}"/>`,
      text(x + 16, y, name),
    ];
    x += width;
    return entry;
  });
  return { height: y - top + ROW, parts };
}

function colour(index: number): string {
  return COLOURS[index % COLOURS.length]!;
}

function rule(x1: number, y1: number, x2: number, y2: number): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="#ddd"/>`;
}

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${round(x)}" y="${round(y)}"${attributes && ` ${attributes}`}>${escape(content)}</text>`;
}

function document(height: number, parts: readonly string[]): string {
  const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${Math.ceil(height)}" viewBox="0 0 ${WIDTH} ${Math.ceil(height)}" font-family="sans-serif" font-size="12">`;
  const style = '<style>.title{font-size:15px;font-weight:bold}</style>';
  return `${head}${style}<rect width="100%" height="100%" fill="#fff"/>\n${parts.join('\n')}\n</svg>\n`;
}

/** 12345678 as `12.3 M`. */
export function short(value: number): string {
  const size = Math.abs(value);
  for (const [limit, letter] of [
    [1e12, ' T'],
    [1e9, ' G'],
    [1e6, ' M'],
    [1e3, ' k'],
  ] as const) {
    if (size >= limit) return `${Number((value / limit).toPrecision(3))}${letter}`;
  }
  return String(Number(value.toPrecision(3)));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
