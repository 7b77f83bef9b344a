import type { Msg, NatsConnection, Subscription } from 'nats';
import { ConfigError } from '../config/config-error.js';
import type { Config, Limits } from '../config/config.js';
import type { Logger } from '../model/logger.js';
import type { Applier } from './applier.js';
import { BucketWatch, type BucketStatus } from './bucket-watch.js';
import { answerOf, sentenceOf, type ChangeResult } from '../config/change.js';
import type { LiveConfig } from './live-config.js';
import { FORBIDDEN_OVER_NATS, readWish } from './read-wish.js';

/** Who connects to NATS. */
export interface ConnectionSource {
  /** Has `listener` told the connection there is, and each one that takes its place. */
  onConnected(listener: (connection: NatsConnection) => void): void;
}

export interface NatsConfigOptions {
  readonly live: LiveConfig;
  readonly limits: Limits;
  readonly log: Logger;
  /** Answers a message without a body. */
  readonly show: () => object;
  /** A bucket that is not there is looked for again after this. */
  readonly retryMs?: number;
}

/** What `/api/v2/status` tells of configuration that comes over NATS. */
export interface NatsConfigStatus {
  readonly subject: string;
  readonly messages: number;
  readonly bucket: BucketStatus | undefined;
}

const PATCH_TYPE = 'application/merge-patch+json';

/**
 * Configuration that comes over NATS: messages on a subject, which are answered, and the key `config`
 * of a bucket. Whoever may publish there may change what can be changed while the store runs: the
 * server's permissions decide who that is.
 */
export class NatsConfigSource {
  readonly #options: NatsConfigOptions;
  #connection: NatsConnection | undefined;
  #subject = '';
  #bucket = '';
  #subscription: Subscription | undefined;
  #watch: BucketWatch | undefined;
  #messages = 0;

  constructor(source: ConnectionSource, config: Config['nats'], options: NatsConfigOptions) {
    this.#options = options;
    this.#subject = config.configSubject;
    this.#bucket = config.configBucket;
    source.onConnected((connection) => {
      this.#close();
      this.#connection = connection;
      this.#open();
    });
  }

  /** Lets subject and bucket change while the store runs. */
  get applier(): Applier {
    return {
      name: 'configuration over NATS',
      settings: ['nats.config-subject', 'nats.config-bucket'],
      apply: (_before, { nats }) => {
        this.#close();
        this.#subject = nats.configSubject;
        this.#bucket = nats.configBucket;
        this.#open();
        return ['subject and bucket of the configuration'];
      },
    };
  }

  status(): NatsConfigStatus {
    return { subject: this.#subject, messages: this.#messages, bucket: this.#watch?.status() };
  }

  stop(): void {
    this.#close();
    this.#connection = undefined;
  }

  #open(): void {
    const connection = this.#connection;
    if (!connection || connection.isClosed()) return;
    if (this.#subject !== '') {
      this.#subscription = connection.subscribe(this.#subject, {
        callback: (error, message) => {
          if (error) this.#options.log.error({ error: error.message }, 'nats.config-subject');
          else void this.#answer(message);
        },
      });
    }
    if (this.#bucket !== '') {
      this.#watch = new BucketWatch(connection, this.#bucket, this.#options);
    }
  }

  #close(): void {
    // One of a connection that is closed has ended with it.
    if (!this.#connection?.isClosed()) this.#subscription?.unsubscribe();
    this.#subscription = undefined;
    this.#watch?.stop();
    this.#watch = undefined;
  }

  async #answer(message: Msg): Promise<void> {
    this.#messages++;
    const { live, limits, show } = this.#options;
    const respond = (answer: object): void => {
      // Nobody may wait for an answer, or the connection may be gone: then there is none.
      if (message.reply && !this.#connection?.isClosed()) message.respond(JSON.stringify(answer));
    };
    try {
      if (message.data.length === 0) {
        respond({ status: 'OK', ...show() });
        return;
      }
      const isPatch = message.headers?.get('Content-Type') === PATCH_TYPE;
      const wish = readWish(message.data, isPatch ? 'patch' : undefined, 'patch', limits);
      const isDryRun = message.headers?.get('Dry-Run') === 'true';
      const source = `NATS subject ${message.subject}`;
      const request = { wish, source, isDryRun, forbidden: FORBIDDEN_OVER_NATS };
      respond(replyOf(await live.change(request)));
    } catch (error) {
      const problems =
        error instanceof ConfigError
          ? error.problems.map(({ path, message: why }) => ({ setting: path, message: why }))
          : [];
      respond({ status: 'error', error: (error as Error).message, problems });
    }
  }
}

function replyOf(result: ChangeResult): object {
  const isRight = result.outcome === 'applied' || result.outcome === 'unchanged';
  const status = isRight ? { status: 'OK' } : { status: 'error', error: sentenceOf(result) };
  return { ...status, ...answerOf(result) };
}
