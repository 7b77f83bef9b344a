import t from 'tap';
import { ConfigError } from '../../src/config/config-error.js';
import { checkDocument, parseDocument } from '../../src/config/document.js';
import { maskedDocument, unmaskedDocument } from '../../src/config/secrets.js';
import { findProblems } from '../../src/config/validate.js';
import { changesBetween, leavesOf, settingsOf, type Overlay } from '../../src/config/settings.js';

t.test('values and where they are from', async (t) => {
  const document = {
    metrics: { clock: { frequency: 10 }, ipc: { frequency: 60, unit: 'IPC' } },
    metricshard: { limits: { 'queries-max': 5 }, auth: { roles: { ROLE_X: ['query'] } } },
    nats: { address: 'nats://u:secret@a:4222' },
  };
  const overlay: Overlay = {
    patch: {
      metrics: { clock: { frequency: 10, aggregation: null }, gone: null },
      metricshard: { future: null },
    },
    origins: { 'metrics.clock.frequency': 'PATCH by alice', 'metricshard.future': 'NATS' },
  };
  const settings = settingsOf(document, 'c.json', overlay);
  const check = (path: string, value: unknown, origin: string): void => {
    const found = settings.find((setting) => setting.path === path);
    t.same(found, { path, value, origin }, path);
  };
  check('metrics.clock.frequency', 10, 'PATCH by alice');
  check('metrics.clock.aggregation', null, 'default, as override says');
  check('metrics.ipc.unit', 'IPC', 'c.json');
  check('metrics.ipc.aggregation', null, 'default');
  check('metricshard.future', '1h', 'default, as NATS says');
  check('metricshard.limits.queries-max', 5, 'c.json');
  check('metricshard.limits.jobs-max', 10_000, 'default');
  check('metricshard.auth.roles.ROLE_X', ['query'], 'c.json');
  check('main.addr', '127.0.0.1:8082', 'default');
  t.equal(new Set(settings.map(({ path }) => path)).size, settings.length, 'each is there once');
});

t.test('what differs', async (t) => {
  const check = (before: object, after: object, expected: readonly string[]): void => {
    const changes = changesBetween(before as never, after as never);
    const texts = changes.map(
      (change) =>
        `${change.path}: ${JSON.stringify(change.before)} > ${JSON.stringify(change.after)}`,
    );
    t.same(texts, expected);
  };
  check({}, {}, []);
  check({}, { main: { addr: '127.0.0.1:8082' } }, []);
  check({ metricshard: { limits: { 'jobs-max': 7 } } }, {}, [
    'metricshard.limits.jobs-max: 7 > 10000',
  ]);
  check(
    { metrics: { a: { frequency: 60 } } },
    { metrics: { a: { frequency: 30 }, b: { frequency: 60, aggregation: 'sum' } } },
    [
      'metrics.a.frequency: 60 > 30',
      'metrics.b.frequency: undefined > 60',
      'metrics.b.aggregation: undefined > "sum"',
      'metrics.b.unit: undefined > ""',
    ],
  );
  check({ 'metric-store': { 'nats-subscriptions': [{ 'subscribe-to': 'a' }] } }, {}, [
    'metric-store.nats-subscriptions: [{"subscribe-to":"a"}] > []',
  ]);
});

t.test('leaves of a patch', async (t) => {
  t.same(leavesOf({ a: { b: null, c: { d: [1] } }, e: {}, f: 1 }), ['a.b', 'a.c.d', 'e', 'f']);
  t.same(leavesOf({}), []);
});

t.test('secrets are not shown, and come back', async (t) => {
  const document = {
    main: { 'backend-url': 'https://cc.example.org' },
    nats: { address: 'nats://u:p@a:4222, nats://b:4222', password: 'geheim', token: '' },
    metricshard: {
      backend: { token: 'tok' },
      'log-level': 'info',
      users: { 'a.b': { password: 'hash a', roles: ['R'] }, c: { password: 'hash c', roles: [] } },
    },
  };
  const shown = maskedDocument(document);
  t.same(shown, {
    main: { 'backend-url': 'https://cc.example.org' },
    nats: { address: 'nats://***@a:4222, nats://b:4222', password: '***', token: '' },
    metricshard: {
      backend: { token: '***' },
      'log-level': 'info',
      users: { 'a.b': { password: '***', roles: ['R'] }, c: { password: '***', roles: [] } },
    },
  });
  t.equal(document.nats.password, 'geheim', 'the document is as it was');
  t.same(unmaskedDocument(shown, document), document);
  const other = { nats: { password: 'another' } };
  t.same(unmaskedDocument(other, document), other, 'a new one is taken');
  const odd = { nats: null, metricshard: { backend: 5, users: { a: 5 } }, main: 'x' };
  t.same(maskedDocument(odd), odd, 'any JSON');
});

t.test('what is wrong with a secret is told without it', async (t) => {
  const wrong = {
    main: { 'backend-url': 'ftp://u:geheim@cc' },
    nats: { password: 4711, token: ['geheim'] },
  };
  const texts = findProblems(wrong).map(({ path, message }) => `${path}: ${message}`);
  t.same(texts.toSorted(), [
    'main.backend-url: "ftp://***@cc" is not a URL such as https://s3.example.org',
    'nats.password: must be a string, not "***"',
    'nats.token: must be a string, not "***"',
  ]);
});

t.test('documents from outside', async (t) => {
  const refused = (text: string, message: RegExp): void => {
    t.throws(() => parseDocument(text, 'the body'), message, text.slice(0, 40));
    t.throws(() => parseDocument(text, 'the body'), ConfigError);
  };
  refused('', /the body is not JSON: it is empty/);
  refused('{"a":', /is not JSON/);
  for (const text of ['[]', 'null', '5', '"x"', 'true']) refused(text, /must be an object/);
  refused(`${'{"a":'.repeat(40)}1${'}'.repeat(40)}`, /nested deeper than 32 levels/);
  refused('['.repeat(200_000) + ']'.repeat(200_000), /nested deeper|not JSON/);
  refused('{"metrics": {"__proto__": {"frequency": 1}}}', /__proto__: is not a known setting/);
  t.same(parseDocument('\uFEFF{"a": {"b": [1]}}', 'it'), { a: { b: [1] } });
  t.same(checkDocument({}, 'it'), {});
});
