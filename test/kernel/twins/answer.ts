import { formatArray, formatNumber } from './format.js';
import type { Slots } from './aggregate.js';

/** Count, sum, least and largest, as `statistics` leaves them. */
export type FourNumbers = readonly [count: number, sum: number, min: number, max: number];

/** What `formatSeries` must write. */
export function formatSeries(slots: Slots, from: number, count: number): string {
  return formatArray(Float64Array.from({ length: count }, (_, i) => slots.get(from + i) ?? NaN));
}

/** What `formatStatistics` must write. */
export function formatStatistics([count, sum, min, max]: FourNumbers): string {
  const [avg, least, largest] = [sum / count, min, max].map(formatNumber);
  return `,"avg":${avg},"min":${least},"max":${largest}`;
}

/** What `formatElement` must write; no data or no statistics where they are undefined. */
export function formatElement(
  data: string | undefined,
  middle: string,
  statistics: FourNumbers | undefined,
): string {
  const before = data === undefined ? '' : `"data":${data},`;
  return `{${before}${middle}${statistics ? formatStatistics(statistics) : ''}}`;
}
