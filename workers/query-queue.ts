import { StoreError, type ErrorData } from '../src/model/errors.js';
import type {
  AnyQueryTask,
  QueryMessage,
  QueryTask,
  ShardAnswer,
} from '../src/protocol/messages.js';
import type { Engine } from './engine/engine.js';

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
 * are parked while their clients are behind.
 */
export class QueryQueue {
  readonly #engine: Engine;
  #waiting: AnyQueryTask[] = [];
  readonly #begun: Begun[] = [];
  /** The front lets only so many be streamed at a time. */
  readonly #parked = new Map<number, Begun>();
  /** By `performance.now()`: when samples came in last, and before when streamed answers rest. */
  #ingestedMs = -Infinity;
  #streamedFromMs = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  add({ queries, taken, cancelled }: QueryMessage): void {
    this.#waiting.push(...queries);
    for (const id of taken) this.#take(id);
    for (const id of cancelled) this.#cancel(id);
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#begun.length === 0;
  }

  /** Milliseconds until there is something to do: more than 0 if only resting answers are left. */
  restMs(nowMs: number): number {
    if (this.#waiting.length > 0) return 0;
    const [first] = this.#begun;
    return first && this.#rests(first, nowMs) ? this.#streamedFromMs - nowMs : 0;
  }

  /** Samples came in: who takes an export has time, who sends samples has not. */
  ingested(nowMs: number): void {
    this.#ingestedMs = nowMs;
  }

  #rests({ run }: Begun, nowMs: number): boolean {
    return run.isStreamed === true && !run.mustGoOn && nowMs < this.#streamedFromMs;
  }

  /** Answers queries for about `turnMs`, with text in `base` … `end`; always some work is done. */
  work(base: number, end: number, turnMs: number): Readonly<Batch> {
    const batch: Batch = { answers: [], base, end, at: base, answered: 0 };
    const beganMs = performance.now();
    const share = this.#begun.length > 0 ? 0.5 : 1;
    this.#answerNew(batch, beganMs + turnMs * share);
    this.#goOn(batch, beganMs + turnMs);
    return batch;
  }

  #answerNew(batch: Batch, untilMs: number): void {
    let taken = 0;
    while (taken < this.#waiting.length && this.#plainCount() < BEGUN_MAX) {
      // One that is in the middle of reading may not be disturbed.
      if (this.#begun[0]?.run.mustGoOn || (taken > 0 && isOver(batch, untilMs))) break;
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
    while (this.#begun.length > 0 && !isOver(batch, untilMs)) {
      // Behind a streamed one there are only such.
      if (this.#rests(this.#begun[0]!, performance.now())) return;
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
    const parked = this.#parked.get(id);
    const begun = parked ?? this.#begun.find(({ task }) => task.id === id);
    if (begun) begun.piecesAhead--;
    if (!parked) return;
    this.#parked.delete(id);
    this.#begun.push(parked);
  }

  #cancel(id: number): void {
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
    const beganMs = performance.now();
    const { bytes, isDone, points, result } = run.turn(address, batch.end, untilMs);
    if (run.isStreamed) this.#rest(beganMs);
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
    const nowMs = performance.now();
    if (nowMs - this.#ingestedMs > INGEST_LASTS_MS) return;
    this.#streamedFromMs = nowMs + (nowMs - beganMs) * (1 / STREAMED_SHARE - 1);
  }

  /** A query that fails in a way nobody foresaw costs that query only. */
  #fail(batch: Batch, id: number, error: unknown): void {
    batch.answers.push({ id, address: batch.at, bytes: 0, error: errorData(error) });
    batch.answered++;
  }
}

function isOver(batch: Batch, untilMs: number): boolean {
  return batch.at - batch.base >= BATCH_BYTES || performance.now() > untilMs;
}

function errorData(error: unknown): ErrorData {
  if (error instanceof StoreError) return error.toData();
  return { code: 'internal', message: `the query failed: ${(error as Error).message}` };
}
