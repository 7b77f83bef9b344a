import { convertValue, type Conversion } from '../../src/units/conversion.js';
import type { StatisticsPlan } from '../engine/statistics.js';

/** Statistics in another unit with the same zero: all but numbers of samples are as a value is. */
export function convertStatistics(
  values: readonly number[],
  { statistics }: StatisticsPlan,
  conversion: Conversion,
): number[] {
  return values.map((value, index) =>
    statistics[index]!.kind === 'count' ? value : convertValue(conversion, value),
  );
}
