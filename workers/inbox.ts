import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import type { QueryMessage, ToShard } from '../src/protocol/messages.js';
import type { Ring } from '../src/protocol/ring.js';

/**
 * To fall asleep and be woken takes a thread as long as this, and who has got an answer often asks again at once. It
 * is also all that a message costs that was counted and never came.
 */
const LOOK_OUT_MS = 0.05;

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
  /** Messages with queries that have come, as the ring counts them. */
  #messages = 0;

  constructor(port: MessagePort, ring: Pick<Ring, 'messages'>, receiver: InboxReceiver) {
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

  /** Waits for a moment, awake, until queries come or `hasWork`; whether one of them did. */
  lookOut(hasWork: () => boolean): boolean {
    const untilMs = performance.now() + LOOK_OUT_MS;
    do {
      if (hasWork()) return true;
      if (this.hasMore && this.#takeNext()) return true;
    } while (performance.now() < untilMs);
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
    this.#receiver.receive(message);
    return true;
  }
}
