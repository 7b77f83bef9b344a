/** Means nothing for no values: NaN. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length === 0) return NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** How far values are apart, in parts of their median: (largest − smallest) / median. */
export function spread(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / median(values);
}

/** The line `intercept + slope · x`. */
export interface Line {
  readonly intercept: number;
  readonly slope: number;
  /** Share of the variance of y that the line explains; 1 where y does not vary. */
  readonly explained: number;
}

/**
 * Least squares, each point weighted by `weights` (default 1). Points whose x are all the same have
 * no slope: it is 0 then. NaN for no points.
 */
export function leastSquares(
  x: readonly number[],
  y: readonly number[],
  weights: readonly number[] = x.map(() => 1),
): Line {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value, i) => sum + value * weights[i]!, 0) /
    weights.reduce((sum, weight) => sum + weight, 0);
  const [meanX, meanY] = [mean(x), mean(y)];
  const varianceX = mean(x.map((value) => (value - meanX) ** 2));
  const varianceY = mean(y.map((value) => (value - meanY) ** 2));
  const covariance = mean(x.map((value, i) => (value - meanX) * (y[i]! - meanY)));
  const slope = varianceX > 0 ? covariance / varianceX : 0;
  const explained =
    varianceY > 0 ? (varianceX > 0 ? covariance ** 2 / (varianceX * varianceY) : 0) : 1;
  return { intercept: meanY - slope * meanX, slope, explained };
}
