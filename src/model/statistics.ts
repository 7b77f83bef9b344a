/** Statistics by name, besides percentiles; what each means is told in the kernel's exports/statistics.ts. */
export const STATISTICS = [
  'count',
  'sum',
  'avg',
  'min',
  'max',
  'first',
  'last',
  'stddev',
  'integral',
  'twa',
] as const;
export type StatisticKind = (typeof STATISTICS)[number] | 'percentile';

export interface Statistic {
  readonly kind: StatisticKind;
  /** Of a percentile: 0 … 100. Otherwise 0. */
  readonly percent: number;
}

/** For messages: what a statistic may be called. */
export const STATISTIC_NAMES_TEXT = `${STATISTICS.join(', ')}, median, p0 to p100 with decimals as in p99.9`;

const KINDS: ReadonlySet<string> = new Set(STATISTICS);
const MEDIAN_PERCENT = 50;
/** More digits than anyone has samples for. */
const PERCENTILE = /^p(\d{1,3}(?:\.\d{1,6})?)$/;

/** What a name such as `avg` or `p99.9` asks for; undefined if it names nothing. */
export function parseStatistic(name: string): Statistic | undefined {
  if (KINDS.has(name)) return { kind: name as StatisticKind, percent: 0 };
  if (name === 'median') return { kind: 'percentile', percent: MEDIAN_PERCENT };
  const digits = PERCENTILE.exec(name)?.[1];
  if (digits === undefined) return undefined;
  const percent = Number(digits);
  return percent <= 100 ? { kind: 'percentile', percent } : undefined;
}

export function isStatistic(name: string): boolean {
  return parseStatistic(name) !== undefined;
}
