/** Samples are put together to so many means: neighbours tell nearly the same. */
const MEANS = 12;
/** Student's t for 95 % (two sides) by degrees of freedom. */
const T_95 = [NaN, 12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23];

/** How a value grows. */
export interface Slope {
  /** Share of its mean an hour: 0.1 = 10 %. */
  readonly perHour: number;
  /** The slope is within this of `perHour`, with a confidence of 95 %. */
  readonly marginPerHour: number;
  readonly mean: number;
}

/**
 * Fits a line by least squares through the means of equal stretches of time; undefined where there are
 * too few samples.
 */
export function slopeOf(
  samples: readonly { readonly atSec: number; readonly value: number }[],
): Slope | undefined {
  if (samples.length < 2 * MEANS) return undefined;
  const points = Array.from({ length: MEANS }, (_, i) => {
    const part = samples.slice(
      Math.floor((i * samples.length) / MEANS),
      Math.floor(((i + 1) * samples.length) / MEANS),
    );
    return { x: meanOf(part.map(({ atSec }) => atSec)), y: meanOf(part.map(({ value }) => value)) };
  });
  const xMean = meanOf(points.map(({ x }) => x));
  const yMean = meanOf(points.map(({ y }) => y));
  const spread = points.reduce((sum, { x }) => sum + (x - xMean) ** 2, 0);
  const slope = points.reduce((sum, { x, y }) => sum + (x - xMean) * (y - yMean), 0) / spread;
  const rest = points.reduce((sum, { x, y }) => sum + (y - yMean - slope * (x - xMean)) ** 2, 0);
  const freedom = MEANS - 2;
  const error = Math.sqrt(rest / freedom / spread);
  const perHour = (value: number): number => (value * 3600) / yMean;
  const marginPerHour = perHour(error * T_95[freedom]!);
  return { perHour: perHour(slope), marginPerHour, mean: yMean };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
