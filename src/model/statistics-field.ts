import { eachOf, wrong } from './request-fields.js';
import { isStatistic, STATISTIC_NAMES_TEXT } from './statistics.js';

/** What `true` stands for: what a block's header has. */
const COMMON = ['count', 'avg', 'min', 'max'];
const WANTED = `a statistic (${STATISTIC_NAMES_TEXT}), a list of them, or true`;
/** More columns than anyone reads. */
const STATISTICS_MAX = 32;

/** Statistics by name: one, a list, true = the common ones, false or [] = none. */
export function parseStatistics(
  value: unknown,
  field: string,
  otherwise: readonly string[],
): readonly string[] {
  if (value === undefined) return otherwise;
  if (value === true) return COMMON;
  if (value === false || (Array.isArray(value) && value.length === 0)) return [];
  const names = new Set<string>();
  eachOf(value, field, '', (entry, field) => {
    if (typeof entry !== 'string' || !isStatistic(entry)) {
      throw wrong(field, WANTED, entry);
    }
    names.add(entry);
    if (names.size > STATISTICS_MAX) {
      throw wrong(field, `one of at most ${STATISTICS_MAX} statistics`, entry);
    }
  });
  return [...names];
}
