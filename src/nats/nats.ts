import type { NatsConnection } from 'nats';
import type { Limits } from '../config/config.js';
import type { NatsConfig, NatsSubscription } from '../config/nats-config.js';
import type { ProgramPart } from '../http/program-part.js';
import type { Logger } from '../model/logger.js';
import type { Store } from '../routing/store.js';
import { CoreFeed, type CoreBudget } from './core-feed.js';
import type { Feed } from './feed.js';
import { NatsLink } from './link.js';
import { metricsOf } from './nats-metrics.js';
import { statusOf } from './nats-status.js';
import { StreamFeed } from './stream-feed.js';
import type { TokenCheck } from './token-check.js';

/** How often it is looked whether the shards serve: before, what is sent would be lost. */
const READY_LOOK_MS = 50;
/** A stop waits so long for what was received; a write that waits for room ends sooner. */
const DRAIN_WAIT_MS = 8000;

export interface NatsOptions {
  readonly store: Store;
  /** May change while it runs. */
  readonly limits: Limits;
  readonly log: Logger;
  /** Checks tokens of subscriptions that want them; without it they take nothing. */
  readonly verifier?: TokenCheck | undefined;
}

/** Connects, and reads the subjects of the configuration. Does not wait for a server. */
export function startNats(config: NatsConfig, options: NatsOptions): NatsClient {
  return new NatsClient(config, options);
}

/** The connection to NATS, and what is read from it. */
export class NatsClient implements ProgramPart {
  readonly name = 'nats';
  readonly #options: NatsOptions;
  readonly #link: NatsLink;
  readonly #budget: CoreBudget = { pendingBytes: 0 };
  #feeds = new Map<string, Feed>();
  /** Those that were taken away and have not settled all they took. */
  readonly #leaving = new Set<Promise<void>>();
  #ready: NodeJS.Timeout | undefined;
  #isStopping = false;

  constructor(config: NatsConfig, options: NatsOptions) {
    this.#options = options;
    this.#link = new NatsLink(config, {
      log: options.log,
      payloadBytesMax: () => options.limits.natsMessageBytesMax,
      onLines: () => this.#attachWhenReady(),
      onLost: () => this.#detachAll(),
    });
    this.applySubscriptions(config.subscriptions);
    this.#link.start();
  }

  /** Takes a new list: what is in both stays as it is, down to its counters. */
  applySubscriptions(subscriptions: readonly NatsSubscription[]): void {
    const wanted = new Map(subscriptions.map((one) => [keyOf(one), one]));
    for (const [key, feed] of this.#feeds) {
      if (wanted.has(key)) continue;
      this.#feeds.delete(key);
      const left = feed.drain().finally(() => this.#leaving.delete(left));
      this.#leaving.add(left);
    }
    const next = new Map<string, Feed>();
    for (const [key, subscription] of wanted) {
      next.set(key, this.#feeds.get(key) ?? this.#feedOf(subscription));
    }
    this.#feeds = next;
    this.#attachWhenReady();
  }

  /** The connection there is now; undefined: none. */
  connection(): NatsConnection | undefined {
    return this.#link.lines?.connection;
  }

  /**
   * Calls with each connection that is made, and at once with the one there is; what was subscribed on the one
   * before is gone. Returns how to end that.
   */
  onConnected(listener: (connection: NatsConnection) => void): () => void {
    return this.#link.onConnected(listener);
  }

  status(): object {
    return statusOf(this.#link.status(), [...this.#feeds.values()]);
  }

  metrics(): string {
    return metricsOf(this.#link.status(), [...this.#feeds.values()]);
  }

  problems(): string[] {
    const { state, lastError } = this.#link.status();
    if (state !== 'connected') {
      const why = lastError === '' ? '' : ` (${lastError})`;
      return [`there is no connection to NATS${why}: lines from it do not come in`];
    }
    return [...this.#feeds.values()]
      .filter(({ problem }) => problem !== '')
      .map(
        ({ subscription, problem }) => `subject ${subscription.subject} is not read: ${problem}`,
      );
  }

  linesTotal(): number {
    let lines = 0;
    for (const { counts } of this.#feeds.values()) {
      lines += counts.lines.written + counts.lines.ignored + counts.lines.rejected;
    }
    return lines;
  }

  /** Takes what was received, acknowledges it, then closes the connection. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#ready);
    const drained = [...this.#leaving, ...[...this.#feeds.values()].map((feed) => feed.drain())];
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, DRAIN_WAIT_MS);
    });
    await Promise.race([Promise.all(drained), late]);
    clearTimeout(timer);
    await this.#link.stop();
  }

  #feedOf(subscription: NatsSubscription): Feed {
    const { store, limits, log, verifier } = this.#options;
    const shared = { store, limits, log, verifier, subscription };
    if (subscription.stream === '') return new CoreFeed({ ...shared, budget: this.#budget });
    return new StreamFeed({ ...shared, bytesMax: () => this.#streamBytesMax() });
  }

  /** Streams share as many bytes as core NATS has. */
  #streamBytesMax(): number {
    const streams = [...this.#feeds.values()].filter(
      ({ subscription }) => subscription.stream !== '',
    );
    return this.#options.limits.natsPendingBytesMax / Math.max(1, streams.length);
  }

  #attachWhenReady(): void {
    clearTimeout(this.#ready);
    const { lines } = this.#link;
    if (!lines || this.#isStopping) return;
    if (!this.#options.store.status().ready) {
      this.#ready = setTimeout(() => this.#attachWhenReady(), READY_LOOK_MS);
      return;
    }
    for (const feed of this.#feeds.values()) if (feed.state === 'waiting') feed.attach(lines);
  }

  #detachAll(): void {
    clearTimeout(this.#ready);
    for (const feed of this.#feeds.values()) feed.detach();
  }
}

/** Two subscriptions with the same key would do the same. */
function keyOf(subscription: NatsSubscription): string {
  return JSON.stringify(
    Object.entries(subscription).sort(([one], [other]) => (one < other ? -1 : 1)),
  );
}
