/** What the reply subject of a message from a stream tells. */
export interface Delivery {
  /** 1 for the first time. */
  readonly times: number;
  /** Still in the stream for this consumer. */
  readonly waiting: number;
}

const TOKENS_SHORT = 9;

/**
 * Reads `$JS.ACK.<stream>.<consumer>.<times>.<stream seq>.<consumer seq>.<time>.<waiting>`; newer servers
 * have domain and account before the stream. undefined: the message is from no stream.
 */
export function deliveryOf(reply: string): Delivery | undefined {
  if (!reply.startsWith('$JS.ACK.')) return undefined;
  const tokens = reply.split('.');
  if (tokens.length < TOKENS_SHORT) return undefined;
  const stream = tokens.length === TOKENS_SHORT ? 2 : 4;
  const times = Number(tokens[stream + 2]);
  const waiting = Number(tokens[stream + 6]);
  return Number.isNaN(times) || Number.isNaN(waiting) ? undefined : { times, waiting };
}
