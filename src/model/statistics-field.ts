import { eachOf, wrong } from './request-fields.js';
import { isStatistic, STATISTIC_NAMES_TEXT } from './statistics.js';

/** Statistics that a request may ask for. */
export interface StatisticChoice {
  has(name: string): boolean;
  /** For messages. */
  readonly text: string;
}

export const ALL_STATISTICS: StatisticChoice = { has: isStatistic, text: STATISTIC_NAMES_TEXT };

const JOB_NAMES: readonly string[] = ['count', 'sum', 'avg', 'min', 'max', 'stddev', 'integral'];

/** Those of a job follow from those of its hosts; the others need all samples in one place. */
export const JOB_STATISTICS: StatisticChoice = {
  has: (name) => JOB_NAMES.includes(name),
  text: JOB_NAMES.join(', '),
};

/** What `true` stands for: what a block's header has. */
const COMMON = ['count', 'avg', 'min', 'max'];
/** More columns than anyone reads. */
const STATISTICS_MAX = 32;

/** Statistics by name: one, a list, true = the common ones, false or [] = none. */
export function parseStatistics(
  value: unknown,
  field: string,
  choice: StatisticChoice,
  otherwise: readonly string[],
): readonly string[] {
  if (value === undefined) return otherwise;
  if (value === true) return COMMON;
  if (value === false || (Array.isArray(value) && value.length === 0)) return [];
  const names = new Set<string>();
  eachOf(value, field, '', (entry, field) => {
    if (typeof entry !== 'string' || !choice.has(entry)) {
      throw wrong(field, `a statistic (${choice.text}), a list of them, or true`, entry);
    }
    names.add(entry);
    if (names.size > STATISTICS_MAX) {
      throw wrong(field, `one of at most ${STATISTICS_MAX} statistics`, entry);
    }
  });
  return [...names];
}
