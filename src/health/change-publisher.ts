import type { NatsConnection } from 'nats';
import type { Logger } from '../model/logger.js';
import type { ChangeText } from './change-streams.js';

/** What is on its way to a server that does not read; more is dropped, and told in counters and log. */
const PENDING_BYTES_MAX = 8 * 1024 * 1024;
/** The log tells of what is dropped so often at most. */
const LOG_INTERVAL_MS = 60_000;

export type DropReason = 'no connection' | 'too slow' | 'refused';

/** What of NATS is needed: the connection there is now. */
export interface Connected {
  connection(): NatsConnection | undefined;
}

/** Publishes changes on a subject of core NATS, a message a host. */
export class ChangePublisher {
  readonly #nats: Connected;
  readonly #log: Logger;
  #connection: NatsConnection | undefined;
  /** Of that connection. */
  #pendingBytes = 0;
  #loggedMs = -Infinity;
  published = 0;
  readonly dropped: Record<DropReason, number> = { 'no connection': 0, 'too slow': 0, refused: 0 };

  constructor(nats: Connected, log: Logger) {
    this.#nats = nats;
    this.#log = log;
  }

  publish(subject: string, changes: readonly ChangeText[]): void {
    const connection = this.#nats.connection();
    if (!connection || connection.isClosed()) {
      this.#drop('no connection', changes.length);
      return;
    }
    if (connection !== this.#connection) {
      this.#connection = connection;
      this.#pendingBytes = 0;
    }
    let bytes = 0;
    for (const { text } of changes) {
      const payload = Buffer.from(text);
      if (this.#pendingBytes + payload.length > PENDING_BYTES_MAX) {
        this.#drop('too slow', 1);
        continue;
      }
      try {
        connection.publish(subject, payload);
      } catch {
        // Larger than the server takes, or it closed just now.
        this.#drop('refused', 1);
        continue;
      }
      this.published++;
      bytes += payload.length;
      this.#pendingBytes += payload.length;
    }
    if (bytes === 0) return;
    const settle = (): void => {
      // Where a connection goes, so does what was on its way.
      if (connection === this.#connection) this.#pendingBytes -= bytes;
    };
    connection.flush().then(settle, settle);
  }

  #drop(reason: DropReason, count: number): void {
    this.dropped[reason] += count;
    const nowMs = performance.now();
    if (nowMs - this.#loggedMs < LOG_INTERVAL_MS) return;
    this.#loggedMs = nowMs;
    this.#log.warn(
      { reason, dropped: { ...this.dropped } },
      'changes of health were not published; read /api/v2/health for what holds now',
    );
  }
}
