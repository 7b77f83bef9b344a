import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KvEntry, NatsConnection, QueuedIterator } from 'nats';
import { ConfigError } from '../config/config-error.js';
import type { Limits } from '../config/config.js';
import { isSame } from '../config/merge-patch.js';
import type { Logger } from '../model/logger.js';
import type { Wish } from '../config/change.js';
import type { BucketMark } from '../config/change.js';
import type { LiveConfig } from './live-config.js';
import { FORBIDDEN_OVER_NATS, readWish } from './read-wish.js';

/** The one key that is read. */
const KEY = 'config';
/** A bucket that is not there, or can not be read, is looked for again after this. */
const RETRY_MS = 5000;
/** A bucket that is being made is whole after this: it takes some milliseconds. */
const MADE_MS = 250;
/** A watch can end unnoticed, such as when the bucket is made anew: so the key is read now and then. */
const READ_MS = 30_000;

export interface BucketStatus {
  readonly name: string;
  /** Entry that was handled last; 0 = none. */
  readonly revision: number;
  /** What became of it: an outcome, or `refused`. */
  readonly outcome: string;
  /** Why the bucket can not be read, or the entry not be used; '' = all is well. */
  readonly problem: string;
}

export interface BucketWatchOptions {
  readonly live: LiveConfig;
  readonly limits: Limits;
  readonly log: Logger;
  readonly retryMs?: number;
}

/**
 * Follows the key `config` of a bucket. Its value is a state, not an event: only the newest matters, a
 * patch is one of the file, and a key that is deleted withdraws what came over the network. Each entry
 * is handled once, over restarts as well, be it taken or refused.
 */
export class BucketWatch {
  readonly #connection: NatsConnection;
  readonly #name: string;
  readonly #options: BucketWatchOptions;
  #isStopped = false;
  #iterator: QueuedIterator<KvEntry> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #pending: KvEntry | undefined;
  #isWorking = false;
  #isFollowing = false;
  #revision = 0;
  #outcome = '';
  #bucketProblem = '';
  #entryProblem = '';

  constructor(connection: NatsConnection, name: string, options: BucketWatchOptions) {
    this.#connection = connection;
    this.#name = name;
    this.#options = options;
    const { bucketMark } = options.live;
    if (bucketMark?.bucket === name) this.#revision = bucketMark.revision;
    void this.#follow();
    void this.#readOnReconnects();
  }

  status(): BucketStatus {
    return {
      name: this.#name,
      revision: this.#revision,
      outcome: this.#outcome,
      problem: this.#bucketProblem || this.#entryProblem,
    };
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#iterator?.stop();
  }

  /** What was put while the server was away is not waited for. */
  async #readOnReconnects(): Promise<void> {
    for await (const { type } of this.#connection.status()) {
      if (this.#isStopped) return;
      if (type === 'reconnect') this.#readNow();
    }
  }

  #readNow(): void {
    if (this.#isFollowing) return;
    clearTimeout(this.#timer);
    void this.#follow();
  }

  /** One round: reads the key, then watches it until the watch ends or it is time to read again. */
  async #follow(): Promise<void> {
    this.#isFollowing = true;
    let waitMs = this.#options.retryMs ?? RETRY_MS;
    try {
      // Bound, not made: that is for whoever puts something in.
      const kv = await this.#connection.jetstream().views.kv(this.#name, { bindOnly: true });
      // A nats-server 2.9 that is asked for an entry while it makes the bucket ends with a panic: so it
      // is asked whether there is one first, and given the time to be done with it.
      await kv.status();
      if (!this.#iterator) await sleep(MADE_MS);
      const entry = await kv.get(KEY);
      this.#bucketProblem = '';
      if (entry) this.#take(entry);
      if (!this.#iterator && !this.#isStopped) {
        const iterator = await kv.watch({ key: KEY });
        this.#iterator = iterator;
        void this.#read(iterator);
      }
      waitMs = READ_MS;
    } catch (error) {
      const problem = `the bucket "${this.#name}" can not be read: ${(error as Error).message}`;
      if (problem !== this.#bucketProblem && !this.#isStopped) {
        this.#options.log.warn({ bucket: this.#name }, `${problem}; it is tried again`);
      }
      this.#bucketProblem = problem;
    }
    this.#isFollowing = false;
    if (this.#isStopped) {
      this.#iterator?.stop();
      return;
    }
    this.#timer = setTimeout(() => void this.#follow(), waitMs);
    this.#timer.unref();
  }

  async #read(iterator: QueuedIterator<KvEntry>): Promise<void> {
    try {
      for await (const entry of iterator) this.#take(entry);
    } catch {
      // The next round tells what is wrong.
    }
    if (this.#iterator === iterator) this.#iterator = undefined;
  }

  /** Keeps the newest only: those that came in between are of no interest. */
  #take(entry: KvEntry): void {
    if (this.#isStopped || entry.key !== KEY) return;
    this.#pending = entry;
    if (!this.#isWorking) void this.#work();
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    while (this.#pending && !this.#isStopped) {
      const entry = this.#pending;
      this.#pending = undefined;
      await this.#handle(entry);
    }
    this.#isWorking = false;
  }

  async #handle(entry: KvEntry): Promise<void> {
    const { live, limits, log } = this.#options;
    const { revision, value, operation } = entry;
    const digest = createHash('sha256').update(operation).update(value).digest('hex');
    const mark: BucketMark = { bucket: this.#name, revision, digest };
    if (isSame(mark, live.bucketMark)) return;
    this.#revision = revision;
    const source = `NATS bucket ${this.#name}, revision ${revision}`;
    try {
      const isGone = operation !== 'PUT';
      const wish: Wish = isGone
        ? { kind: 'withdraw' }
        : readWish(value, undefined, 'overlay', limits);
      const { outcome } = await live.change({
        wish,
        source,
        bucketMark: mark,
        forbidden: FORBIDDEN_OVER_NATS,
      });
      this.#outcome = outcome;
      const isRight = outcome === 'applied' || outcome === 'unchanged';
      this.#entryProblem = isRight ? '' : `revision ${revision} is not in effect, as the log says`;
    } catch (error) {
      this.#outcome = 'refused';
      this.#entryProblem = `revision ${revision}: ${(error as Error).message}`;
      if (error instanceof ConfigError) live.noteBucket(mark, source, error);
      else log.warn({ source }, (error as Error).message);
    }
  }
}
