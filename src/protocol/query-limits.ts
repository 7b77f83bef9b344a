import type { Limits } from '../config/config.js';
import { StoreError } from '../model/errors.js';

/** What a request asks of the store, or of one shard. */
export interface QueryCounts {
  /** With those that `for-all-nodes` stands for. */
  readonly queries: number;
  readonly series: number;
  readonly points: number;
  /** Text of the answer so far. */
  readonly bytes: number;
}

/** Why a request that is so large is refused; the same whether one shard counted or several. */
export function limitError(counts: QueryCounts, limits: Limits): StoreError | undefined {
  const { queriesMax, seriesPerQueryMax, pointsMax, answerBytesMax } = limits;
  if (counts.queries > queriesMax) {
    return limitPassed(`${counts.queries} queries in one request`, 'queries-max', queriesMax);
  }
  if (counts.series > seriesPerQueryMax) {
    const what = `more than ${seriesPerQueryMax} series in one request`;
    return limitPassed(what, 'series-per-query-max', seriesPerQueryMax);
  }
  if (counts.points > pointsMax) {
    return limitPassed(`more than ${pointsMax} points in one answer`, 'points-max', pointsMax);
  }
  if (counts.bytes > answerBytesMax) {
    const what = `an answer of more than ${answerBytesMax} bytes`;
    return limitPassed(what, 'answer-bytes-max', answerBytesMax);
  }
  return undefined;
}

export function limitPassed(what: string, name: string, most: number): StoreError {
  return new StoreError('limit-exceeded', `${what}: the limit ${name} is ${most}; ask for less`);
}
