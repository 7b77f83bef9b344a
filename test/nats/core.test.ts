import { headers } from 'nats';
import t from 'tap';
import { eventually, readMetrics } from '../helpers/metrics.js';
import { startNatsServer } from '../helpers/nats-server.js';
import {
  natsClient,
  natsConfig,
  natsStatus,
  samplesOf,
  startNatsStore,
  untilActive,
  untilSubscription,
} from '../helpers/nats-store.js';
import { startServer } from '../helpers/server.js';

const FROM = 1_790_000_040;

t.test('lines of several subjects go to the clusters of their subscriptions', async (t) => {
  const server = await startNatsServer();
  t.teardown(() => server.remove());
  const subscriptions = [
    { 'subscribe-to': 'hpc.*.metrics', 'cluster-tag': 'star' },
    { 'subscribe-to': 'free.>', 'cluster-tag': 'rest' },
    { 'subscribe-to': 'hpc-nats' },
  ];
  const store = await startNatsStore(t, { address: server.url }, subscriptions, { shards: 2 });
  await untilActive(t, store);
  const client = await natsClient(t, server);

  // Two subscriptions by turns, at speed, with lines that name no cluster: small messages, which are
  // put together, and large ones, which are not.
  const ROUNDS = 300;
  const padding = '\n'.repeat(20_000);
  for (let round = 0; round < ROUNDS; round++) {
    const time = FROM + round * 60;
    const end = round % 10 === 0 ? padding : '';
    client.publish('hpc.alex.metrics', `load,hostname=h${round % 7} value=${round} ${time}${end}`);
    client.publish('free.a.b.c', `load,hostname=h${round % 7} value=${-round} ${time}\n${end}`);
  }
  client.publish('hpc.alex.other', `load,hostname=h0 value=7 ${FROM}`);
  const named = `load,cluster=named,hostname=h0 value=8 ${FROM}\nload,hostname=h0 value=9 ${FROM}`;
  client.publish('hpc-nats', named);
  await client.flush();
  await untilSubscription(t, store, 'first', ({ written }) => written === ROUNDS, 0);
  await untilSubscription(t, store, 'second', ({ written }) => written === ROUNDS, 1);
  await untilSubscription(
    t,
    store,
    'no tag',
    ({ written, rejected }) => written + rejected === 2,
    2,
  );

  for (const [cluster, sign] of [
    ['star', 1],
    ['rest', -1],
  ] as const) {
    for (let host = 0; host < 7; host++) {
      const found = await samplesOf(
        store,
        { cluster, host: `h${host}`, metric: 'load' },
        FROM,
        ROUNDS,
      );
      const wanted = Array.from({ length: ROUNDS }, (_, round) =>
        round % 7 === host ? sign * round : null,
      );
      t.same(found, wanted, `h${host} of ${cluster}`);
    }
  }
  const { json } = await store.get('/api/v2/clusters');
  t.same(
    json.clusters.map(({ name }: { name: string }) => name).sort(),
    ['named', 'rest', 'star'],
    'there is no other cluster',
  );
  const status = await natsStatus(store);
  t.same([status.state, status.reconnects, status.lastError], ['connected', 0, '']);
  t.equal(status.server, `127.0.0.1:${server.port}`);
  const metrics = await readMetrics(store);
  t.equal(metrics.get('metricshard_nats_connected'), 1);
  const labels = 'subject="hpc.*.metrics",cluster="star"';
  t.equal(metrics.get(`metricshard_nats_lines_total{${labels},result="written"}`), ROUNDS);
  t.equal(metrics.get(`metricshard_nats_messages_total{${labels}}`), ROUNDS);
});

t.test('what is not a metric is ignored, what is malformed costs its line only', async (t) => {
  const server = await startNatsServer({ config: 'max_payload: 8MB' });
  t.teardown(() => server.remove());
  const limits = { 'nats-message-bytes-max': 100_000 };
  const subscriptions = [{ 'subscribe-to': 'cc.>', 'cluster-tag': 'c' }];
  const store = await startNatsStore(t, { address: server.url }, subscriptions, { limits });
  await untilActive(t, store);
  const client = await natsClient(t, server);
  const good = (host: string): string => `load,hostname=${host} value=1 ${FROM}\n`;
  const job = (what: string): string =>
    `job,cluster=c,hostname=m,type=node,function=${what} event="{\\"jobId\\":1,\\"a b\\":[1]}" 1790000000000000000\n`;

  client.publish('cc.job', job('start_job') + good('a') + job('stop_job'));
  client.publish('cc.log', `slurm,hostname=a log="text, with = and \\" in it" ${FROM}\n`);
  await untilSubscription(
    t,
    store,
    'events',
    ({ written, ignored }) => written === 1 && ignored === 3,
  );
  t.notMatch(store.output(), /rejected|refused/, 'quietly');

  client.publish('cc.garbage', Buffer.from([0, 255, 10, 13, 0, 44, 61, 34]));
  client.publish('cc.garbage', '');
  client.publish('cc.garbage', `nonsense\n${good('b')}load,hostname=b value=x ${FROM}\n`);
  client.publish('cc.garbage', '{"json": true}', { headers: headers(), reply: 'nobody' });
  client.publish('cc.large', good('c') + '#'.repeat(100_000));
  const huge = Array.from({ length: 150 }, (_, i) => good(`large${i}`)).join('');
  client.publish('cc.large', huge.padEnd(100_000, '\n'));
  client.publish('cc.end', good('d'));
  const end = await untilSubscription(t, store, 'all', ({ written }) => written === 153);
  t.same(end.refused, { 'nats-message-bytes-max': 1 });
  t.same(end.dropped, {});
  t.ok(end.rejected >= 4, `${end.rejected} rejected`);
  t.equal(end.messages, 9);
  t.equal(end.pendingMessages, 0);
  t.same(
    await samplesOf(store, { cluster: 'c', host: 'c', metric: 'load' }, FROM, 1),
    [],
    'refused',
  );
  t.same(await samplesOf(store, { cluster: 'c', host: 'b', metric: 'load' }, FROM, 1), [1]);
  const lines = store.output().split('\n');
  const rejected = lines.filter((line) => line.includes('lines of a NATS message were rejected'));
  t.equal(rejected.length, 1, 'one line in the log for all of it');
  t.match(rejected[0], /"subscription":"cc\.>"/);
  t.equal(lines.filter((line) => line.includes('nats-message-bytes-max')).length, 1);
});

t.test('stores of a queue group share the messages', async (t) => {
  const server = await startNatsServer();
  t.teardown(() => server.remove());
  const subscriptions = [{ 'subscribe-to': 'm', 'cluster-tag': 'c', 'queue-group': 'stores' }];
  const nats = { address: server.url };
  const stores = await Promise.all([
    startNatsStore(t, nats, subscriptions),
    startNatsStore(t, nats, subscriptions),
  ]);
  for (const store of stores) await untilActive(t, store);
  const client = await natsClient(t, server);
  const MESSAGES = 400;
  for (let i = 0; i < MESSAGES; i++)
    client.publish('m', `load,hostname=h value=${i} ${FROM + i * 60}`);
  await client.flush();
  const written = async (): Promise<number[]> =>
    Promise.all(stores.map(async (store) => (await natsStatus(store)).subscriptions[0]!.written));
  await eventually(async () => (await written()).reduce((sum, one) => sum + one, 0) >= MESSAGES);
  const [one = 0, other = 0] = await written();
  t.equal(one + other, MESSAGES, 'each message went to one store');
  t.ok(one > 0 && other > 0, `${one} and ${other}`);
});

t.test('a stop takes what the server has for us', async (t) => {
  const server = await startNatsServer();
  t.teardown(() => server.remove());
  const subscriptions = [{ 'subscribe-to': 'm', 'cluster-tag': 'c' }];
  const config = natsConfig({ address: server.url }, subscriptions, { shards: 1 });
  const checkpoints = { directory: `${server.folder}/data` };
  const kept = { ...config, 'metric-store': { 'nats-subscriptions': subscriptions, checkpoints } };
  const store = await startServer(kept);
  t.teardown(() => store.kill());
  await untilActive(t, store);
  const client = await natsClient(t, server);
  const MESSAGES = 3000;
  for (let i = 0; i < MESSAGES; i++) {
    client.publish('m', `load,hostname=h value=${i} ${FROM + i * 60}`);
  }
  await client.flush();
  t.equal(await store.stop(), 0, 'stops in order');
  const again = await startServer(kept);
  t.teardown(() => again.stop());
  const found = await samplesOf(again, { cluster: 'c', host: 'h', metric: 'load' }, FROM, MESSAGES);
  t.same(
    found,
    Array.from({ length: MESSAGES }, (_, one) => one),
    'all that was sent before',
  );
});
