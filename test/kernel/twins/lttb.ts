interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * LTTB as it is told: buckets of points, the mean of the next bucket, the largest triangle. Gaps
 * (NaN) by the rules of assembly/resample.ts.
 */
export function lttb(values: readonly number[], target: number): number[] {
  const count = values.length;
  if (target >= count || target < 3) return [...values];
  const size = (count - 2) / (target - 2);
  const start = (index: number): number => Math.min(Math.floor(index * size) + 1, count - 2);
  const points = values.map((y, x) => ({ x, y }));
  const result = [values[0]!];
  let before = points[0]!;
  for (let i = 0; i < target - 2; i++) {
    const candidates = points.slice(start(i), start(i + 1)).filter(({ y }) => !Number.isNaN(y));
    const after = meanPoint(points.slice(start(i + 1), start(i + 2) + 1));
    const areas = candidates.map((candidate) => area(before, candidate, after));
    const best = candidates[areas.indexOf(Math.max(...areas))];
    result.push(best ? best.y : NaN);
    before = best ?? before;
  }
  result.push(values[count - 1]!);
  return result;
}

function meanPoint(points: readonly Point[]): Point {
  const present = points.filter(({ y }) => !Number.isNaN(y));
  const mean = (numbers: number[]): number => numbers.reduce((a, b) => a + b, 0) / numbers.length;
  return { x: mean(points.map(({ x }) => x)), y: mean(present.map(({ y }) => y)) };
}

/** Twice the area. A corner of unknown height is level with the candidate. */
function area(before: Point, candidate: Point, after: Point): number {
  const left = Number.isNaN(before.y) ? candidate.y : before.y;
  const right = Number.isNaN(after.y) ? candidate.y : after.y;
  const width = before.x - after.x;
  return Math.abs(width * (candidate.y - left) - (before.x - candidate.x) * (right - left));
}
