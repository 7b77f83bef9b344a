import { AckPolicy, type JetStreamManager, type NatsConnection } from 'nats';
import t, { type Test } from 'tap';
import { eventually } from '../helpers/metrics.js';
import { startNatsServer, type NatsServer, PATIENT } from '../helpers/nats-server.js';
import {
  natsClient,
  natsConfig,
  natsStatus,
  samplesOf,
  startNatsStore,
  untilActive,
  untilSubscription,
} from '../helpers/nats-store.js';
import { Random } from '../helpers/random.js';
import { startServer, type TestServer } from '../helpers/server.js';

const FROM = 1_790_000_040;
const SUBJECT = 'cc.c.metrics';
const SUBSCRIPTION = { 'subscribe-to': 'cc.*.metrics', 'cluster-tag': 'c', stream: 'METRICS' };
const LOAD = { cluster: 'c', host: 'h', metric: 'load' };

async function withStream(
  t: Test,
  config = '',
): Promise<{ server: NatsServer; client: NatsConnection; manager: JetStreamManager }> {
  const server = await startNatsServer({ jetStream: true, config });
  t.teardown(() => server.remove());
  const client = await natsClient(t, server, { reconnectTimeWait: 100, maxReconnectAttempts: -1 });
  const manager = await client.jetstreamManager(PATIENT);
  await manager.streams.add({ name: 'METRICS', subjects: ['cc.>'] });
  return { server, client, manager };
}

/** Publishes samples of minutes, some in each message; resolves when the stream has them. */
async function publishMinutes(
  client: NatsConnection,
  from: number,
  until: number,
  perMessage = 10,
): Promise<void> {
  const stream = client.jetstream(PATIENT);
  const published: Promise<unknown>[] = [];
  for (let minute = from; minute < until; minute += perMessage) {
    let body = '';
    for (let one = minute; one < Math.min(until, minute + perMessage); one++) {
      body += `load,hostname=h value=${one} ${FROM + one * 60}\n`;
    }
    published.push(stream.publish(SUBJECT, body));
  }
  await Promise.all(published);
}

async function hasAll(t: Test, store: TestServer, minutes: number): Promise<void> {
  const wanted = Array.from({ length: minutes }, (_, minute) => minute);
  t.same(await samplesOf(store, LOAD, FROM, minutes), wanted, `all of ${minutes} samples`);
}

t.test('what was sent while the store was away is read, and acknowledged', async (t) => {
  const { server, client, manager } = await withStream(t);
  await publishMinutes(client, 0, 1000);
  const store = await startNatsStore(t, { address: server.url }, [SUBSCRIPTION], { shards: 2 });
  await untilActive(t, store);
  await publishMinutes(client, 1000, 1200);
  const all = await untilSubscription(t, store, 'all', ({ written }) => written === 1200);
  await hasAll(t, store, 1200);
  t.same([all.redelivered, all.retried, all.rejected], [0, 0, 0]);
  const info = async () => manager.consumers.info('METRICS', 'metricshard-cc___metrics');
  t.ok(await eventually(async () => (await info()).num_ack_pending === 0), 'all acknowledged');
  const { num_pending, config } = await info();
  t.equal(num_pending, 0);
  t.match(config, { ack_policy: 'explicit', filter_subject: 'cc.*.metrics' });

  // Others on the stream, and what can not be read, are no reason to be sent it again.
  const stream = client.jetstream(PATIENT);
  await stream.publish('cc.c.other', `load,hostname=h value=-1 ${FROM}`);
  await stream.publish(SUBJECT, 'nonsense');
  await stream.publish(SUBJECT, `job,cluster=c,function=start_job event="{}" ${FROM}`);
  await untilSubscription(t, store, 'nonsense', ({ rejected }) => rejected === 1);
  t.ok(await eventually(async () => (await info()).num_ack_pending === 0), 'acknowledged as well');
  await hasAll(t, store, 1200);
});

t.test('a store that is killed, again and again, loses nothing', async (t) => {
  const { server, client, manager } = await withStream(t);
  // One that an operator made is taken as it is; this one sends soon what was not acknowledged.
  await manager.consumers.add('METRICS', {
    durable_name: 'store',
    ack_policy: AckPolicy.Explicit,
    filter_subject: SUBJECT,
    ack_wait: 1e9,
  });
  const subscription = { ...SUBSCRIPTION, 'subscribe-to': SUBJECT, durable: 'store' };
  const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 100_000);
  t.comment(`TEST_SEED=${seed}`);
  const random = new Random(seed);
  const folder = `${server.folder}/data`;
  const config = natsConfig({ address: server.url }, [subscription], { shards: 2 });
  const withFolder = {
    ...config,
    'metric-store': { ...(config['metric-store'] as object), checkpoints: { directory: folder } },
  };
  const ROUNDS = 3;
  const EACH = 4000;
  let store: TestServer | undefined;
  t.teardown(() => store?.kill());
  for (let round = 0; round < ROUNDS; round++) {
    store = await startServer(withFolder);
    const publishing = publishMinutes(client, round * EACH, (round + 1) * EACH, 4);
    await new Promise((resolve) => setTimeout(resolve, random.below(150)));
    await store.kill();
    await publishing;
  }
  store = await startServer(withFolder);
  const total = ROUNDS * EACH;
  const isThere = await eventually(async () => {
    const found = await samplesOf(store!, LOAD, FROM, total);
    return found.length === total && found.every((value, minute) => value === minute);
  }, 40_000);
  t.ok(isThere, 'every sample that the stream had taken is there');
  await hasAll(t, store, total);
});

t.test('a server that restarts in the middle loses nothing', async (t) => {
  const { server, client } = await withStream(t);
  const store = await startNatsStore(t, { address: server.url }, [SUBSCRIPTION]);
  await untilActive(t, store);
  await publishMinutes(client, 0, 5000, 2);
  await server.kill();
  t.ok(await eventually(async () => (await natsStatus(store)).state === 'disconnected'));
  t.equal((await store.write(`load,cluster=c,hostname=w value=1 ${FROM}`)).status, 200);
  await server.start();
  t.ok(
    await eventually(async () => {
      await client.flush().catch(() => undefined);
      return (await natsStatus(store)).reconnects >= 1;
    }, 20_000),
    'connected again',
  );
  await publishMinutes(client, 5000, 6000);
  await untilSubscription(t, store, 'all', ({ written }) => written >= 6000, 0, 40_000);
  await hasAll(t, store, 6000);
});

t.test('a stream or consumer that is not there is waited for', async (t) => {
  const { server, client, manager } = await withStream(t);
  const absent = { 'subscribe-to': 'late.>', 'cluster-tag': 'c', stream: 'LATE', durable: 'mine' };
  const store = await startNatsStore(t, { address: server.url }, [absent, SUBSCRIPTION]);
  await untilSubscription(
    t,
    store,
    'no stream',
    ({ state, problem }) => state === 'failing' && problem.includes('there is no stream "LATE"'),
  );
  await publishMinutes(client, 0, 10);
  await untilSubscription(t, store, 'the other one', ({ written }) => written === 10, 1);

  await manager.streams.add({ name: 'LATE', subjects: ['late.>'] });
  await manager.consumers.add('LATE', { durable_name: 'mine', ack_policy: AckPolicy.None });
  await untilSubscription(t, store, 'no acks', ({ problem }) => /ack_policy/.test(problem));
  await manager.consumers.delete('LATE', 'mine');
  await client.jetstream(PATIENT).publish('late.x', `load,hostname=late value=1 ${FROM}`);
  await untilSubscription(
    t,
    store,
    'made',
    ({ state, written }) => state === 'active' && written === 1,
  );

  await manager.consumers.delete('LATE', 'mine');
  await client.jetstream(PATIENT).publish('late.x', `load,hostname=late value=2 ${FROM + 60}`);
  await untilSubscription(t, store, 'made again', ({ written }) => written >= 3, 0, 30_000);
  const late = await samplesOf(store, { cluster: 'c', host: 'late', metric: 'load' }, FROM, 2);
  t.same(late, [1, 2], 'what was read twice is there once');
});

t.test('messages larger than a share of the memory come one by one', async (t) => {
  const { server, client } = await withStream(t, 'max_payload: 8MB');
  const limits = { 'nats-pending-bytes-max': 400_000, 'nats-message-bytes-max': 1_000_000 };
  const store = await startNatsStore(t, { address: server.url }, [SUBSCRIPTION], { limits });
  await untilActive(t, store);
  const stream = client.jetstream(PATIENT);
  const MESSAGES = 40;
  const sizes = [50, 150_000, 90_000, 600_000, 1_200_000];
  for (let i = 0; i < MESSAGES; i++) {
    const line = `load,hostname=h value=${i} ${FROM + i * 60}\n`;
    await stream.publish(SUBJECT, line.padEnd(sizes[i % sizes.length]!, '\n'));
  }
  const refused = MESSAGES / sizes.length;
  const found = await untilSubscription(
    t,
    store,
    'all',
    ({ written, refused }) =>
      written === MESSAGES - MESSAGES / sizes.length &&
      refused['nats-message-bytes-max'] !== undefined,
  );
  t.same(found.refused, { 'nats-message-bytes-max': refused });
  t.equal(found.retried, 0);
});
