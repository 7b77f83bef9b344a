import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import type { QueryMessage, ToShard } from '../src/protocol/messages.js';
import type { Ring } from '../src/protocol/ring.js';

/**
 * How long a shard looks for the next query after an answer: to fall asleep and be woken takes a thread 0.1 ms, and
 * ringing takes the front some of its time. It is also all that a message costs that was counted and never came.
 */
const LOOK_OUT_MS = 0.2;
/** Nobody looks where most pauses before the next query, waking included, are longer than this. */
const SHORT_MS = 0.3;
/** So many more short or long pauses are remembered at most. */
const BALANCE_MAX = 8;

/** What a shard does with what comes. */
export interface InboxReceiver {
  receive(message: QueryMessage): void;
  /** Something came, if only the doorbell. */
  turn(): void;
}

/** The port of a shard, where queries and the doorbell come in. */
export class Inbox {
  readonly #port: MessagePort;
  readonly #ring: Pick<Ring, 'messages'>;
  readonly #receiver: InboxReceiver;
  readonly #clock: () => number;
  /** Messages with queries that have come, as the ring counts them. */
  #messages = 0;
  /** When there was an answer with no query behind it so far. */
  #answeredMs = -Infinity;
  /** How many more short than long pauses between an answer and the next query there were lately. */
  #balance = 0;

  /** `clock`: milliseconds. */
  constructor(
    port: MessagePort,
    ring: Pick<Ring, 'messages'>,
    receiver: InboxReceiver,
    clock = () => performance.now(),
  ) {
    this.#clock = clock;
    this.#port = port;
    this.#ring = ring;
    this.#receiver = receiver;
    port.on('message', (message: ToShard) => {
      this.#take(message);
      receiver.turn();
    });
  }

  /** Whether queries are on their way, or wait in the port. */
  get hasMore(): boolean {
    return this.#ring.messages !== this.#messages;
  }

  /** There was an answer: who has got it may ask again at once. */
  answered(): void {
    this.#answeredMs = this.#clock();
  }

  /**
   * Waits, awake, until queries come or `hasWork`, for a moment after an answer, and only where queries mostly come
   * as soon. Returns whether one of them did.
   */
  lookOut(hasWork: () => boolean): boolean {
    if (this.#balance <= 0) return false;
    const untilMs = this.#answeredMs + LOOK_OUT_MS;
    while (this.#clock() < untilMs) {
      if (hasWork()) return true;
      if (this.hasMore && this.#takeNext()) return true;
    }
    return false;
  }

  /** Takes the next queries out of the port without their event; whether there were some. */
  #takeNext(): boolean {
    for (;;) {
      const received = receiveMessageOnPort(this.#port) as { message: ToShard } | undefined;
      if (!received) return false;
      if (this.#take(received.message)) return true;
    }
  }

  #take(message: ToShard): boolean {
    if (message === 0) return false;
    this.#messages = (this.#messages + 1) | 0;
    this.#notePause();
    this.#receiver.receive(message);
    return true;
  }

  #notePause(): void {
    if (this.#answeredMs === -Infinity) return;
    const isShort = this.#clock() - this.#answeredMs <= SHORT_MS;
    const balance = this.#balance + (isShort ? 1 : -1);
    this.#balance = Math.max(-BALANCE_MAX, Math.min(balance, BALANCE_MAX));
    this.#answeredMs = -Infinity;
  }
}
