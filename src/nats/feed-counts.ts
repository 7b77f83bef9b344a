/** What a subscription has counted since it was made. */
export class FeedCounts {
  messages = 0;
  bytes = 0;
  readonly lines = { written: 0, ignored: 0, rejected: 0 };
  /** Core NATS: lost, since there was no room; by reason. */
  readonly dropped = new Map<string, number>();
  droppedBytes = 0;
  /** Never stored, whatever happens; by reason. */
  readonly refused = new Map<string, number>();
  /** JetStream: given back, to be delivered again. */
  retried = 0;
  /** JetStream: delivered more than once. */
  redelivered = 0;
  /** JetStream: still in the stream, as of the last message. */
  waitingInStream = 0;
  /** Received and not settled yet. */
  pendingMessages = 0;
  pendingBytes = 0;

  drop(reason: string, bytes: number): void {
    add(this.dropped, reason);
    this.droppedBytes += bytes;
  }

  refuse(reason: string): void {
    add(this.refused, reason);
  }
}

function add(counts: Map<string, number>, reason: string): void {
  counts.set(reason, (counts.get(reason) ?? 0) + 1);
}
