import { metricFamily } from '../http/metric-family.js';
import { durableOf } from './consumer.js';
import type { FeedCounts } from './feed-counts.js';
import type { Feed } from './feed.js';
import type { LinkStatus } from './link.js';

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
    help: 'Messages received.',
    values: (counts) => counts.messages,
  },
  {
    name: 'received_bytes_total',
    type: 'counter',
    help: 'Bytes of messages received.',
    values: (counts) => counts.bytes,
  },
  {
    name: 'lines_total',
    type: 'counter',
    help: 'Lines received, by what became of them.',
    label: 'result',
    values: (counts) => Object.entries(counts.lines),
  },
  {
    name: 'dropped_messages_total',
    type: 'counter',
    help: 'Messages of core NATS lost for want of room, by reason.',
    label: 'reason',
    values: (counts) => counts.dropped,
  },
  {
    name: 'dropped_bytes_total',
    type: 'counter',
    help: 'Bytes of messages lost for want of room.',
    values: (counts) => counts.droppedBytes,
  },
  {
    name: 'refused_messages_total',
    type: 'counter',
    help: 'Messages that may not be stored, by reason.',
    label: 'reason',
    values: (counts) => counts.refused,
  },
  {
    name: 'retried_messages_total',
    type: 'counter',
    help: 'Messages given back to their stream.',
    values: (counts) => counts.retried,
  },
  {
    name: 'redelivered_messages_total',
    type: 'counter',
    help: 'Messages that came again from their stream.',
    values: (counts) => counts.redelivered,
  },
  {
    name: 'stream_waiting_messages',
    type: 'gauge',
    help: 'Messages still in the stream, as of the last one.',
    values: (counts) => counts.waitingInStream,
  },
  {
    name: 'pending_bytes',
    type: 'gauge',
    help: 'Bytes received that are not in the log yet.',
    values: (counts) => counts.pendingBytes,
  },
];

/** What `/metrics` tells of NATS; families of subscriptions have their subject as a label. */
export function metricsOf(link: LinkStatus, feeds: readonly Feed[]): string {
  const { state, reconnects, failures } = link;
  const isConnected = state === 'connected' ? 1 : 0;
  const failed = 'Attempts that failed since the last connection.';
  const families = [
    metricFamily('nats_connected', 'gauge', '1 while there is a connection.', isConnected),
    metricFamily(
      'nats_reconnects_total',
      'counter',
      'Connections after the first one.',
      reconnects,
    ),
    metricFamily('nats_connect_failures', 'gauge', failed, failures),
  ];
  if (feeds.length > 0) {
    const active = feeds.map((feed) => `{${labelsOf(feed)}} ${feed.state === 'active' ? 1 : 0}`);
    const help = '1 while messages are read.';
    families.push(metricFamily('nats_subscription_active', 'gauge', help, active));
    for (const { name, type, help: about, ...family } of FEED_FAMILIES) {
      families.push(metricFamily(`nats_${name}`, type, about, valuesOf(family, feeds)));
    }
  }
  return families.join('');
}

function valuesOf(
  { label, values }: Pick<FeedFamily, 'label' | 'values'>,
  feeds: readonly Feed[],
): string[] {
  return feeds.flatMap((feed) => {
    const labels = labelsOf(feed);
    const counted = values(feed.counts);
    if (typeof counted === 'number') return `{${labels}} ${counted}`;
    return [...counted].map(([which, value]) => `{${labels},${label}="${which}"} ${value}`);
  });
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
