import { StoreError, type ErrorData } from '../src/model/errors.js';
import type { QueryTask, ShardAnswer } from '../src/protocol/messages.js';
import type { Engine } from './engine/engine.js';
import type { QueryRun } from './engine/query-run.js';

/** A batch of answers ends when it has grown to this, so that the same few pages are reused. */
const BATCH_BYTES = 4 * 1024 * 1024;
/** Queries begun and not done; the front holds what has come of them. More wait untouched. */
const BEGUN_MAX = 16;

interface Begun {
  readonly task: QueryTask;
  readonly run: QueryRun;
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
 * those that came later overtake it.
 */
export class QueryQueue {
  readonly #engine: Engine;
  #waiting: QueryTask[] = [];
  readonly #begun: Begun[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  add(tasks: readonly QueryTask[]): void {
    this.#waiting.push(...tasks);
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#begun.length === 0;
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
    while (taken < this.#waiting.length && this.#begun.length < BEGUN_MAX) {
      // One that is in the middle of reading may not be disturbed.
      if (this.#begun[0]?.run.mustGoOn || (taken > 0 && isOver(batch, untilMs))) break;
      const task = this.#waiting[taken++]!;
      try {
        const run = this.#engine.beginQuery(task.text, task.indexes);
        if (this.#turn(batch, { task, run }, untilMs)) continue;
        if (run.mustGoOn) this.#begun.unshift({ task, run });
        else this.#begun.push({ task, run });
      } catch (error) {
        this.#fail(batch, task.id, error);
      }
    }
    if (taken > 0) this.#waiting = this.#waiting.slice(taken);
  }

  #goOn(batch: Batch, untilMs: number): void {
    while (this.#begun.length > 0 && !isOver(batch, untilMs)) {
      const first = this.#begun[0]!;
      try {
        if (!this.#turn(batch, first, untilMs)) return;
      } catch (error) {
        this.#fail(batch, first.task.id, error);
      }
      this.#begun.shift();
    }
  }

  /** One turn of a query; true if it is done. */
  #turn(batch: Batch, { task, run }: Begun, untilMs: number): boolean {
    const { id, hostsVersion } = task;
    const address = batch.at;
    const { bytes, isDone, result } = run.turn(address, batch.end, untilMs);
    if (isDone) {
      const hosts = result?.hosts?.version === hostsVersion ? undefined : result?.hosts;
      batch.answers.push({ id, address, bytes, ...result, hosts });
    } else if (bytes > 0) batch.answers.push({ id, address, bytes, isPiece: true });
    batch.at = (address + bytes + 63) & ~63;
    if (isDone) batch.answered++;
    return isDone;
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
