import t from 'tap';
import { eventually, readMetrics } from '../helpers/metrics.js';
import { startNatsServer, PATIENT } from '../helpers/nats-server.js';
import {
  natsClient,
  natsStatus,
  startNatsStore,
  untilActive,
  untilSubscription,
} from '../helpers/nats-store.js';
import { startInProcess } from './store-in-process.js';

const FROM = 1_790_000_040;

t.test('a server that is absent at the start, and goes later', async (t) => {
  const server = await startNatsServer({ starts: false });
  t.teardown(() => server.remove());
  const subscriptions = [{ 'subscribe-to': 'm', 'cluster-tag': 'c' }];
  const store = await startNatsStore(t, { address: server.url }, subscriptions);
  t.ok(await eventually(async () => (await natsStatus(store)).failures >= 1));
  const absent = await natsStatus(store);
  t.equal(absent.state, 'disconnected');
  t.match(absent.lastError, /cannot connect: .*(refused|ECONNREFUSED)/i);
  t.equal((await readMetrics(store)).get('metricshard_nats_connected'), 0);
  t.equal((await store.write(`load,cluster=c,hostname=h value=1 ${FROM}`)).status, 200);

  for (let round = 1; round <= 2; round++) {
    await server.start();
    await untilActive(t, store);
    const client = await natsClient(t, server);
    client.publish('m', `load,hostname=h value=${round} ${FROM}`);
    await untilSubscription(t, store, `round ${round}`, ({ written }) => written === round);
    t.equal((await natsStatus(store)).reconnects, round - 1);
    await client.close();
    await (round === 1 ? server.kill() : server.stop());
    t.ok(await eventually(async () => (await natsStatus(store)).state === 'disconnected'));
    t.match((await natsStatus(store)).lastError, /^(connection lost|cannot connect)/);
    t.equal((await natsStatus(store)).subscriptions[0]!.state, 'waiting');
  }
  t.equal(await store.stop(), 0, 'stops without a server');
});

t.test('subscriptions change while messages come', async (t) => {
  const server = await startNatsServer({ jetStream: true });
  t.teardown(() => server.remove());
  const client = await natsClient(t, server);
  await (await client.jetstreamManager(PATIENT)).streams.add({ name: 'S', subjects: ['js'] });
  const kept = { 'subscribe-to': 'kept', 'cluster-tag': 'kept' };
  const stream = { 'subscribe-to': 'js', 'cluster-tag': 'js', stream: 'S' };
  const first = [kept, { 'subscribe-to': 'm', 'cluster-tag': 'one' }, stream];
  const { status, nats, subscribe, store, log } = await startInProcess(
    t,
    { address: server.url },
    first,
  );
  const isActive = (): boolean => status().subscriptions.every(({ state }) => state === 'active');
  t.ok(await eventually(isActive));
  const connections: unknown[] = [];
  const end = nats.onConnected((connection) => connections.push(connection));
  t.same(connections, [nats.connection()], 'who asks late is told of the connection there is');
  end();

  const MESSAGES = 2000;
  let sent = 0;
  const publish = async (until: number): Promise<void> => {
    for (; sent < until; sent++) {
      for (const subject of ['kept', 'm', 'js']) {
        client.publish(subject, `load,hostname=h value=${sent} ${FROM + sent * 60}`);
      }
      if (sent % 50 === 0) await client.flush();
    }
    await client.flush();
  };
  await publish(500);
  const publishing = publish(MESSAGES);
  subscribe([kept, { 'subscribe-to': 'm', 'cluster-tag': 'two' }, { 'subscribe-to': 'new' }]);
  await publishing;
  await eventually(() => status().subscriptions[0]!.written === MESSAGES);
  t.same(
    status().subscriptions.map(({ subject, written }) => [subject, written]),
    [
      ['kept', MESSAGES],
      ['m', status().subscriptions[1]!.written],
      ['new', 0],
    ],
    'what stays has lost nothing, and counts on',
  );
  subscribe([stream]);
  await eventually(
    () =>
      status().subscriptions[0]!.waitingInStream === 0 &&
      status().subscriptions[0]!.written > 0 &&
      status().subscriptions[0]!.pendingMessages === 0,
  );
  client.publish('kept', `load,hostname=gone value=1 ${FROM}`);
  client.publish('js', `load,hostname=last value=1 ${FROM}`);
  const countOf = async (cluster: string, host: string): Promise<number> => {
    const text = JSON.stringify({
      cluster,
      from: FROM,
      to: FROM + MESSAGES * 60,
      queries: [{ metric: 'load', host }],
    });
    const json = await new Promise<string>((resolve) =>
      store.query(text, (answer) => resolve(answer.ok ? Buffer.from(answer.json).toString() : '')),
    );
    const data: (number | null)[] = JSON.parse(json).results[0]?.[0]?.data ?? [];
    return data.filter((value) => value !== null).length;
  };
  t.ok(await eventually(async () => (await countOf('js', 'last')) === 1));
  t.ok(
    await eventually(async () => (await countOf('js', 'h')) === MESSAGES),
    'the stream has a memory',
  );
  const [one, two] = [await countOf('one', 'h'), await countOf('two', 'h')];
  t.equal(one + two, MESSAGES, `no message of a change is lost or taken twice: ${one} + ${two}`);
  t.ok(one >= 500 && two > 0);
  t.equal(await countOf('kept', 'gone'), 0, 'what is taken away is read no more');
  t.same(
    log.filter((text) => /dropped|refused|rejected/.test(text)),
    [],
  );
});
