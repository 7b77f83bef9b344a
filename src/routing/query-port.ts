import { StoreError } from '../model/errors.js';
import type { AnyQueryTask, QueryMessage, ShardAnswer } from '../protocol/messages.js';
import type { JobStatsTask, SelectTask } from '../protocol/select.js';
import type { TimeSpan } from './store.js';

/** Who waits for an answer. */
export interface AnswerReceiver {
  /** Bytes as they come, in views that are valid only now, and the points of a selection so far; unset: they are wanted as a whole. */
  onPiece?(bytes: Uint8Array, points: number): void;
  /** The last of it; `bytes` is the memory that the answer's address is of. */
  done(answer: ShardAnswer | StoreError, bytes: Uint8Array): void;
}

/** Where requests are answered: a shard, or the archive's thread. */
export interface QueryTarget {
  query(task: SelectTask | JobStatsTask, receiver: AnswerReceiver): void;
  /** The client has taken a piece of a streamed answer. */
  taken(id: number): void;
  /** Nobody waits for the answer any more. */
  cancel(id: number): void;
}

/** The same of the archive, which is asked where it has to be. */
export interface ArchiveTarget extends QueryTarget {
  /**
   * Tells of the times of a request whether the archive has to be asked as it is now. `wanted`: what the
   * request says, undefined = nothing.
   */
  needed(wanted: boolean | undefined): (range: TimeSpan) => boolean;
}

/** Throws `bad-request` where a request wants an archive that is not there. */
export function checkArchive(
  { archive: isWanted }: { readonly archive: boolean | undefined },
  archive: ArchiveTarget | undefined,
): void {
  if (!isWanted || archive) return;
  throw new StoreError(
    'bad-request',
    'archive is true, and there is no archive; leave it out, or set metric-store.cleanup.mode to "archive"',
  );
}

/** Queries on their way to one shard, and answers on their way back. */
export class QueryPort {
  readonly #post: (message: QueryMessage) => void;
  readonly #receivers = new Map<number, AnswerReceiver>();
  /** By query: what has come of long answers. */
  readonly #pieces = new Map<number, Buffer[]>();
  #queries: AnyQueryTask[] = [];
  #taken: number[] = [];
  #cancelled: number[] = [];
  #isScheduled = false;

  constructor(post: (message: QueryMessage) => void) {
    this.#post = post;
  }

  /** Sends a query with all others of this turn of the event loop, in one message. */
  send(task: AnyQueryTask, receiver: AnswerReceiver): void {
    this.#receivers.set(task.id, receiver);
    this.#queries.push(task);
    this.#schedule();
  }

  taken(id: number): void {
    this.#taken.push(id);
    this.#schedule();
  }

  cancel(id: number): void {
    if (!this.#receivers.delete(id)) return;
    this.#pieces.delete(id);
    this.#cancelled.push(id);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.flush());
  }

  /** Sends what waits for the end of the turn now. */
  flush(): void {
    if (!this.#isScheduled) return;
    this.#isScheduled = false;
    const message = { queries: this.#queries, taken: this.#taken, cancelled: this.#cancelled };
    const { queries, taken, cancelled } = message;
    this.#forget();
    if (queries.length + taken.length + cancelled.length > 0) this.#post(message);
  }

  /** Pieces of a long answer that is wanted as a whole are kept until the last one is there. */
  deliver(answer: ShardAnswer, memory: Uint8Array): void {
    const { id, address, bytes } = answer;
    const receiver = this.#receivers.get(id);
    if (!receiver) return;
    if (receiver.onPiece) {
      const { points = answer.select?.points ?? 0 } = answer;
      if (bytes > 0) receiver.onPiece(memory.subarray(address, address + bytes), points);
      if (answer.isPiece) return;
      this.#receivers.delete(id);
      receiver.done(answer, memory);
      return;
    }
    const before = this.#pieces.get(id);
    if (answer.isPiece || before) {
      const pieces = before ?? [];
      pieces.push(Buffer.from(memory.subarray(address, address + bytes)));
      if (answer.isPiece) {
        this.#pieces.set(id, pieces);
        return;
      }
    }
    this.#pieces.delete(id);
    this.#receivers.delete(id);
    if (!before) receiver.done(answer, memory);
    else {
      const text = Buffer.concat(before);
      receiver.done({ ...answer, address: 0, bytes: text.length }, text);
    }
  }

  /** The shard is gone, with all it was asked. */
  failAll(error: StoreError, memory: Uint8Array): void {
    const receivers = [...this.#receivers.values()];
    this.#receivers.clear();
    this.#pieces.clear();
    this.#forget();
    for (const receiver of receivers) receiver.done(error, memory);
  }

  #forget(): void {
    this.#queries = [];
    this.#taken = [];
    this.#cancelled = [];
  }
}
