import t from 'tap';
import { startWithLevers } from '../helpers/levers.js';
import { eventually } from '../helpers/metrics.js';
import { startNatsServer, PATIENT } from '../helpers/nats-server.js';
import {
  natsClient,
  natsConfig,
  natsStatus,
  samplesOf,
  untilActive,
  untilSubscription,
} from '../helpers/nats-store.js';

const FROM = 1_790_000_040;
const MESSAGES = 3000;

t.test('a shard dies while messages come: a stream loses nothing, core NATS counts', async (t) => {
  const server = await startNatsServer({ jetStream: true });
  t.teardown(() => server.remove());
  const client = await natsClient(t, server);
  await (await client.jetstreamManager(PATIENT)).streams.add({ name: 'S', subjects: ['js'] });
  const subscriptions = [
    { 'subscribe-to': 'js', 'cluster-tag': 'js', stream: 'S' },
    { 'subscribe-to': 'core', 'cluster-tag': 'core' },
  ];
  const config = natsConfig({ address: server.url }, subscriptions, {
    shards: 1,
    limits: { 'write-wait-ms-max': 50 },
  });
  const store = await startWithLevers(config);
  t.teardown(() => store.stop());
  await untilActive(t, store);

  const stream = client.jetstream(PATIENT);
  let sent = 0;
  const publish = async (until: number): Promise<void> => {
    for (; sent < until; sent++) {
      const line = `load,hostname=h value=${sent} ${FROM + sent * 60}\n`;
      client.publish('core', line);
      await stream.publish('js', line);
    }
  };
  await publish(MESSAGES / 3);
  const publishing = publish(MESSAGES);
  store.crash(1);
  // So that there are messages while it is down, however fast it comes back.
  const isDown = async (): Promise<boolean> => (await store.get('/ready')).status === 503;
  t.ok(await eventually(isDown), 'it is down');
  await publishing;
  t.ok(await eventually(async () => (await store.get('/ready')).status === 200, 20_000), 'back');

  const js = { cluster: 'js', host: 'h', metric: 'load' };
  const isAll = async (): Promise<boolean> =>
    (await samplesOf(store, js, FROM, MESSAGES)).filter((value) => value !== null).length ===
    MESSAGES;
  t.ok(await eventually(isAll, 30_000), 'all of the stream');
  const wanted = Array.from({ length: MESSAGES }, (_, one) => one);
  t.same(await samplesOf(store, js, FROM, MESSAGES), wanted);

  const core = await untilSubscription(t, store, 'core', (one) => one.pendingMessages === 0, 1);
  const lost = Object.values(core.dropped).reduce((sum, count) => sum + count, 0);
  t.equal(core.messages, MESSAGES);
  // A body of which a part was stored when the shard died counts as dropped.
  t.ok(core.written + lost >= MESSAGES, `${core.written} written, ${lost} dropped`);
  client.publish('core', `load,hostname=after value=1 ${FROM}`);
  const after = { cluster: 'core', host: 'after', metric: 'load' };
  t.ok(
    await eventually(async () => (await samplesOf(store, after, FROM, 1)).length === 1),
    'goes on',
  );
  t.equal((await natsStatus(store)).subscriptions[0]!.rejected, 0);
});
