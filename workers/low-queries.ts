import { StoreError } from '../src/model/errors.js';
import type { JobStatsTask, SelectTask } from '../src/protocol/select.js';
import type { Run } from './query-queue.js';

/**
 * Begun and not done; the front holds what has come of them. More wait untouched: if all took turns, all would
 * be done late.
 */
const BEGUN_MAX = 4;

/** A query of low priority. */
export interface LowQuery {
  readonly task: SelectTask | JobStatsTask;
  readonly arrivedMs: number;
  /** Unset until its first turn. */
  run: Run | undefined;
  piecesAhead: number;
}

/**
 * The queries of low priority of a shard, in a line of their own: new ones take turns with those that are
 * begun, so that a short one is answered while a long one is in work. The front bounds how many there are.
 */
export class LowQueries {
  readonly #waiting: LowQuery[] = [];
  readonly #begun: LowQuery[] = [];
  /** Streamed ones whose clients are behind. */
  readonly #parked = new Map<number, LowQuery>();
  #isNewNext = false;

  add(task: SelectTask | JobStatsTask, arrivedMs: number): void {
    this.#waiting.push({ task, arrivedMs, run: undefined, piecesAhead: 0 });
  }

  get hasWork(): boolean {
    return this.#begun.length > 0 || this.#waiting.length > 0;
  }

  /** Takes the next one out of its line. */
  next(): LowQuery | undefined {
    this.#isNewNext = !this.#isNewNext;
    // Those that are streamed do not count: a setting bounds them.
    const mayBegin = this.#begun.filter(({ run }) => !run!.isStreamed).length < BEGUN_MAX;
    const isNew = mayBegin && (this.#isNewNext || this.#begun.length === 0);
    return (isNew ? this.#waiting.shift() : undefined) ?? this.#begun.shift();
  }

  /** A place for one that is not done. */
  putBack(query: LowQuery, piecesAheadMax: number): void {
    if (query.run?.isStreamed && query.piecesAhead >= piecesAheadMax) {
      this.#parked.set(query.task.id, query);
    } else this.#begun.push(query);
  }

  /** A piece of it went to the client; false if there is no such query. */
  take(id: number): boolean {
    const parked = this.#parked.get(id);
    const query = parked ?? this.#begun.find(({ task }) => task.id === id);
    if (query) query.piecesAhead--;
    if (parked && this.#parked.delete(id)) this.#begun.push(parked);
    return query !== undefined;
  }

  cancel(id: number): void {
    this.#parked.delete(id);
    for (const list of [this.#waiting, this.#begun]) {
      const index = list.findIndex(({ task }) => task.id === id);
      if (index >= 0) list.splice(index, 1);
    }
  }

  /** Takes out those that have waited for too long. What is streamed has a limit of its own once it is begun. */
  late(nowMs: number, waitMsMax: number): LowQuery[] {
    const isLate = ({ arrivedMs, run }: LowQuery): boolean =>
      nowMs - arrivedMs > waitMsMax && run?.isStreamed !== true;
    const late: LowQuery[] = [];
    // The oldest come first among those that wait; those that are begun are few.
    while (this.#waiting.length > 0 && isLate(this.#waiting[0]!)) late.push(this.#waiting.shift()!);
    for (const query of this.#begun.filter(isLate)) {
      this.#begun.splice(this.#begun.indexOf(query), 1);
      late.push(query);
    }
    return late;
  }
}

/** Others came before it all the time. */
export function waitedTooLong(waitMsMax: number): StoreError {
  const what = `the request has priority "low", and others came before it for ${waitMsMax} ms`;
  return new StoreError(
    'queue-full',
    `${what}: the limit query-time-ms-max is ${waitMsMax}; send it again in a moment, or without priority`,
  );
}
