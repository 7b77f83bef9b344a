import { Match } from 'nats';
import type { Msg, NatsConnection, NatsError, Subscription } from 'nats';
import type { Limits } from '../config/config.js';
import type { NatsSubscription } from '../config/nats-config.js';
import { FeedCounts } from './feed-counts.js';
import type { Feed, FeedState } from './feed.js';
import { MessageWriter, type Outcome, type WriterOptions } from './message-writer.js';
import { SparseLog } from './sparse-log.js';

/** A subject that the server does not let us have is asked for again: permissions change. */
const RETRY_MS = 30_000;

/** Bytes of core NATS that are not settled, over all subscriptions. */
export interface CoreBudget {
  pendingBytes: number;
}

export interface CoreFeedOptions extends Omit<WriterOptions, 'counts'> {
  readonly limits: Limits;
  readonly budget: CoreBudget;
}

/**
 * A subscription of core NATS. Messages come whether there is room for them or not: those beyond
 * nats-pending-bytes-max are dropped and counted. To stop reading would only have the server drop
 * what it holds for us, and then the connection.
 */
export class CoreFeed implements Feed {
  readonly subscription: NatsSubscription;
  readonly counts = new FeedCounts();
  problem = '';
  readonly #options: CoreFeedOptions;
  readonly #writer: MessageWriter;
  readonly #log: SparseLog;
  #connection: NatsConnection | undefined;
  #active: Subscription | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: CoreFeedOptions) {
    this.#options = options;
    this.subscription = options.subscription;
    this.#writer = new MessageWriter({ ...options, counts: this.counts });
    this.#log = new SparseLog(options.log);
  }

  get state(): FeedState {
    if (this.problem !== '') return 'failing';
    return this.#active ? 'active' : 'waiting';
  }

  attach(connection: NatsConnection): void {
    this.detach();
    this.#connection = connection;
    const { subject, queueGroup } = this.subscription;
    this.#active = connection.subscribe(subject, {
      ...(queueGroup !== '' && { queue: queueGroup }),
      callback: (error, message) => {
        if (error) this.#fail(error);
        else this.#take(message);
      },
    });
  }

  detach(): void {
    clearTimeout(this.#retry);
    this.#connection = undefined;
    this.#active = undefined;
    this.problem = '';
  }

  async drain(): Promise<void> {
    const active = this.#active;
    this.detach();
    // A connection that goes away in between has nothing more for us.
    if (active && !active.isClosed()) await active.drain().catch(() => undefined);
    await this.#writer.settled();
  }

  #take(message: Msg): void {
    const { limits, budget } = this.#options;
    const { data } = message;
    const bytes = data.length;
    if (budget.pendingBytes + bytes > limits.natsPendingBytesMax) {
      this.#dropUnread(message, bytes);
      return;
    }
    budget.pendingBytes += bytes;
    this.#writer.take({
      subject: message.subject,
      data,
      bytes,
      authorization: () => message.headers?.get('Authorization', Match.IgnoreCase) ?? '',
      settle: (outcome: Outcome, reason: string) => {
        budget.pendingBytes -= bytes;
        if (outcome === 'unsettled') this.counts.drop(reason, bytes);
      },
    });
  }

  #dropUnread({ subject }: Msg, bytes: number): void {
    this.counts.messages++;
    this.counts.bytes += bytes;
    this.counts.drop('nats-pending-bytes-max', bytes);
    const most = this.#options.limits.natsPendingBytesMax;
    this.#log.warn(
      'dropped',
      { subscription: this.subscription.subject, subject, bytesDropped: this.counts.droppedBytes },
      `NATS messages are dropped: more than nats-pending-bytes-max (${most}) wait for room in the shards`,
    );
  }

  /** The server refuses the subscription: nats.js has forgotten it by then. */
  #fail(error: NatsError): void {
    const connection = this.#connection;
    this.#active = undefined;
    this.problem = error.message;
    const fields = { subscription: this.subscription.subject, problem: this.problem };
    this.#log.warn('refused', fields, 'a NATS subscription is refused, it is tried again');
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      if (connection && !connection.isClosed()) this.attach(connection);
    }, RETRY_MS).unref();
  }
}
