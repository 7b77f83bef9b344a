import { connect, type NatsConnection } from 'nats';
import type { Test } from 'tap';
import { eventually } from './metrics.js';
import type { NatsServer } from './nats-server.js';
import { startServer, type TestServer } from './server.js';

/** What `/api/v2/status` tells of a subscription. */
export interface SubscriptionStatus {
  readonly subject: string;
  readonly state: string;
  readonly problem: string;
  readonly messages: number;
  readonly bytes: number;
  readonly written: number;
  readonly ignored: number;
  readonly rejected: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly droppedBytes: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly redelivered: number;
  readonly retried: number;
  readonly waitingInStream: number;
  readonly pendingMessages: number;
  readonly pendingBytes: number;
}

export interface NatsStatus {
  readonly state: string;
  readonly server: string;
  readonly reconnects: number;
  readonly failures: number;
  readonly lastError: string;
  readonly subscriptions: readonly SubscriptionStatus[];
}

export const NATS_METRICS = { '*': { frequency: 60, aggregation: 'avg' } };

/** A configuration of a store that reads subjects and takes samples of any age. */
export function natsConfig(
  nats: object,
  subscriptions: readonly object[],
  own: object = {},
): Record<string, unknown> {
  return {
    metrics: NATS_METRICS,
    nats,
    'metric-store': { 'nats-subscriptions': subscriptions },
    metricshard: { 'retention-enforced': false, future: '876000h', ...own },
  };
}

/** Starts a store, which is stopped with the test. */
export async function startNatsStore(
  t: Test,
  nats: object,
  subscriptions: readonly object[],
  own: object = {},
): Promise<TestServer> {
  const store = await startServer(natsConfig(nats, subscriptions, own));
  t.teardown(() => store.stop());
  return store;
}

export async function natsStatus(store: TestServer): Promise<NatsStatus> {
  return (await store.get('/api/v2/status')).json.nats;
}

/** Waits until all subscriptions are read. */
export async function untilActive(t: Test, store: TestServer): Promise<void> {
  const isActive = await eventually(async () => {
    const { state, subscriptions } = await natsStatus(store);
    return state === 'connected' && subscriptions.every((one) => one.state === 'active');
  }, 40_000);
  if (!isActive) t.fail(`not active: ${JSON.stringify(await natsStatus(store))}`);
}

/** Waits until something holds for the status of a subscription; fails with the status where it never does. */
export async function untilSubscription(
  t: Test,
  store: TestServer,
  what: string,
  holds: (subscription: SubscriptionStatus) => boolean,
  index = 0,
  waitMs = 40_000,
): Promise<SubscriptionStatus> {
  const look = async (): Promise<SubscriptionStatus> =>
    (await natsStatus(store)).subscriptions[index]!;
  await eventually(async () => holds(await look()), waitMs);
  const found = await look();
  t.ok(holds(found), `${what}: ${JSON.stringify(found)}`);
  return found;
}

/** A client of a server without trust, closed with the test. */
export async function natsClient(
  t: Test,
  server: Pick<NatsServer, 'url'>,
  options: object = {},
): Promise<NatsConnection> {
  const connection = await connect({ servers: server.url, ...options });
  t.teardown(() => connection.close());
  return connection;
}

/** The samples of a host's metric from a time on; `null` where there is none. */
export async function samplesOf(
  store: TestServer,
  { cluster, host, metric }: { cluster: string; host: string; metric: string },
  from: number,
  count: number,
): Promise<readonly (number | null)[]> {
  const range = { cluster, from, to: from + count * 60 };
  const { json, text } = await store.query({ ...range, queries: [{ metric, host }] });
  if (!json?.results) throw new Error(text);
  return json.results[0]?.[0]?.data ?? [];
}
