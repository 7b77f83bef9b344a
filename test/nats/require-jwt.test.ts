import { headers, type MsgHdrs } from 'nats';
import t from 'tap';
import type { Identity, Permission } from '../../src/auth/identity.js';
import { StoreError } from '../../src/model/errors.js';
import { eventually } from '../helpers/metrics.js';
import { startNatsServer, PATIENT } from '../helpers/nats-server.js';
import { natsClient } from '../helpers/nats-store.js';
import { startInProcess } from './store-in-process.js';

const FROM = 1_790_000_040;
const ALEX = new Set(['alex']);

/** Tokens that are their holder's name. */
const PEOPLE: Readonly<Record<string, Identity>> = {
  any: identity('any', ['write', null]),
  alex: identity('alex', ['write', ALEX]),
  reader: identity('reader', ['query', null]),
};

function identity(name: string, ...grants: [Permission, ReadonlySet<string> | null][]): Identity {
  return { name, grants: new Map(grants) };
}

function verify(token: string): Identity | Promise<Identity> {
  if (token === 'later') throw new StoreError('queue-full', 'keys are not there yet');
  if (token === 'odd') throw new Error('signature');
  const found = PEOPLE[token];
  if (!found) throw new StoreError('unauthorized', 'it is not signed by a key that is known');
  return token === 'alex' ? Promise.resolve(found) : found;
}

function bearing(token: string, name = 'Authorization', scheme = 'Bearer'): MsgHdrs {
  const all = headers();
  all.set(name, `${scheme} ${token}`);
  return all;
}

t.test('only messages with a token that may write are taken', async (t) => {
  const server = await startNatsServer({ jetStream: true });
  t.teardown(() => server.remove());
  const client = await natsClient(t, server);
  const manager = await client.jetstreamManager(PATIENT);
  await manager.streams.add({ name: 'S', subjects: ['js'] });
  const subscriptions = [
    { 'subscribe-to': 'core', 'cluster-tag': 'c', 'require-jwt': true },
    { 'subscribe-to': 'js', 'cluster-tag': 'c', 'require-jwt': true, stream: 'S', durable: 'd' },
    { 'subscribe-to': 'open', 'cluster-tag': 'c' },
  ];
  const nats = { address: server.url };
  const { status, begun, log } = await startInProcess(t, nats, subscriptions, {
    verifier: { verify },
  });
  const subscription = (index: number) => status().subscriptions[index]!;
  await eventually(() => status().subscriptions.every(({ state }) => state === 'active'));

  const line = (host: string): string => `load,hostname=${host} value=1 ${FROM}\n`;
  for (const [index, subject] of ['core', 'js'].entries()) {
    const publish = (text: string, token?: MsgHdrs): void =>
      client.publish(subject, text, token && { headers: token });
    publish(line('none'));
    publish(line('forged'), bearing('x'));
    publish(line('basic'), bearing('any', 'Authorization', 'Basic'));
    publish(line('odd'), bearing('odd'));
    publish(line('reader'), bearing('reader'));
    publish(line('any'), bearing('any', 'authorization', 'bearer'));
    publish(line('alex').repeat(500), bearing('alex'));
    await client.flush();
    await eventually(
      () => subscription(index).messages >= 7 && subscription(index).pendingMessages === 0,
    );
    const { refused, written, dropped } = subscription(index);
    t.same(refused, { unauthorized: 4, forbidden: 1 }, subject);
    t.ok(written >= 1, 'those that may');
    t.same(dropped, {});
  }
  t.same(
    begun.map(({ clusters }) => clusters),
    [null, ALEX, null, ALEX],
    'each body has the clusters of its token, and is not put together with another',
  );
  t.ok(
    await eventually(async () => (await manager.consumers.info('S', 'd')).num_ack_pending === 0),
    'what is refused is not sent again',
  );
  t.equal(subscription(1).redelivered, 0);
  t.equal(log.filter((text) => text.includes('was refused')).length, 4, 'one line a reason');
  t.notMatch(log.join('\n'), /Bearer x|"any"/, 'without tokens');

  client.publish('open', line('open'));
  client.publish('core', line('later'), { headers: bearing('later') });
  client.publish('js', line('later'), { headers: bearing('later') });
  await eventually(() => subscription(1).retried >= 2);
  t.same(subscription(0).dropped, { 'queue-full': 1 }, 'keys that are not there: lost');
  t.ok(subscription(1).retried >= 2, 'in a stream: tried again');
  t.equal(subscription(2).written, 1, 'a subscription without it takes anything');
});

t.test('without keys nothing is taken', async (t) => {
  const server = await startNatsServer();
  t.teardown(() => server.remove());
  const client = await natsClient(t, server);
  const subscriptions = [{ 'subscribe-to': 'core', 'cluster-tag': 'c', 'require-jwt': true }];
  const anyone = { isRequired: false, verify: () => PEOPLE['any']! };
  for (const options of [{}, { verifier: anyone }]) {
    const { status, begun } = await startInProcess(
      t,
      { address: server.url },
      subscriptions,
      options,
    );
    await eventually(() => status().subscriptions[0]!.state === 'active');
    client.publish('core', `load,hostname=h value=1 ${FROM}`, { headers: bearing('any') });
    await client.flush();
    await eventually(
      () =>
        status().subscriptions[0]!.messages === 1 &&
        status().subscriptions[0]!.pendingMessages === 0,
    );
    t.same(status().subscriptions[0]!.refused, { unauthorized: 1 });
    t.equal(begun.length, 0);
  }
});
