import t from 'tap';
import { ConfigError, parseConfig } from '../../src/config/parse-config.js';
import { parseNatsAddress } from '../../src/config/nats-address.js';

const PLACE = 'metric-store.nats-subscriptions.0';

/** What is said about one subscription, or several. */
function complaints(...subscriptions: object[]): string[] {
  try {
    parseConfig({
      nats: { address: 'nats://h' },
      'metric-store': { 'nats-subscriptions': subscriptions },
    });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, message }) => `${path}: ${message}`);
  }
}

t.test('subjects', async (t) => {
  for (const subject of [
    'a',
    'hpc-nats',
    'cc.alex.metrics',
    'cc.*.metrics',
    '*',
    '>',
    'a.>',
    '$SYS.x',
  ]) {
    t.same(complaints({ 'subscribe-to': subject }), [], subject);
  }
  for (const subject of ['', '.', 'a..b', 'a.', 'a b', 'a.>.b', 'a*', 'a.b>', 'a\n']) {
    const [only, ...more] = complaints({ 'subscribe-to': subject });
    t.match(only, /subscribe-to: ".*" is not a subject such as/s, JSON.stringify(subject));
    t.same(more, []);
  }
});

t.test('what belongs together', async (t) => {
  const check = (subscriptions: object[], wanted: RegExp): void => {
    t.match(complaints(...subscriptions).join('\n'), wanted);
  };
  check([{ 'subscribe-to': 'a', durable: 'd' }], /0\.durable: is a consumer of a stream/);
  check(
    [{ 'subscribe-to': 'a', stream: 's', 'queue-group': 'q' }],
    /0\.queue-group: has no effect/,
  );
  check([{ 'subscribe-to': 'a' }, { 'subscribe-to': 'a' }], /1: is the same as number 0/);
  check([{ 'subscribe-to': 'a', stream: 'a.b' }], /0\.stream: "a\.b" has a blank or one of/);
  check([{ 'subscribe-to': 'a', stream: 's', durable: 'a/b' }], /0\.durable: "a\/b" has a blank/);
  check([{ 'subscribe-to': 'a', 'cluster-tag': 'c'.repeat(129) }], /longer than 128 bytes/);
  check([{ 'cluster-tag': 'c' }], new RegExp(`${PLACE}.subscribe-to: is missing`));
  t.same(complaints({ 'subscribe-to': 'a' }, { 'subscribe-to': 'a', 'cluster-tag': 'c' }), []);
});

t.test('addresses', async (t) => {
  const check = (
    text: string,
    server: string,
    isTls = false,
    username = '',
    password = '',
  ): void => {
    for (let twice = 0; twice < 2; twice++) {
      t.strictSame(parseNatsAddress(text), { server, isTls, username, password }, text);
    }
  };
  check('nats://localhost:4222', 'localhost:4222');
  check('nats://localhost', 'localhost:4222');
  check('host.example:1', 'host.example:1');
  check('10.0.0.1', '10.0.0.1:4222');
  check('[::1]:5', '[::1]:5');
  check('tls://h:6', 'h:6', true);
  check('nats://me:s%40me@h', 'h:4222', false, 'me', 's@me');
  for (const wrong of ['http://h', 'nats://', ' ', 'nats://h:70000', 'ws://h']) {
    t.throws(() => parseNatsAddress(wrong), RangeError, wrong);
  }
  t.throws(
    () => parseNatsAddress('http://me:secret@h'),
    /^((?!secret).)*$/,
    'no password is shown',
  );
  const { config } = parseConfig({ nats: { address: 'nats://a:1, b' } });
  t.strictSame(config.nats.servers, ['nats://a:1', 'b']);
});

t.test('halves of a configuration are told', async (t) => {
  const subscriptions = [{ 'subscribe-to': 'a' }];
  const warned = (file: object): readonly string[] => parseConfig(file).warnings;
  t.match(warned({ 'metric-store': { 'nats-subscriptions': subscriptions } }), [
    /^metric-store\.nats-subscriptions is not used: nats\.address names no server/,
  ]);
  t.match(warned({ nats: { address: 'h' } }), [/names no subject$/]);
  t.same(warned({ nats: { address: 'h', 'config-subject': 's' } }), []);
  t.same(
    warned({ nats: { address: 'h' }, 'metric-store': { 'nats-subscriptions': subscriptions } }),
    [],
  );
});
