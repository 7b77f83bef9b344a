import type { NaiveResult } from './naive-select.js';

/** A result of `POST /api/v2/query` as JSON has it. */
export type SelectResult = Omit<NaiveResult, 'data' | 'stats' | 'magnitude'> & {
  readonly data?: readonly (number | null)[];
  readonly stats?: Readonly<Record<string, number | null>>;
};

export interface SelectAnswer {
  readonly results: readonly SelectResult[];
  readonly problems: readonly { select: number; error: string }[];
}

/** What a result is of, beside its selection. */
export const RESULT_KEYS = [
  'metric',
  'unit',
  'cluster',
  'sub-cluster',
  'host',
  'type',
  'id',
  'sub-id',
] as const;

/** A text that no two results of an answer have. */
export function resultKeyOf(
  result: Record<(typeof RESULT_KEYS)[number] | 'select', unknown> | SelectResult,
): string {
  const source = result as unknown as Record<string, unknown>;
  return JSON.stringify([result.select, ...RESULT_KEYS.map((key) => source[key] ?? '')]);
}

/** Whether a number is another but for rounding of its sums. */
function isNear(got: number | null | undefined, wanted: number, tolerance: number): boolean {
  if (got === null || got === undefined) return Number.isNaN(wanted);
  return Math.abs(got - wanted) <= tolerance;
}

/** What differs between an answer and what the model says, problems as texts; '' = nothing. */
export function selectDifference(
  answer: SelectAnswer,
  modelled: readonly (NaiveResult | string)[],
): string {
  const wanted = modelled.filter((result) => typeof result !== 'string');
  const got = new Map(answer.results.map((result) => [resultKeyOf(result), result]));
  if (got.size !== answer.results.length) return 'a result is there twice';
  if (got.size !== wanted.length) return `${got.size} results, not ${wanted.length}`;
  for (const result of wanted) {
    const found = got.get(resultKeyOf(result));
    if (!found) return `no result ${resultKeyOf(result)}, but ${[...got.keys()].join(' ')}`;
    const problem = resultDifference(found, result);
    if (problem) return `${resultKeyOf(result)}: ${problem}`;
  }
  const errors = answer.problems.filter(({ error }) => error.includes('has no aggregation'));
  const isRefused = modelled.some((result) => typeof result === 'string');
  return isRefused === errors.length > 0 ? '' : `problems: ${JSON.stringify(answer.problems)}`;
}

function resultDifference(got: SelectResult, wanted: NaiveResult): string {
  if (got.series !== wanted.series) return `${got.series} series, not ${wanted.series}`;
  const coverage = got.coverage ?? 1;
  if (!isNear(coverage, wanted.coverage, 1e-12))
    return `coverage ${coverage}, not ${wanted.coverage}`;
  if (got.from !== wanted.from || got.step !== wanted.step) {
    return `from ${got.from}, step ${got.step}, not ${wanted.from} and ${wanted.step}`;
  }
  if (got.data?.length !== wanted.data?.length) {
    return `${got.data?.length} points, not ${wanted.data?.length}`;
  }
  const size = Math.max(1, wanted.magnitude);
  const at = wanted.data?.findIndex((value, i) => !isNear(got.data![i], value, size * 1e-12)) ?? -1;
  if (at >= 0) return `point ${at} is ${got.data![at]}, not ${wanted.data![at]}`;
  if (Object.keys(got.stats ?? {}).join() !== Object.keys(wanted.stats).join()) return 'statistics';
  for (const [name, value] of Object.entries(wanted.stats)) {
    const tolerance = name === 'integral' ? size * 60e-12 : name === 'stddev' ? 1e-3 : size * 1e-12;
    if (!isNear(got.stats![name], value, tolerance))
      return `${name} ${got.stats![name]}, not ${value}`;
  }
  return '';
}
