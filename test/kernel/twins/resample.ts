import type { ResampleAlgorithm } from '../../../src/model/query-request.js';

/** Cells of a grid: input i lies at i * den + offset, cell k takes k * num … (k + 1) * num - 1. */
export interface Grid {
  readonly offset: number;
  readonly num: number;
  readonly den: number;
  readonly target: number;
}

/** A sample: its index among the inputs, and its value. */
interface Point {
  readonly x: number;
  readonly y: number;
}

/** The samples of a cell, and all its inputs. */
interface Cell {
  /** Half-way between its first input and its last; without inputs, before the one that follows. */
  readonly middle: number;
  readonly inputs: readonly Point[];
  readonly points: readonly Point[];
}

/** What `resample` must give. */
export function resample(
  algorithm: ResampleAlgorithm,
  values: readonly number[],
  grid: Grid,
): number[] {
  const cells = cellsOf(values, grid);
  switch (algorithm) {
    case 'lttb':
      return lttbOf(
        cells,
        (points) => points,
        ({ middle }) => middle,
      ).map(valueOf);
    case 'minmaxlttb':
      return keepExtremes(cells, lttbOf(cells, candidatesOf, meanTimeOf).map(valueOf));
    case 'minmax':
      return keepExtremes(cells, groupsOf(cells, 2));
    case 'm4':
      return keepExtremes(cells, groupsOf(cells, 4));
    case 'simple':
      return cells.map(({ inputs }) => inputs[0]?.y ?? NaN);
    default:
      return cells.map(({ points }) => figureOf(algorithm, valuesOf(points)));
  }
}

export function cellsOf(values: readonly number[], grid: Grid): Cell[] {
  const inputsOf = Array.from({ length: grid.target }, (): Point[] => []);
  values.forEach((y, x) =>
    inputsOf[Math.floor((x * grid.den + grid.offset) / grid.num)]?.push({ x, y }),
  );
  let behind = 0;
  return inputsOf.map((inputs) => {
    behind += inputs.length;
    const middle = behind - (inputs.length + 1) / 2;
    return { inputs, points: inputs.filter(({ y }) => !Number.isNaN(y)), middle };
  });
}

const valueOf = (point: Point | undefined): number => point?.y ?? NaN;
const valuesOf = (points: readonly Point[]): number[] => points.map(({ y }) => y);
const mean = (numbers: readonly number[]): number =>
  numbers.reduce((sum, value) => sum + value, 0) / numbers.length;

/** Mean and sum as they are without any rounding but the last. */
function figureOf(algorithm: ResampleAlgorithm, values: readonly number[]): number {
  if (algorithm === 'count') return values.length;
  if (values.length === 0) return NaN;
  switch (algorithm) {
    case 'average':
      return exactSum(values) / values.length;
    case 'sum':
      return exactSum(values);
    case 'min':
      return Math.min(...values);
    case 'max':
      return Math.max(...values);
    case 'first':
      return values[0]!;
    default:
      return values.at(-1)!;
  }
}

/** All doubles of the tests are multiples of 2^-80, so integers can add them. */
const UNIT_BITS = 80;

function exactSum(values: readonly number[]): number {
  const units = values.reduce((sum, value) => sum + toUnits(value), 0n);
  return toDouble(units);
}

function toUnits(value: number): bigint {
  // Splitting keeps both products exact.
  const whole = Math.trunc(value);
  return (BigInt(whole) << BigInt(UNIT_BITS)) + BigInt((value - whole) * 2 ** UNIT_BITS);
}

/** Number() of an integer rounds correctly; a power of two changes nothing about it. */
function toDouble(units: bigint): number {
  return Number(units) / 2 ** UNIT_BITS;
}

function meanTimeOf(cell: Cell): number {
  const candidates = candidatesOf(cell.points, cell);
  return candidates.length > 0 ? mean(candidates.map(({ x }) => x)) : cell.middle;
}

/** Smallest and largest of each half. */
function candidatesOf(points: readonly Point[], { inputs }: Cell): readonly Point[] {
  if (inputs.length <= 4) return points;
  const middle = Math.floor((inputs[0]!.x + inputs.at(-1)!.x + 1) / 2);
  const halves = [points.filter(({ x }) => x < middle), points.filter(({ x }) => x >= middle)];
  return halves.flatMap((half) => {
    if (half.length === 0) return [];
    const extremes = [smallest(half), largest(half)].toSorted((a, b) => a.x - b.x);
    return extremes[0]!.y === extremes[1]!.y ? [extremes[0]!] : extremes;
  });
}

const smallest = (points: readonly Point[]): Point =>
  points.find(({ y }) => y === Math.min(...valuesOf(points)))!;
const largest = (points: readonly Point[]): Point =>
  points.find(({ y }) => y === Math.max(...valuesOf(points)))!;

function lttbOf(
  cells: readonly Cell[],
  candidates: (points: readonly Point[], cell: Cell) => readonly Point[],
  timeOf: (cell: Cell) => number,
): (Point | undefined)[] {
  let before: Point | undefined;
  return cells.map((cell, index) => {
    const { points } = cell;
    let taken: Point | undefined;
    if (index === 0) taken = points[0];
    else if (index === cells.length - 1) taken = points.at(-1);
    else {
      const next = cells[index + 1]!;
      const last = index === cells.length - 2 ? next.points.at(-1) : undefined;
      const after = last ?? { x: timeOf(next), y: mean(valuesOf(candidates(next.points, next))) };
      const choice = candidates(points, cell);
      const areas = choice.map((point) => area(before, point, after));
      taken = choice[Math.max(0, areas.indexOf(Math.max(...areas)))];
    }
    before = taken ?? before;
    return taken;
  });
}

/** Twice the area. A corner that is not there is level with the candidate. */
function area(before: Point | undefined, candidate: Point, after: Point): number {
  const x = before?.x ?? -1;
  const left = before?.y ?? candidate.y;
  const right = Number.isNaN(after.y) ? candidate.y : after.y;
  return Math.abs((x - after.x) * (candidate.y - left) - (x - candidate.x) * (right - left));
}

function groupsOf(cells: readonly Cell[], size: number): number[] {
  const shown: number[] = [];
  for (let at = 0; at < cells.length; at += size) {
    const group = cells.slice(at, at + size);
    const before = shown.findLast((value) => !Number.isNaN(value));
    const values = groupValues(group, before);
    for (const { points } of group) shown.push(points.length > 0 ? values.shift()! : NaN);
  }
  return shown;
}

/** Values of those cells of a group that have samples. */
function groupValues(group: readonly Cell[], before: number | undefined): number[] {
  const present = group.filter(({ points }) => points.length > 0);
  if (present.every(({ points }) => points.every(({ y }) => y === points[0]!.y))) {
    return present.map(({ points }) => points[0]!.y);
  }
  const points = present.flatMap((cell) => cell.points);
  const least = smallest(points);
  const most = largest(points);
  if (present.length === 1) {
    const isLeast = before !== undefined && Math.abs(least.y - before) > Math.abs(most.y - before);
    return [isLeast ? least.y : most.y];
  }
  const extremes = least.x < most.x ? [least.y, most.y] : [most.y, least.y];
  if (present.length === 2) return extremes;
  const ends = present.length === 4 ? [points[0]!.y] : [];
  return [...ends, ...extremes, points.at(-1)!.y];
}

/** Puts the smallest and the largest of all where they belong, if one of them is not shown. */
function keepExtremes(cells: readonly Cell[], shown: number[]): number[] {
  const points = cells.flatMap((cell) => cell.points);
  if (points.length === 0) return shown;
  const cellOf = (point: Point): number => cells.findIndex((cell) => cell.points.includes(point));
  const extremes = [smallest(points), largest(points)];
  const missing = extremes.filter(({ y }) => !shown.includes(y));
  if (missing.length === 0) return shown;
  const place = cellOf(missing[0]!);
  const other = extremes.find((point) => point !== missing[0])!;
  if (missing.length === 2) shown[cellOf(other)] = other.y;
  if (shown[place] !== other.y) {
    shown[place] = missing[0]!.y;
    return shown;
  }
  const others = cells
    .map((_, index) => index)
    .filter((index) => index !== place && !Number.isNaN(shown[index]!))
    .toSorted((a, b) => Math.abs(a - place) - Math.abs(b - place) || b - a);
  const near = others[0];
  if (near === undefined) shown[place] = largest(points).y;
  else {
    const pair = valuesOf(cells[place]!.points).filter((y) => extremes.some((e) => e.y === y));
    shown[Math.min(place, near)] = pair[0]!;
    shown[Math.max(place, near)] = pair.find((y) => y !== pair[0])!;
  }
  return shown;
}
