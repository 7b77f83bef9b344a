import { AckPolicy } from 'nats';
import t from 'tap';
import { eventually, metricSum } from '../helpers/metrics.js';
import { PATIENT, startNatsServer } from '../helpers/nats-server.js';
import { natsClient, natsConfig, samplesOf, untilActive } from '../helpers/nats-store.js';
import { startServer } from '../helpers/server.js';

const TIME = 1_790_000_040;
const HOSTS_A_BODY = 200;
const BODIES_MAX = 300;
const CAP_GB = 0.003;

t.test('what memory has no room for stays in the stream until there is some', async (t) => {
  const server = await startNatsServer({ jetStream: true });
  t.teardown(() => server.remove());
  const client = await natsClient(t, server);
  const manager = await client.jetstreamManager(PATIENT);
  await manager.streams.add({ name: 'S', subjects: ['js'] });
  await manager.consumers.add('S', {
    durable_name: 'store',
    ack_policy: AckPolicy.Explicit,
    filter_subject: 'js',
  });
  const subscriptions = [
    { 'subscribe-to': 'js', 'cluster-tag': 'c', stream: 'S', durable: 'store' },
  ];
  const config = natsConfig({ address: server.url }, subscriptions, { shards: 1 });
  const store = await startServer({
    ...config,
    'metric-store': { ...(config['metric-store'] as object), 'memory-cap': CAP_GB },
  });
  t.teardown(() => store.stop());
  await untilActive(t, store);

  // Samples of one second: none is older than another, so that nothing can go for them.
  const isFull = async (body: number): Promise<boolean> => {
    const lines = Array.from(
      { length: HOSTS_A_BODY },
      (_, host) => `load,cluster=c,hostname=b${body}h${host} value=1 ${TIME}\n`,
    );
    return (await store.write(lines.join(''))).status === 400;
  };
  let body = 0;
  while (body < BODIES_MAX && !(await isFull(body))) body++;
  t.ok(body < BODIES_MAX, 'memory is full');

  await client.jetstream(PATIENT).publish('js', `load,hostname=new value=7 ${TIME}`);
  const seen = async () => (await store.get('/api/v2/status')).json.nats.subscriptions[0];
  t.ok(await eventually(async () => (await seen()).retried > 1, 30_000), 'it is given back');
  const { num_ack_pending, ack_floor } = await manager.consumers.info('S', 'store');
  t.equal(num_ack_pending, 1, 'and stays in the stream');
  t.equal(ack_floor.stream_seq, 0);
  t.equal((await seen()).rejected, 0);
  t.ok((await metricSum(store, 'metricshard_lines_rejected_total')) > 0);

  const larger = { 'metric-store': { 'memory-cap': 4 * CAP_GB } };
  const patched = await store.request('/api/v2/admin/config', {
    method: 'PATCH',
    body: JSON.stringify(larger),
  });
  t.equal(patched.status, 200, patched.text);
  const name = { cluster: 'c', host: 'new', metric: 'load' };
  const isThere = async (): Promise<boolean> => (await samplesOf(store, name, TIME, 1))[0] === 7;
  t.ok(await eventually(isThere, 30_000), 'with more room it is stored');
  const isDone = async (): Promise<boolean> =>
    (await manager.consumers.info('S', 'store')).ack_floor.stream_seq === 1;
  t.ok(await eventually(isDone, 30_000), 'and acknowledged');
});
