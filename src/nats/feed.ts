import type { NatsSubscription } from '../config/nats-config.js';
import type { FeedCounts } from './feed-counts.js';
import type { NatsLines } from './link.js';

/** `waiting`: for a connection or for the store; `failing`: it is tried again, `problem` tells why. */
export type FeedState = 'waiting' | 'active' | 'failing';

/** What one subscription brings in, by core NATS or from a stream. */
export interface Feed {
  readonly subscription: NatsSubscription;
  readonly counts: FeedCounts;
  readonly state: FeedState;
  /** Why it is not active; '' if it is, or only waits. */
  readonly problem: string;
  /** Begins to take messages from a connection. */
  attach(lines: NatsLines): void;
  /** The connection is gone. */
  detach(): void;
  /** Takes what has been sent already, and no more; resolves when all of it is settled. */
  drain(): Promise<void>;
}
