import { leastSquares, type Line } from '../report/statistics.js';

/** How a measure follows what varies: y ~ x^exponent. */
export interface Trend {
  /** 0: no matter; 1: twice as much of x is twice as much of y; −1: half as much. */
  readonly exponent: number;
  /** Share of the variance of log y that the power law explains. */
  readonly explained: number;
  readonly words: string;
  readonly knee?: Knee;
}

/** Where it goes on in another way than before. */
export interface Knee {
  /** The x of a point, and of those next to it: somewhere in between. */
  readonly at: number;
  readonly between: readonly [number, number];
  /** Exponents of the steps on both sides. */
  readonly before: number;
  readonly after: number;
}

/** Two steps that differ by less are one trend with noise in it. */
const KNEE_CHANGE_MIN = 0.3;
/** So is what bends by less than a quarter of the measure, over steps that are short. */
const KNEE_BEND_MIN = 0.25;
/** Upper bounds of exponents; the signs of what falls are turned. */
const WORDS: readonly (readonly [number, string, string])[] = [
  [0.1, 'flat', 'flat'],
  [0.35, 'grows slowly', 'falls slowly'],
  [0.8, 'grows less than in step', 'falls less than in step'],
  [1.2, 'grows in step', 'falls in step'],
  [Infinity, 'grows faster than in step', 'falls faster than in step'],
];

/** Of the points above 0; undefined if these are not two. `x` ascends. */
export function trendOf(xs: readonly number[], ys: readonly number[]): Trend | undefined {
  const points = xs.map((x, i) => ({ x, y: ys[i]! })).filter(({ x, y }) => x > 0 && y > 0);
  if (points.length < 2) return undefined;
  const x = points.map((point) => Math.log(point.x));
  const y = points.map((point) => Math.log(point.y));
  const { slope, explained } = leastSquares(x, y);
  const knee = kneeOf(x, y);
  return { exponent: slope, explained, words: wordsOf(slope), ...(knee && { knee }) };
}

function wordsOf(exponent: number): string {
  const [, grows, falls] = WORDS.find(([bound]) => Math.abs(exponent) < bound)!;
  return exponent < 0 ? falls : grows;
}

/** The point at which the steps before and after it differ most, all in logarithms. */
function kneeOf(x: readonly number[], y: readonly number[]): Knee | undefined {
  const steps = x.slice(1).map((at, i) => (y[i + 1]! - y[i]!) / (at - x[i]!));
  let best: Knee | undefined;
  for (let i = 1; i < steps.length; i++) {
    const [before, after] = [steps[i - 1]!, steps[i]!];
    const change = Math.abs(after - before);
    if (change < Math.max(KNEE_CHANGE_MIN, best ? Math.abs(best.after - best.before) : 0)) continue;
    if (change * Math.min(x[i]! - x[i - 1]!, x[i + 1]! - x[i]!) < KNEE_BEND_MIN) continue;
    const between = [Math.exp(x[i - 1]!), Math.exp(x[i + 1]!)] as const;
    best = { at: Math.exp(x[i]!), between, before, after };
  }
  return best;
}

/**
 * The cost `intercept + slope · x`. Errors count in parts of y: a small cost that is off by half is
 * as wrong as a large one.
 */
export function costOf(x: readonly number[], y: readonly number[]): Line {
  return leastSquares(
    x,
    y,
    y.map((value) => 1 / value ** 2),
  );
}
