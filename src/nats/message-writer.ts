import { PRECISION_AUTO } from '../../workers/kernel/layout.js';
import type { ClusterSet, Identity } from '../auth/identity.js';
import type { Limits } from '../config/config.js';
import type { NatsSubscription } from '../config/nats-config.js';
import { StoreError } from '../model/errors.js';
import type { Logger } from '../model/logger.js';
import type { Store, WriteSummary } from '../routing/store.js';
import type { FeedCounts } from './feed-counts.js';
import { SparseLog } from './sparse-log.js';
import type { TokenCheck } from './token-check.js';

/** A larger message is a body of its own; smaller ones of one turn are a body together. */
const ALONE_BYTES_MIN = 16 * 1024;
const TOGETHER_BYTES_MAX = 512 * 1024;
const NEWLINE = 10;
const LINE_END = Uint8Array.of(NEWLINE);

/**
 * `stored`: the log has its samples; `refused`: it will never be stored; `unsettled`: there was no
 * room, or a shard was down, it may be tried again.
 */
export type Outcome = 'stored' | 'refused' | 'unsettled';

/** A message as it comes. What it has of a buffer is valid until `take` returns. */
export interface Message {
  readonly subject: string;
  readonly data: Uint8Array;
  /** The length of its payload, of which `data` has nothing if it is larger than is wanted. */
  readonly bytes: number;
  /** The value of its header `Authorization`; read only where it is asked for. */
  authorization(): string;
  /** Called once. `reason` is a short name for what went wrong. */
  readonly settle: (outcome: Outcome, reason: string) => void;
}

export interface WriterOptions {
  readonly store: Store;
  /** Read when a message comes: they may change. */
  readonly limits: Limits;
  readonly log: Logger;
  readonly verifier: TokenCheck | undefined;
  readonly subscription: NatsSubscription;
  readonly counts: FeedCounts;
}

/** Messages that go to the shards as one body. */
interface Batch {
  readonly clusters: ClusterSet;
  readonly messages: Message[];
  bytes: number;
}

/**
 * Puts the messages of one subscription into the shards, as bodies of its default cluster. Bytes are
 * copied into the memory of a shard in the turn they come; a message is settled when the log has it.
 */
export class MessageWriter {
  readonly #options: WriterOptions;
  readonly #log: SparseLog;
  #batch: Batch | undefined;
  #whenSettled: (() => void)[] = [];

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#log = new SparseLog(options.log);
  }

  take(message: Message): void {
    const { limits, subscription, counts } = this.#options;
    const { bytes } = message;
    counts.messages++;
    counts.bytes += bytes;
    counts.pendingMessages++;
    counts.pendingBytes += bytes;
    if (bytes > limits.natsMessageBytesMax) {
      const most = `nats-message-bytes-max (${limits.natsMessageBytesMax})`;
      this.#refuse(message, 'nats-message-bytes-max', `it has ${bytes} bytes, more than ${most}`);
    } else if (subscription.requiresJwt) this.#takeChecked(message);
    else this.#add(message, null);
  }

  /** Resolves when all that was taken is settled. */
  async settled(): Promise<void> {
    this.#send();
    if (this.#options.counts.pendingMessages > 0) {
      await new Promise<void>((resolve) => this.#whenSettled.push(resolve));
    }
  }

  #takeChecked(message: Message): void {
    try {
      const identity = this.#identityOf(message);
      if (identity instanceof Promise) {
        const kept = { ...message, data: copyOf(message.data) };
        identity.then(
          (known) => this.#addOf(kept, known),
          (error: unknown) => this.#failed([kept], asUnauthorized(error)),
        );
      } else this.#addOf(message, identity);
    } catch (error) {
      this.#failed([message], asUnauthorized(error));
    }
  }

  #addOf(message: Message, identity: Identity): void {
    const clusters = identity.grants.get('write');
    if (clusters !== undefined) this.#add(message, clusters);
    else this.#refuse(message, 'forbidden', `the token of ${identity.name} may not write`);
  }

  /** Whose token the message has; throws or rejects where it has none that holds. */
  #identityOf(message: Message): Identity | Promise<Identity> {
    const { verifier } = this.#options;
    if (!verifier || verifier.isRequired === false) {
      const text = 'require-jwt is set, but there is no key that tokens are checked with';
      throw new StoreError('unauthorized', text);
    }
    const token = /^Bearer +(\S+)\s*$/i.exec(message.authorization())?.[1];
    if (token === undefined) {
      throw new StoreError('unauthorized', 'it has no header "Authorization: Bearer …"');
    }
    return verifier.verify(token);
  }

  #add(message: Message, clusters: ClusterSet): void {
    if (message.bytes === 0) {
      this.#settle(message, 'stored', '');
      return;
    }
    const batch = this.#batch;
    const isAlone = message.bytes >= ALONE_BYTES_MIN;
    if (batch && (isAlone || batch.clusters !== clusters)) this.#send();
    if (isAlone) {
      this.#write({ clusters, messages: [message], bytes: bytesOf(message.data) });
      return;
    }
    if (!this.#batch) {
      this.#batch = { clusters, messages: [], bytes: 0 };
      setImmediate(() => this.#send());
    }
    this.#batch.messages.push({ ...message, data: copyOf(message.data) });
    this.#batch.bytes += bytesOf(message.data);
    if (this.#batch.bytes >= TOGETHER_BYTES_MAX) this.#send();
  }

  #send(): void {
    const batch = this.#batch;
    this.#batch = undefined;
    if (batch) this.#write(batch);
  }

  #write({ messages, clusters, bytes }: Batch): void {
    const { store, subscription } = this.#options;
    try {
      const session = store.beginWrite({
        cluster: subscription.clusterTag,
        precision: PRECISION_AUTO,
        bytesExpected: bytes,
        clusters,
      });
      for (const { data } of messages) {
        session.push(data);
        if (data.at(-1) !== NEWLINE) session.push(LINE_END);
      }
      // What waits must not keep the bytes that were copied.
      const waiting = messages.map(withoutData);
      session.finish().then(
        (summary) => this.#written(waiting, summary),
        (error: unknown) => this.#failed(waiting, asStoreError(error)),
      );
    } catch (error) {
      this.#failed(messages, asStoreError(error));
    }
  }

  #written(messages: readonly Message[], summary: WriteSummary): void {
    const { lines } = this.#options.counts;
    lines.written += summary.written;
    lines.ignored += summary.ignored;
    // From a stream they come again.
    const noRoom = this.#options.subscription.stream === '' ? 0 : (summary.noRoom ?? 0);
    lines.rejected += summary.rejected - noRoom;
    const example = summary.first[0];
    if (example) {
      const { subject } = messages[0]!;
      this.#options.store.rejectedLines.add('nats', () => subject, summary.first);
      const where = messages.length === 1 ? `line ${example.line}, column ${example.column}: ` : '';
      this.#warn('lines-rejected', messages[0]!, {
        rejected: summary.rejected,
        reason: where + example.reason,
      });
    }
    if (noRoom > 0) {
      const why = `there is no room for ${noRoom} lines now: ${example?.reason}`;
      for (const message of messages) this.#giveBack(message, 'memory-full', why);
    } else for (const message of messages) this.#settle(message, 'stored', '');
  }

  #failed(messages: readonly Message[], { code, message: why, status }: StoreError): void {
    for (const message of messages) {
      if (status === 503) this.#giveBack(message, code, why);
      else this.#refuse(message, code, why);
    }
  }

  #giveBack(message: Message, code: string, why: string): void {
    const { subscription } = this.#options;
    const kind = subscription.stream === '' ? 'message-dropped' : 'message-retried';
    this.#warn(kind, message, { reason: why });
    this.#settle(message, 'unsettled', code);
  }

  #refuse(message: Message, code: string, why: string): void {
    this.#options.counts.refuse(code);
    this.#warn(`message-refused:${code}`, message, { reason: why });
    this.#settle(message, 'refused', code);
  }

  #warn(kind: string, { subject }: Message, fields: object): void {
    const { subscription } = this.#options;
    const what = WARNINGS[kind.split(':')[0]!]!;
    this.#log.warn(kind, { subscription: subscription.subject, subject, ...fields }, what);
  }

  #settle(message: Message, outcome: Outcome, reason: string): void {
    const { counts } = this.#options;
    counts.pendingMessages--;
    counts.pendingBytes -= message.bytes;
    message.settle(outcome, reason);
    if (counts.pendingMessages > 0) return;
    for (const resolve of this.#whenSettled.splice(0)) resolve();
  }
}

const WARNINGS: Readonly<Record<string, string>> = {
  'lines-rejected': 'lines of a NATS message were rejected',
  'message-dropped': 'a NATS message was dropped',
  'message-retried': 'a NATS message was given back, to be delivered again',
  'message-refused': 'a NATS message was refused',
};

function copyOf(data: Uint8Array): Uint8Array {
  return Uint8Array.prototype.slice.call(data);
}

/** A verifier may throw errors of its own. */
function asUnauthorized(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  return new StoreError('unauthorized', (error as Error).message, { cause: error });
}

const NO_DATA = new Uint8Array(0);

function withoutData({ subject, bytes, settle }: Message): Message {
  return { subject, data: NO_DATA, bytes, authorization: () => '', settle };
}

/** With the line end that is added where the last line has none. */
function bytesOf(data: Uint8Array): number {
  return data.length + (data.at(-1) === NEWLINE ? 0 : 1);
}

function asStoreError(error: unknown): StoreError {
  return error instanceof StoreError ? error : new StoreError('internal', String(error));
}
