import type { Answer, Result } from './query.js';

/** What one chart can show and people can tell apart; more are in the table's place a sentence. */
export const CURVES_MAX = 50;
const NAMES = ['cluster', 'sub-cluster', 'host', 'type', 'id', 'sub-id'] as const;
const ORDER = new Intl.Collator('en', { numeric: true });

/** All that is shown of a metric. */
export interface MetricCurves {
  readonly metric: string;
  /** '' = none is known. */
  readonly unit: string;
  readonly stepSec: number;
  /** Curves, in the order of their names; at most CURVES_MAX. */
  readonly curves: readonly Curve[];
  readonly curvesNotShown: number;
  readonly times: readonly number[];
  /** Values of each curve at each time. */
  readonly values: readonly (readonly (number | null)[])[];
}

export interface Curve {
  readonly label: string;
  readonly result: Result;
}

/** The smallest and the largest samples beside the values of `MetricCurves`. */
export interface Band {
  readonly min: readonly (readonly (number | null)[])[];
  readonly max: readonly (readonly (number | null)[])[];
}

/** Results by metric, in the order of `metrics`, which others come behind. */
export function curvesOf(answer: Answer, metrics: readonly string[]): MetricCurves[] {
  const byMetric = new Map<string, Result[]>(metrics.map((metric) => [metric, []]));
  for (const result of answer.results) {
    const results = byMetric.get(result.metric);
    if (results) results.push(result);
    else byMetric.set(result.metric, [result]);
  }
  return [...byMetric].filter(([, results]) => results.length > 0).map(metricCurves);
}

/** The band of a metric's curves; curves without one have nothing but null. */
export function bandOf(shown: MetricCurves, answer: Answer, selections: number): Band {
  const found = [new Map<string, Result>(), new Map<string, Result>()] as const;
  for (const result of answer.results) {
    if (result.metric !== shown.metric) continue;
    found[result.select < selections ? 0 : 1].set(keyOf(result), result);
  }
  const [min, max] = found.map((results) =>
    shown.curves.map(({ result }) => placed(shown.times, results.get(keyOf(result)))),
  );
  return { min: min!, max: max! };
}

/** What a result is of, in words: all names that tell it from the others. */
export function labelOf(result: Result, results: readonly Result[]): string {
  const varying = NAMES.filter((name) => results.some((other) => other[name] !== result[name]));
  const shown = varying.length > 0 ? varying : NAMES.filter((name) => name !== 'cluster');
  const hasId = shown.includes('id') || shown.includes('type');
  const parts = [
    shown.includes('cluster') && result.cluster,
    shown.includes('sub-cluster') && result['sub-cluster'],
    shown.includes('host') && result.host,
    hasId && result.type && `${result.type} ${result.id ?? ''}`.trim(),
    shown.includes('sub-id') && result['sub-id'],
  ].filter((part): part is string => typeof part === 'string' && part !== '');
  return parts.join(' · ') || (result.series === 1 ? result.metric : `${result.series} series`);
}

function metricCurves([metric, results]: [string, Result[]]): MetricCurves {
  const curves = results
    .map((result) => ({ label: labelOf(result, results), result }))
    .sort((a, b) => ORDER.compare(a.label, b.label))
    .slice(0, CURVES_MAX);
  const times = timesOf(curves.map(({ result }) => result));
  return {
    metric,
    unit: results[0]!.unit ?? '',
    stepSec: Math.min(...results.map(({ step }) => step)),
    curves,
    curvesNotShown: results.length - curves.length,
    times,
    values: curves.map(({ result }) => placed(times, result)),
  };
}

/** All times that any of them has a point at. */
function timesOf(results: readonly Result[]): number[] {
  const first = results[0]!;
  const isOne = results.every(
    ({ from, step, data }) =>
      from === first.from && step === first.step && data.length === first.data.length,
  );
  const times = new Set<number>();
  for (const { from, step, data } of isOne ? [first] : results) {
    for (let i = 0; i < data.length; i++) times.add(from + i * step);
  }
  return [...times].sort((a, b) => a - b);
}

/** A result's values at other times; null where it has none. */
function placed(times: readonly number[], result: Result | undefined): (number | null)[] {
  if (!result) return times.map(() => null);
  const { from, step, data } = result;
  return times.map((at) => {
    const index = (at - from) / step;
    return Number.isInteger(index) ? (data[index] ?? null) : null;
  });
}

function keyOf(result: Result): string {
  return NAMES.map((name) => result[name] ?? '').join('\n');
}
