/** Samples are put together to so many stretches: neighbours tell nearly the same. */
const STRETCHES = 12;
/** Student's t for 95 % (two sides) by degrees of freedom. */
const T_95 = [NaN, 12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23];

/** How a value grows. */
export interface Slope {
  /** Share of `mean` an hour: 0.1 = 10 %. */
  readonly perHour: number;
  /** The slope is within this of `perHour`, with a confidence of 95 %. */
  readonly marginPerHour: number;
  /** Of the least values. */
  readonly mean: number;
}

/**
 * Fits a line by least squares through the least values of equal stretches of time: what a process keeps, below
 * what requests and garbage on their way take for a while. Undefined where there are too few samples.
 */
export function slopeOf(
  samples: readonly { readonly atSec: number; readonly value: number }[],
): Slope | undefined {
  if (samples.length < 2 * STRETCHES) return undefined;
  const points = Array.from({ length: STRETCHES }, (_, i) => {
    const part = samples.slice(
      Math.floor((i * samples.length) / STRETCHES),
      Math.floor(((i + 1) * samples.length) / STRETCHES),
    );
    const y = Math.min(...part.map(({ value }) => value));
    return { x: meanOf(part.map(({ atSec }) => atSec)), y };
  });
  const xMean = meanOf(points.map(({ x }) => x));
  const yMean = meanOf(points.map(({ y }) => y));
  const spread = points.reduce((sum, { x }) => sum + (x - xMean) ** 2, 0);
  const slope = points.reduce((sum, { x, y }) => sum + (x - xMean) * (y - yMean), 0) / spread;
  const rest = points.reduce((sum, { x, y }) => sum + (y - yMean - slope * (x - xMean)) ** 2, 0);
  const freedom = STRETCHES - 2;
  const error = Math.sqrt(rest / freedom / spread);
  const perHour = (value: number): number => (value * 3600) / yMean;
  const marginPerHour = perHour(error * T_95[freedom]!);
  return { perHour: perHour(slope), marginPerHour, mean: yMean };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
