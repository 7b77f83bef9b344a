import { exactSum } from '../kernel/twins/statistics.js';
import type { JobRange } from '../../src/model/selection.js';
import type { Metric } from './naive-store.js';
import { seriesCount, valueOf, type NaiveUnit } from './naive-units.js';

/** Values of a host's unit that a job has; null if they can not be combined. */
export function jobSamples(
  { fromSec, toSec }: Pick<JobRange, 'fromSec' | 'toSec'>,
  { made }: NaiveUnit,
  metric: Metric,
): number[] | null {
  if (metric.aggregation === null && seriesCount(made) > 1) return null;
  const samples: number[] = [];
  const { step } = metric;
  for (let slot = Math.ceil(fromSec / step); slot * step < toSec; slot++) {
    const value = valueOf(made, metric, slot);
    if (!Number.isNaN(value)) samples.push(value);
  }
  return samples;
}

function figuresOf(samples: readonly number[], step: number): Record<string, number> {
  const count = samples.length;
  const sum = exactSum(samples);
  const squares = exactSum(samples.map((value) => (value - sum / count) ** 2));
  return {
    count,
    sum,
    avg: sum / count,
    min: samples.reduce((a, b) => Math.min(a, b)),
    max: samples.reduce((a, b) => Math.max(a, b)),
    stddev: Math.sqrt(squares / count),
    integral: sum * step,
  };
}

/** What differs between `names` of an answer and the statistics of samples, of which there is one; '' = nothing. */
export function figuresDifference(
  got: Readonly<Record<string, unknown>>,
  samples: readonly number[],
  step: number,
  names: readonly string[],
): string {
  const size = Math.max(1, exactSum(samples.map(Math.abs)));
  const figures = figuresOf(samples, step);
  for (const name of names) {
    const value = got[name] as number | null | undefined;
    const wanted = figures[name]!;
    const tolerance = name === 'stddev' ? 1e-3 : size * step * 1e-12;
    if (!(Math.abs((value ?? NaN) - wanted) <= tolerance))
      return `${name} is ${value}, not ${wanted}`;
  }
  return '';
}
