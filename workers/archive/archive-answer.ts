import { setTimeout as sleep } from 'node:timers/promises';
import type { Limits } from '../../src/config/config.js';
import {
  PROGRESS_CANCELLED,
  PROGRESS_TAKEN,
  type ArchivePiece,
  type ArchiveTask,
} from '../../src/protocol/archive.js';
import type { ArchiveReader } from './archive-reader.js';
import { Deadline } from './deadline.js';

/** Between turns messages of the thread are read, and it is seen whether somebody still waits. */
const TURN_MS = 50;
/**
 * Of a streamed answer, what the client has not taken yet. With more of it the thread waits, and so does
 * everybody else who asks the archive: answers of a usual size go at once.
 */
const BYTES_AHEAD_MAX = 64 * 1024 * 1024;
/** How often it is looked whether the client has taken some. */
const LOOK_MS = 5;

/** An answer of the second interface, from reading to the last piece. */
export class ArchiveAnswer {
  readonly #limits: Limits;
  readonly #reader: ArchiveReader;
  readonly #task: ArchiveTask;
  /** Bytes of pieces, in their order, that were not taken when it was last looked. */
  readonly #ahead: number[] = [];
  #takenCount = 0;
  #bytesAhead = 0;

  constructor(limits: Limits, reader: ArchiveReader, task: ArchiveTask) {
    this.#limits = limits;
    this.#reader = reader;
    this.#task = task;
  }

  /** Resolves when all of it was sent, or nobody waits any more. Rejects with why it can not be made. */
  async send(): Promise<void> {
    const { queryTimeMsMax, streamTimeMsMax } = this.#limits;
    const reading = new Deadline('query-time-ms-max', queryTimeMsMax);
    const sending = new Deadline('stream-time-ms-max', streamTimeMsMax);
    const scratch = await this.#reader.load(this.#task, reading);
    const run = scratch.begin(this.#task.task);
    while (!this.#isCancelled) {
      const { bytes, isDone, result } = scratch.turn(run, performance.now() + TURN_MS);
      if (isDone) this.#post({ bytes, last: result ?? {} });
      else if (bytes.length > 0) this.#post({ bytes });
      if (isDone) return;
      if (run.isStreamed) await this.#waitForClient(sending);
      await sleep(0);
    }
  }

  get #isCancelled(): boolean {
    return Atomics.load(this.#task.progress, PROGRESS_CANCELLED) === 1;
  }

  async #waitForClient(deadline: Deadline): Promise<void> {
    for (;;) {
      const takenCount = Atomics.load(this.#task.progress, PROGRESS_TAKEN);
      for (const bytes of this.#ahead.splice(0, takenCount - this.#takenCount)) {
        this.#bytesAhead -= bytes;
      }
      this.#takenCount = takenCount;
      if (this.#bytesAhead < BYTES_AHEAD_MAX || this.#isCancelled) return;
      deadline.check();
      await sleep(LOOK_MS);
    }
  }

  #post(piece: ArchivePiece): void {
    this.#ahead.push(piece.bytes.length);
    this.#bytesAhead += piece.bytes.length;
    this.#task.port.postMessage(piece, [piece.bytes.buffer as ArrayBuffer]);
  }
}
