import { durableOf } from './consumer.js';
import type { FeedCounts } from './feed-counts.js';
import type { Feed } from './feed.js';
import type { LinkStatus } from './link.js';

const PREFIX = 'metricshard_nats';

/** Of subscriptions: a number, or one for each value of a label. */
interface FeedFamily {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly label?: string;
  values(counts: FeedCounts): number | Iterable<readonly [string, number]>;
}

const FEED_FAMILIES: readonly FeedFamily[] = [
  {
    name: 'messages_total',
    type: 'counter',
    help: 'messages received',
    values: (counts) => counts.messages,
  },
  {
    name: 'received_bytes_total',
    type: 'counter',
    help: 'bytes of messages received',
    values: (counts) => counts.bytes,
  },
  {
    name: 'lines_total',
    type: 'counter',
    help: 'lines received, by what became of them',
    label: 'result',
    values: (counts) => Object.entries(counts.lines),
  },
  {
    name: 'dropped_messages_total',
    type: 'counter',
    help: 'messages of core NATS lost for want of room, by reason',
    label: 'reason',
    values: (counts) => counts.dropped,
  },
  {
    name: 'dropped_bytes_total',
    type: 'counter',
    help: 'bytes of messages lost for want of room',
    values: (counts) => counts.droppedBytes,
  },
  {
    name: 'refused_messages_total',
    type: 'counter',
    help: 'messages that may not be stored, by reason',
    label: 'reason',
    values: (counts) => counts.refused,
  },
  {
    name: 'retried_messages_total',
    type: 'counter',
    help: 'messages given back to their stream',
    values: (counts) => counts.retried,
  },
  {
    name: 'redelivered_messages_total',
    type: 'counter',
    help: 'messages that came again from their stream',
    values: (counts) => counts.redelivered,
  },
  {
    name: 'stream_waiting_messages',
    type: 'gauge',
    help: 'messages still in the stream, as of the last one',
    values: (counts) => counts.waitingInStream,
  },
  {
    name: 'pending_bytes',
    type: 'gauge',
    help: 'bytes received that are not in the log yet',
    values: (counts) => counts.pendingBytes,
  },
];

/** What `/metrics` tells of NATS; families of subscriptions have their subject as a label. */
export function metricsOf(link: LinkStatus, feeds: readonly Feed[]): string {
  const { state, reconnects, failures } = link;
  const isConnected = state === 'connected' ? 1 : 0;
  const lines = [
    ...head('connected', 'gauge', '1 while there is a connection'),
    `${PREFIX}_connected ${isConnected}`,
    ...head('reconnects_total', 'counter', 'connections after the first one'),
    `${PREFIX}_reconnects_total ${reconnects}`,
    ...head('connect_failures', 'gauge', 'attempts that failed since the last connection'),
    `${PREFIX}_connect_failures ${failures}`,
  ];
  if (feeds.length > 0) {
    lines.push(...head('subscription_active', 'gauge', '1 while messages are read'));
    for (const feed of feeds) {
      const isActive = feed.state === 'active' ? 1 : 0;
      lines.push(`${PREFIX}_subscription_active{${labelsOf(feed)}} ${isActive}`);
    }
    for (const family of FEED_FAMILIES) lines.push(...linesOf(family, feeds));
  }
  return lines.map((line) => `${line}\n`).join('');
}

function head(name: string, type: string, help: string): string[] {
  return [`# HELP ${PREFIX}_${name} ${help}`, `# TYPE ${PREFIX}_${name} ${type}`];
}

function linesOf(
  { name, type, help, label, values }: FeedFamily,
  feeds: readonly Feed[],
): string[] {
  const lines = head(name, type, help);
  for (const feed of feeds) {
    const labels = labelsOf(feed);
    const counted = values(feed.counts);
    if (typeof counted === 'number') lines.push(`${PREFIX}_${name}{${labels}} ${counted}`);
    else {
      for (const [which, value] of counted) {
        lines.push(`${PREFIX}_${name}{${labels},${label}="${which}"} ${value}`);
      }
    }
  }
  return lines;
}

function labelsOf({ subscription }: Feed): string {
  const { subject, clusterTag, queueGroup, stream } = subscription;
  const labels = [
    ['subject', subject],
    ['cluster', clusterTag],
    ['queue_group', queueGroup],
    ['stream', stream],
    ['durable', stream === '' ? '' : durableOf(subscription)],
  ];
  return labels
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}="${escaped(value!)}"`)
    .join(',');
}

function escaped(text: string): string {
  return text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n');
}
