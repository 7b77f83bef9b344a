import t from 'tap';
import { eventually } from '../helpers/metrics.js';
import { flood } from '../helpers/nats-flood.js';
import { startNatsServer, PATIENT } from '../helpers/nats-server.js';
import {
  natsClient,
  natsStatus,
  samplesOf,
  startNatsStore,
  untilActive,
  untilSubscription,
} from '../helpers/nats-store.js';

const FROM = 1_790_000_040;
const MB = 1e6;
const LINES = 1000;

/** Messages of which no line is like another, so that each costs the store its slow path. */
function costlyBodies(count: number): Buffer[] {
  return Array.from({ length: count }, (_, body) =>
    Buffer.from(
      Array.from(
        { length: LINES },
        (_, line) =>
          `load,hostname=h${body}-${line},type=hwthread,type-id=1 value=${line} ${FROM}\n`,
      ).join(''),
    ),
  );
}

t.test('a flood of core NATS: memory is bounded, what is lost is counted', async (t) => {
  const server = await startNatsServer();
  t.teardown(() => server.remove());
  const pending = 4 * MB;
  const limits = { 'nats-pending-bytes-max': pending, 'series-max': 1000, 'prefixes-max': 1000 };
  const subscriptions = [{ 'subscribe-to': 'm', 'cluster-tag': 'c' }];
  const own = { shards: 1, limits };
  const store = await startNatsStore(t, { address: server.url }, subscriptions, own);
  await untilActive(t, store);
  const bodies = costlyBodies(200);
  await flood(server.port, 'm', bodies, { messages: 20 });
  await untilSubscription(
    t,
    store,
    'warm',
    ({ pendingMessages, messages }) => messages === 20 && pendingMessages === 0,
  );
  const before = store.rssBytes();
  const sent = flood(server.port, 'm', bodies, { milliseconds: 3000 });
  let most = 0;
  let slowestMs = 0;
  let mostPending = 0;
  let writes = 0;
  for (let isOver = false; !isOver; writes++) {
    const startedMs = performance.now();
    const { status } = await store.write(`load,cluster=c,hostname=web value=1 ${FROM}`);
    t.ok(status === 200 || status === 400 || status === 503, `HTTP is answered: ${status}`);
    slowestMs = Math.max(slowestMs, performance.now() - startedMs);
    const { subscriptions } = await natsStatus(store);
    mostPending = Math.max(mostPending, subscriptions[0]!.pendingBytes);
    most = Math.max(most, store.rssBytes());
    isOver = await Promise.race([
      sent.then(() => true),
      new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 50)),
    ]);
  }
  const { messages, bytes } = await sent;
  const found = await untilSubscription(t, store, 'settled', (one) => one.pendingMessages === 0);
  const dropped = found.dropped['nats-pending-bytes-max'] ?? 0;
  t.comment(
    `${(bytes / MB).toFixed(0)} MB sent, ${dropped} of ${messages} messages dropped, RSS + ` +
      `${((most - before) / MB).toFixed(0)} MB, ${writes} writes, slowest ${slowestMs.toFixed(0)} ms`,
  );
  t.ok(dropped > 0, 'more than it can take');
  t.ok(mostPending <= pending, `${mostPending} bytes waited at most`);
  t.ok(most - before < 150 * MB, `${(most - before) / MB} MB more than before`);
  const lost = Object.values(found.dropped).reduce((sum, count) => sum + count, 0);
  const lines = found.written + found.rejected + found.ignored;
  t.equal(lines, (found.messages - lost) * LINES, 'what was not dropped is accounted for');
  const warnings = store
    .output()
    .split('\n')
    .filter((line) => line.includes('messages are dropped'));
  t.ok(warnings.length >= 1 && warnings.length <= 3, `${warnings.length} lines in the log`);
  t.match(warnings[0], /nats-pending-bytes-max/);
});

t.test('a flood of JetStream: memory is bounded, nothing is lost', async (t) => {
  const server = await startNatsServer({ jetStream: true });
  t.teardown(() => server.remove());
  const client = await natsClient(t, server);
  await (await client.jetstreamManager(PATIENT)).streams.add({ name: 'S', subjects: ['m'] });
  const limits = { 'nats-pending-bytes-max': 4 * MB };
  const subscriptions = [{ 'subscribe-to': 'm', 'cluster-tag': 'c', stream: 'S' }];
  const own = { shards: 1, limits };
  const store = await startNatsStore(t, { address: server.url }, subscriptions, own);
  await untilActive(t, store);
  const bodies = costlyBodies(150);
  await flood(server.port, 'm', bodies.slice(0, 20), { messages: 20 });
  await untilSubscription(t, store, 'warm', ({ written }) => written === 20 * LINES);
  const before = store.rssBytes();
  await flood(server.port, 'm', bodies, { messages: 450 });
  let most = 0;
  await eventually(async () => {
    most = Math.max(most, store.rssBytes());
    return (await natsStatus(store)).subscriptions[0]!.written >= 470 * LINES;
  }, 30_000);
  const found = await untilSubscription(t, store, 'all', ({ written }) => written >= 470 * LINES);
  t.same([found.rejected, found.dropped], [0, {}]);
  // 150,000 series are part of it.
  t.ok(most - before < 250 * MB, `${(most - before) / MB} MB more than before`);
  for (const host of ['h0-0', 'h75-500', 'h149-999']) {
    const query = { metric: 'load', host, type: 'hwthread', 'type-ids': ['1'] };
    const range = { cluster: 'c', from: FROM, to: FROM + 60 };
    const { json } = await store.query({ ...range, queries: [query] });
    t.same(json.results[0][0].data, [Number(host.split('-')[1])], host);
  }
  t.same(await samplesOf(store, { cluster: 'c', host: 'none', metric: 'load' }, FROM, 1), []);
});
