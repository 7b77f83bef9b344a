import type { NatsSubscription } from '../config/nats-config.js';
import { durableOf, ensureConsumer } from './consumer.js';
import { deliveryOf } from './delivery.js';
import { FeedCounts } from './feed-counts.js';
import type { Feed, FeedState } from './feed.js';
import type { NatsLines } from './link.js';
import { MessageWriter, type Outcome, type WriterOptions } from './message-writer.js';
import { Pulls } from './pulls.js';
import { SparseLog } from './sparse-log.js';
import { headerValue } from './wire/wire-header.js';
import type { WireMessage } from './wire/wire-reader.js';

/** A stream or consumer that is not there is looked for again. */
const RETRY_MS = 1000;
/** What the shards could not take comes again after that. */
const AGAIN_MS = 1000;

const ACKNOWLEDGED = '+ACK';
const TERMINATED = '+TERM';
const NOT_NOW = `-NAK {"delay": ${AGAIN_MS}000000}`;

export interface StreamFeedOptions extends Omit<WriterOptions, 'counts'> {
  /** The share of nats-pending-bytes-max that this subscription has now. */
  bytesMax(): number;
}

/**
 * A subscription that reads a JetStream stream through a durable consumer. A message is acknowledged
 * when the log has its samples, so that what the store does not take stays in the stream; only so
 * much is asked for as there is room for.
 */
export class StreamFeed implements Feed {
  readonly subscription: NatsSubscription;
  readonly counts = new FeedCounts();
  problem = '';
  readonly #options: StreamFeedOptions;
  readonly #writer: MessageWriter;
  readonly #log: SparseLog;
  #lines: NatsLines | undefined;
  #pulls: Pulls | undefined;
  #retry: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(options: StreamFeedOptions) {
    this.#options = options;
    this.subscription = options.subscription;
    this.#writer = new MessageWriter({ ...options, counts: this.counts });
    this.#log = new SparseLog(options.log);
  }

  get state(): FeedState {
    if (this.problem !== '') return 'failing';
    return this.#pulls ? 'active' : 'waiting';
  }

  attach(lines: NatsLines): void {
    // Its consumer may be looked for yet.
    if (this.#lines === lines) return;
    this.detach();
    this.#lines = lines;
    void this.#open(lines);
  }

  detach(): void {
    clearTimeout(this.#retry);
    this.#pulls?.stop();
    this.#pulls = undefined;
    this.#lines = undefined;
    this.problem = '';
  }

  async drain(): Promise<void> {
    this.#isOver = true;
    const pulls = this.#pulls;
    this.#pulls = undefined;
    clearTimeout(this.#retry);
    await pulls?.drain();
    // The connection stays, for what is acknowledged yet.
    await this.#writer.settled();
    this.detach();
  }

  async #open(lines: NatsLines): Promise<void> {
    const isCurrent = (): boolean => !this.#isOver && this.#lines === lines && !lines.wire.isClosed;
    try {
      await ensureConsumer(lines.connection, this.subscription);
    } catch (error) {
      if (isCurrent()) this.#fail(lines, (error as Error).message);
      return;
    }
    if (!isCurrent()) return;
    this.problem = '';
    this.#pulls = new Pulls(lines.wire, {
      stream: this.subscription.stream,
      durable: durableOf(this.subscription),
      bytesMax: () => this.#options.bytesMax(),
      bytesHeld: () => this.counts.pendingBytes,
      onMessage: (message) => this.#take(message),
      onLost: (why) => {
        this.#pulls = undefined;
        if (isCurrent()) this.#fail(lines, why);
      },
    });
  }

  #fail(lines: NatsLines, why: string): void {
    this.problem = why;
    const { subject, stream } = this.subscription;
    const fields = { subscription: subject, stream, problem: why };
    this.#log.warn('failing', fields, 'a NATS stream can not be read, it is tried again');
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#open(lines), RETRY_MS).unref();
  }

  #take(message: WireMessage): void {
    const { subject, data, bytes, reply, header } = message;
    const delivery = deliveryOf(reply);
    if (delivery) {
      this.counts.waitingInStream = delivery.waiting;
      if (delivery.times > 1) this.counts.redelivered++;
    }
    this.#writer.take({
      subject,
      data,
      bytes,
      authorization: () => headerValue(header, 'Authorization'),
      settle: (outcome: Outcome) => this.#settle(outcome, reply),
    });
  }

  #settle(outcome: Outcome, reply: string): void {
    if (outcome === 'unsettled') {
      this.counts.retried++;
      this.#pulls?.pause(AGAIN_MS);
    }
    // Without a connection it is not acknowledged, and comes again: that does no harm.
    this.#lines?.wire.publish(reply, ANSWERS[outcome]);
    this.#pulls?.ask();
  }
}

const ANSWERS: Readonly<Record<Outcome, string>> = {
  stored: ACKNOWLEDGED,
  refused: TERMINATED,
  unsettled: NOT_NOW,
};
