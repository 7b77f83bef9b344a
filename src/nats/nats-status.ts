import { durableOf } from './consumer.js';
import type { Feed } from './feed.js';
import type { LinkStatus } from './link.js';

/** What `/api/v2/status` tells of NATS. */
export function statusOf(link: LinkStatus, feeds: readonly Feed[]): object {
  return {
    ...link,
    subscriptions: feeds.map(({ subscription, counts, state, problem }) => ({
      subject: subscription.subject,
      clusterTag: subscription.clusterTag,
      ...(subscription.queueGroup !== '' && { queueGroup: subscription.queueGroup }),
      ...(subscription.stream !== '' && {
        stream: subscription.stream,
        durable: durableOf(subscription),
        redelivered: counts.redelivered,
        retried: counts.retried,
        waitingInStream: counts.waitingInStream,
      }),
      requireJwt: subscription.requiresJwt,
      state,
      problem,
      messages: counts.messages,
      bytes: counts.bytes,
      written: counts.lines.written,
      ignored: counts.lines.ignored,
      rejected: counts.lines.rejected,
      dropped: Object.fromEntries(counts.dropped),
      droppedBytes: counts.droppedBytes,
      refused: Object.fromEntries(counts.refused),
      pendingMessages: counts.pendingMessages,
      pendingBytes: counts.pendingBytes,
    })),
  };
}
