import type { Limits } from '../../src/config/config.js';
import type { StoreError } from '../../src/model/errors.js';
import type { PartialGroup } from '../../src/protocol/select.js';
import { limitPassed } from '../../src/protocol/query-limits.js';

/** A value and the number of its contributors. */
const PARTIAL_SLOT_BYTES = 12;

/** What an answer has come to, and where it has to end. */
export class AnswerLimits {
  points = 0;
  readonly #limits: Limits;
  readonly #isStreamed: boolean;
  readonly #deadlineMs: number;
  #partialBytes = 0;

  constructor(limits: Limits, isStreamed: boolean) {
    this.#limits = limits;
    this.#isStreamed = isStreamed;
    const { queryTimeMsMax, streamTimeMsMax } = limits;
    this.#deadlineMs = performance.now() + (isStreamed ? streamTimeMsMax : queryTimeMsMax);
  }

  /** One more result; `bytes` is what is written before it. */
  addResult(points: number, seriesCount: number, bytes: number): void {
    const { pointsMax, streamPointsMax, seriesPerQueryMax, answerBytesMax } = this.#limits;
    this.points += points;
    const [most, name] = this.#isStreamed
      ? [streamPointsMax, 'stream-points-max']
      : [pointsMax, 'points-max'];
    if (this.points > most) {
      throw limitPassed(`more than ${most} points in one answer`, name, most);
    }
    if (seriesCount > seriesPerQueryMax) {
      const what = `${seriesCount} series in one result`;
      throw limitPassed(what, 'series-per-query-max', seriesPerQueryMax);
    }
    if (!this.#isStreamed && bytes > answerBytesMax) {
      const what = `an answer of more than ${answerBytesMax} bytes`;
      throw limitPassed(what, 'answer-bytes-max', answerBytesMax);
    }
  }

  addPartial({ values }: PartialGroup): void {
    const { answerBytesMax } = this.#limits;
    this.#partialBytes += values.length * PARTIAL_SLOT_BYTES;
    if (this.#partialBytes > answerBytesMax) {
      throw limitPassed('groups over all hosts', 'answer-bytes-max', answerBytesMax);
    }
  }

  checkTime(nowMs: number): void {
    if (nowMs > this.#deadlineMs) throw this.#tookTooLong();
  }

  #tookTooLong(): StoreError {
    const { queryTimeMsMax, streamTimeMsMax } = this.#limits;
    return this.#isStreamed
      ? limitPassed('the request took too long', 'stream-time-ms-max', streamTimeMsMax)
      : limitPassed('the request took too long', 'query-time-ms-max', queryTimeMsMax);
  }
}
