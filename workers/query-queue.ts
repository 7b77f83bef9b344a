import type { Limits } from '../src/config/config.js';
import { StoreError, type ErrorData } from '../src/model/errors.js';
import type {
  AnyQueryTask,
  QueryMessage,
  QueryTask,
  ShardAnswer,
} from '../src/protocol/messages.js';
import type { Engine } from './engine/engine.js';
import { LowQueries, waitedTooLong, type LowQuery } from './low-queries.js';
import { LOW_TURN_MS, Pace } from './pace.js';

/** A batch of answers ends when it has grown to this, so that the same few pages are reused. */
const BATCH_BYTES = 4 * 1024 * 1024;
/**
 * Queries begun and not done; the front holds what has come of them. More wait untouched. Streamed ones
 * do not count: a setting bounds them.
 */
const BEGUN_MAX = 16;
/** Pieces of a streamed answer that the client has not taken yet: one on its way, one in the making. */
const PIECES_AHEAD_MAX = 2;
/** Share of the time that streamed answers get while samples come in, and for how long these count as coming. */
const STREAMED_SHARE = 0.06;
const INGEST_LASTS_MS = 50;
/**
 * Answers that took so long together are sent, where the front waits for them: it and those that ask then work beside
 * the shard. If all answers went at once, all would ask again at once, and one of the two threads would always wait.
 */
const AWAITED_MS = 0.1;

/** A query in work: `QueryRun`, `SelectRun` and the like. */
export interface Run {
  /** No other query may have a turn before its next. */
  readonly mustGoOn: boolean;
  /** Its pieces go to the client as they come: no more are made than it takes. */
  readonly isStreamed?: boolean;
  turn(address: number, end: number, untilMs: number): RunTurn;
}

/** What came of a turn: bytes written, and what is to be told with them. */
export interface RunTurn {
  readonly bytes: number;
  readonly isDone: boolean;
  /** Of a selection that is not done: in all pieces so far. */
  readonly points?: number;
  /** Fields of the last answer. */
  readonly result?: Partial<ShardAnswer>;
}

/** What begins with queries. */
export type Beginner = Pick<Engine, 'beginQuery' | 'beginSelect' | 'beginJobStats'>;

interface Begun {
  readonly task: AnyQueryTask;
  readonly run: Run;
  piecesAhead: number;
}

/** A batch of answers: its text lies from `base` to `at`. */
export interface Batch {
  readonly answers: ShardAnswer[];
  readonly base: number;
  readonly end: number;
  at: number;
  /** Queries answered, as a whole. */
  answered: number;
}

/**
 * The queries of a shard that are not answered yet. Most are answered in the turn they come in. One
 * that takes longer goes on in later turns, one after the other, and has at least half of each:
 * those that came later overtake it. Streamed answers take turns with the others piece by piece, and
 * are parked while their clients are behind. Those of low priority have what time is left by all
 * these: see `Pace`.
 */
export class QueryQueue {
  /** Of low priority; lists of what is in memory keep to it, too. */
  readonly pace = new Pace();
  readonly #engine: Beginner;
  readonly #limits: Pick<Limits, 'queryTimeMsMax'>;
  readonly #now: () => number;
  readonly #low = new LowQueries();
  #waiting: AnyQueryTask[] = [];
  readonly #begun: Begun[] = [];
  /** The front lets only so many be streamed at a time. */
  readonly #parked = new Map<number, Begun>();
  /** By `performance.now()`: when samples came in last, and before when streamed answers rest. */
  #ingestedMs = -Infinity;
  #streamedFromMs = 0;

  /** `limits` are read when they are needed. `now` is a clock in milliseconds, that of runs as well. */
  constructor(
    engine: Beginner,
    limits: Pick<Limits, 'queryTimeMsMax'>,
    now: () => number = () => performance.now(),
  ) {
    this.#engine = engine;
    this.#limits = limits;
    this.#now = now;
  }

  add({ queries, taken, cancelled }: QueryMessage): void {
    for (const task of queries) {
      if ('isLow' in task && task.isLow) this.#low.add(task, this.#now());
      else this.#waiting.push(task);
    }
    for (const id of taken) this.#take(id);
    for (const id of cancelled) this.#cancel(id);
  }

  get isEmpty(): boolean {
    return !this.hasOthers && !this.#low.hasWork;
  }

  /** Whether there is work that is not of low priority. */
  get hasOthers(): boolean {
    return this.#waiting.length > 0 || this.#begun.length > 0;
  }

  /** Milliseconds until there is something to do: more than 0 if only resting answers are left. */
  restMs(nowMs: number): number {
    const [first] = this.#begun;
    if (this.#waiting.length > 0 || (first && !this.#rests(first, nowMs))) return 0;
    const streamedMs = first ? this.#streamedFromMs - nowMs : Infinity;
    const lowMs = this.#low.hasWork ? this.pace.restMs(nowMs) : Infinity;
    const restMs = Math.min(streamedMs, lowMs);
    return restMs === Infinity ? 0 : restMs;
  }

  /** Samples came in, which took so long: who takes an export has time, who sends samples has not. */
  ingested(nowMs: number, tookMs = 0): void {
    this.#ingestedMs = nowMs;
    this.pace.othersWorked(nowMs, tookMs);
  }

  #rests({ run }: Begun, nowMs: number): boolean {
    return run.isStreamed === true && !run.mustGoOn && nowMs < this.#streamedFromMs;
  }

  /**
   * Answers queries for about `turnMs`, with text in `base` … `end`; always some work is done. `isAwaited`: whether
   * who takes the answers has nothing else to do; then it has them sooner.
   */
  work(
    base: number,
    end: number,
    turnMs: number,
    isAwaited: () => boolean = () => false,
  ): Readonly<Batch> {
    const batch: Batch = { answers: [], base, end, at: base, answered: 0 };
    const beganMs = this.#now();
    const share = this.#begun.length > 0 ? 0.5 : 1;
    const hasPlain = this.#waiting.length > 0 || this.#plainCount() > 0;
    const isTime = (nowMs: number): boolean => nowMs - beganMs > AWAITED_MS && isAwaited();
    this.#answerNew(batch, beganMs + turnMs * share, isTime);
    this.#goOn(batch, beganMs + turnMs);
    const nowMs = this.#now();
    if (this.#low.hasWork) this.#failLate(batch, nowMs);
    // What was answered goes to the front first.
    if (hasPlain) this.pace.othersWorked(nowMs, nowMs - beganMs);
    else if (this.#low.hasWork) this.#workLow(batch, beganMs + turnMs);
    return batch;
  }

  #failLate(batch: Batch, nowMs: number): void {
    const { queryTimeMsMax } = this.#limits;
    for (const { task } of this.#low.late(nowMs, queryTimeMsMax)) {
      this.#fail(batch, task.id, waitedTooLong(queryTimeMsMax));
    }
  }

  /** Beside those that are streamed, of which there may be some for minutes, but beside no others. */
  #workLow(batch: Batch, turnEndMs: number): void {
    const beganMs = this.#now();
    if (this.#begun[0]?.run.mustGoOn || this.pace.restMs(beganMs) > 0) return;
    if (this.#isOver(batch, Infinity)) return;
    const isBusy = this.pace.isBusy(beganMs) || this.#begun.length > 0;
    const untilMs = isBusy ? beganMs + LOW_TURN_MS : turnEndMs;
    for (let query = this.#low.next(); query; query = this.#low.next()) {
      this.#turnLow(batch, query, untilMs);
      if (this.#isOver(batch, untilMs)) break;
    }
    const nowMs = this.#now();
    this.pace.worked(nowMs, nowMs - beganMs);
  }

  #turnLow(batch: Batch, query: LowQuery, untilMs: number): void {
    const { task } = query;
    try {
      const run = (query.run ??= this.#begin(task));
      const begun: Begun = { task, run, piecesAhead: query.piecesAhead };
      const isDone = this.#turn(batch, begun, untilMs);
      query.piecesAhead = begun.piecesAhead;
      if (!isDone) this.#low.putBack(query, PIECES_AHEAD_MAX);
    } catch (error) {
      this.#fail(batch, task.id, error);
    }
  }

  #answerNew(batch: Batch, untilMs: number, isTime: (nowMs: number) => boolean): void {
    let taken = 0;
    while (taken < this.#waiting.length && this.#plainCount() < BEGUN_MAX) {
      // One that is in the middle of reading may not be disturbed.
      if (this.#begun[0]?.run.mustGoOn) break;
      if (taken > 0 && (this.#isOver(batch, untilMs) || isTime(this.#now()))) break;
      const task = this.#waiting[taken++]!;
      try {
        const begun = { task, run: this.#begin(task), piecesAhead: 0 };
        if (this.#turn(batch, begun, untilMs)) continue;
        this.#putBack(begun, true);
      } catch (error) {
        this.#fail(batch, task.id, error);
      }
    }
    if (taken > 0) this.#waiting = this.#waiting.slice(taken);
  }

  #begin(task: AnyQueryTask): Run {
    if ('text' in task) return this.#engine.beginQuery(task.text, task.indexes);
    if ('jobStats' in task) return this.#engine.beginJobStats(task);
    return this.#engine.beginSelect(task);
  }

  #goOn(batch: Batch, untilMs: number): void {
    while (this.#begun.length > 0 && !this.#isOver(batch, untilMs)) {
      // Behind a streamed one there are only such.
      if (this.#rests(this.#begun[0]!, this.#now())) return;
      const first = this.#begun.shift()!;
      try {
        if (this.#turn(batch, first, untilMs)) continue;
      } catch (error) {
        this.#fail(batch, first.task.id, error);
        continue;
      }
      this.#putBack(first, false);
      if (!first.run.isStreamed || first.run.mustGoOn) return;
    }
  }

  /** A place for one that is not done. */
  #putBack(begun: Begun, isNew: boolean): void {
    const { run, task, piecesAhead } = begun;
    if (run.mustGoOn || (!run.isStreamed && !isNew)) this.#begun.unshift(begun);
    else if (!run.isStreamed) this.#insert(begun);
    else if (piecesAhead < PIECES_AHEAD_MAX) this.#begun.push(begun);
    else this.#parked.set(task.id, begun);
  }

  /** Behind those of its kind that are in work, before what is streamed. */
  #insert(begun: Begun): void {
    this.#begun.splice(this.#plainCount(), 0, begun);
  }

  /** Queries in work that are not streamed: they come before those that are. */
  #plainCount(): number {
    const streamed = this.#begun.findIndex(({ run }) => run.isStreamed);
    return streamed < 0 ? this.#begun.length : streamed;
  }

  #take(id: number): void {
    if (this.#low.take(id)) return;
    const parked = this.#parked.get(id);
    const begun = parked ?? this.#begun.find(({ task }) => task.id === id);
    if (begun) begun.piecesAhead--;
    if (!parked) return;
    this.#parked.delete(id);
    this.#begun.push(parked);
  }

  #cancel(id: number): void {
    this.#low.cancel(id);
    this.#parked.delete(id);
    this.#waiting = this.#waiting.filter((task) => task.id !== id);
    const index = this.#begun.findIndex(({ task }) => task.id === id);
    if (index >= 0) this.#begun.splice(index, 1);
  }

  /** One turn of a query; true if it is done. */
  #turn(batch: Batch, begun: Begun, untilMs: number): boolean {
    const { task, run } = begun;
    const { id } = task;
    const address = batch.at;
    const beganMs = this.#now();
    const { bytes, isDone, points, result } = run.turn(address, batch.end, untilMs);
    if (run.isStreamed && !('isLow' in task && task.isLow)) this.#rest(beganMs);
    if (isDone) {
      const { hostsVersion } = task as Partial<QueryTask>;
      const hosts = result?.hosts?.version === hostsVersion ? undefined : result?.hosts;
      batch.answers.push({ id, address, bytes, ...result, hosts });
    } else if (bytes > 0) {
      batch.answers.push({ id, address, bytes, isPiece: true, points });
      begun.piecesAhead++;
    }
    batch.at = (address + bytes + 63) & ~63;
    if (isDone) batch.answered++;
    return isDone;
  }

  /** What a streamed answer took of the time is made up for, if there is anybody to make it up to. */
  #rest(beganMs: number): void {
    const nowMs = this.#now();
    if (nowMs - this.#ingestedMs > INGEST_LASTS_MS) return;
    this.#streamedFromMs = nowMs + (nowMs - beganMs) * (1 / STREAMED_SHARE - 1);
  }

  /** A query that fails in a way nobody foresaw costs that query only. */
  #fail(batch: Batch, id: number, error: unknown): void {
    batch.answers.push({ id, address: batch.at, bytes: 0, error: errorData(error) });
    batch.answered++;
  }

  #isOver(batch: Batch, untilMs: number): boolean {
    return batch.at - batch.base >= BATCH_BYTES || this.#now() > untilMs;
  }
}

function errorData(error: unknown): ErrorData {
  if (error instanceof StoreError) return error.toData();
  return { code: 'internal', message: `the query failed: ${(error as Error).message}` };
}
