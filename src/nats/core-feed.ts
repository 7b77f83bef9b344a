import type { Limits } from '../config/config.js';
import type { NatsSubscription } from '../config/nats-config.js';
import { FeedCounts } from './feed-counts.js';
import type { Feed, FeedState } from './feed.js';
import type { NatsLines } from './link.js';
import { MessageWriter, type Outcome, type WriterOptions } from './message-writer.js';
import { SparseLog } from './sparse-log.js';
import { headerValue } from './wire/wire-header.js';
import type { WireMessage } from './wire/wire-reader.js';
import type { Wire } from './wire/wire.js';

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
  #wire: Wire | undefined;
  /** Number of the subscription; 0 = none. */
  #sid = 0;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: CoreFeedOptions) {
    this.#options = options;
    this.subscription = options.subscription;
    this.#writer = new MessageWriter({ ...options, counts: this.counts });
    this.#log = new SparseLog(options.log);
  }

  get state(): FeedState {
    if (this.problem !== '') return 'failing';
    return this.#sid > 0 ? 'active' : 'waiting';
  }

  attach({ wire }: Pick<NatsLines, 'wire'>): void {
    this.detach();
    this.#wire = wire;
    const { subject, queueGroup } = this.subscription;
    this.#sid = wire.subscribe({
      subject,
      queue: queueGroup,
      onMessage: (message) => this.#take(message),
      onRefused: (why) => this.#fail(wire, why),
    });
  }

  detach(): void {
    clearTimeout(this.#retry);
    this.#wire = undefined;
    this.#sid = 0;
    this.problem = '';
  }

  async drain(): Promise<void> {
    const wire = this.#wire;
    const sid = this.#sid;
    this.detach();
    // A connection that goes away in between has nothing more for us.
    if (sid > 0) await wire?.drain(sid);
    await this.#writer.settled();
  }

  #take(message: WireMessage): void {
    const { limits, budget } = this.#options;
    const { subject, data, bytes, header } = message;
    if (budget.pendingBytes + bytes > limits.natsPendingBytesMax) {
      this.#dropUnread(subject, bytes);
      return;
    }
    budget.pendingBytes += bytes;
    this.#writer.take({
      subject,
      data,
      bytes,
      authorization: () => headerValue(header, 'Authorization'),
      settle: (outcome: Outcome, reason: string) => {
        budget.pendingBytes -= bytes;
        if (outcome === 'unsettled') this.counts.drop(reason, bytes);
      },
    });
  }

  #dropUnread(subject: string, bytes: number): void {
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

  #fail(wire: Wire, why: string): void {
    this.#sid = 0;
    this.problem = why;
    const fields = { subscription: this.subscription.subject, problem: why };
    this.#log.warn('refused', fields, 'a NATS subscription is refused, it is tried again');
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      if (!wire.isClosed) this.attach({ wire });
    }, RETRY_MS).unref();
  }
}
