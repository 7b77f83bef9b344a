import { connect, headers, type KV, type NatsConnection } from 'nats';
import t, { type Test } from 'tap';
import { DEFAULTS } from '../../src/config/config.js';
import { NatsConfigSource } from '../../src/live/nats-source.js';
import { limitsApplier } from '../../src/live/standard-appliers.js';
import {
  hasNatsServer,
  PATIENT,
  startNatsServer,
  type NatsServer,
} from '../helpers/nats-server.js';
import { startLive, type Started } from './started.js';

const SUBJECT = 'config.store1';
const BUCKET = 'store1';

/** A configuration that follows NATS. */
interface Following {
  readonly source: NatsConfigSource;
  readonly connection: NatsConnection;
  jobsMax(): number;
}

async function follow(t: Test, server: NatsServer, started: Started): Promise<Following> {
  const connection = await connect({
    servers: server.url,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
  });
  t.teardown(() => connection.close());
  const { live, start } = started;
  const source = new NatsConfigSource(
    { onConnected: (listener) => listener(connection) },
    live.state.config.nats,
    {
      live,
      limits: start.state.config.limits,
      log: SILENT,
      retryMs: 200,
      show: () => ({ generation: live.generation }),
    },
  );
  live.addApplier(source.applier);
  t.teardown(() => source.stop());
  return { source, connection, jobsMax: () => live.state.config.limits.jobsMax };
}

const SILENT = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

const FILE = {
  metricshard: { limits: { 'jobs-max': 1, 'query-body-bytes-max': 2000 } },
  nats: { 'config-subject': SUBJECT, 'config-bucket': BUCKET },
};

function begin(t: Test): Promise<Started> {
  return startLive(t, FILE, [limitsApplier({ ...DEFAULTS.limits })]);
}

const limit = (jobsMax: number): string =>
  JSON.stringify({ metricshard: { limits: { 'jobs-max': jobsMax } } });
const enveloped = (jobsMax: number): string => `{"merge-patch": ${limit(jobsMax)}}`;

async function until(t: Test, title: string, isTrue: () => boolean): Promise<void> {
  for (let tries = 0; tries < 400 && !isTrue(); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  t.ok(isTrue(), title);
}

async function bucketOf(connection: NatsConnection): Promise<KV> {
  return connection.jetstream(PATIENT).views.kv(BUCKET);
}

/** Any 32 bytes are a key. */
const KEY = Buffer.alloc(32, 1).toString('base64');
const HASH = `$scrypt$ln=15,r=8,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;

t.test(
  'configuration over NATS',
  { skip: hasNatsServer() ? false : 'no nats-server' },
  async (t) => {
    const server = await startNatsServer({ jetStream: true });
    t.teardown(() => server.remove());
    await t.test('a subject', (t) => subject(t, server));
    await t.test('a bucket', (t) => bucket(t, server));
    await t.test('poison in a bucket', (t) => poison(t, server));
    await t.test('the server goes and comes', (t) => outage(t, server));
  },
);

async function subject(t: Test, server: NatsServer): Promise<void> {
  const started = await begin(t);
  const { connection, jobsMax, source } = await follow(t, server, started);
  const ask = async (body: string, fields: Record<string, string> = {}) => {
    const sent = headers();
    for (const [name, value] of Object.entries(fields)) sent.set(name, value);
    const options = { timeout: 10_000, headers: sent };
    const reply = await connection.request(SUBJECT, body, options);
    return JSON.parse(reply.string());
  };
  await connection.flush();
  t.match(await ask(''), { status: 'OK', generation: 1 }, 'nothing is a question');
  t.match(await ask(enveloped(2)), {
    status: 'OK',
    outcome: 'applied',
    generation: 2,
    changed: [{ setting: 'metricshard.limits.jobs-max', from: 1, to: 2 }],
  });
  t.equal(jobsMax(), 2);
  const type = { 'Content-Type': 'application/merge-patch+json' };
  t.match(await ask(limit(3), { ...type, 'Dry-Run': 'true' }), {
    outcome: 'applied',
    'dry-run': true,
  });
  t.equal(jobsMax(), 2);
  t.match(await ask(limit(3), type), { outcome: 'applied' });
  t.equal(jobsMax(), 3);
  t.equal(started.live.status().source, `NATS subject ${SUBJECT}`);

  // A whole one, which lacks what the file says of other settings: those need a restart.
  t.match(await ask(limit(4)), {
    status: 'error',
    outcome: 'restart',
    'needs-restart': [/metric-store\.checkpoints\.directory/],
  });
  const whole = { ...started.live.state.document, ...JSON.parse(limit(4)) };
  t.match(await ask(JSON.stringify(whole)), { outcome: 'applied' });
  t.equal(jobsMax(), 4);

  t.match(await ask('nonsense'), { status: 'error', error: /it is not JSON/ });
  t.match(await ask('{"merge-patch": {}, "main": {}}'), { error: /main must not be beside it/ });
  t.match(await ask('{"merge-patch": 5}'), { error: /merge-patch/ });
  t.match(await ask(JSON.stringify({ 'merge-patch': { main: { 'jwt-public-key': KEY } } })), {
    outcome: 'invalid',
    problems: [{ setting: 'main.jwt-public-key', message: /use the file, or HTTP/ }],
  });
  const roles = {
    main: { 'https-cert-file': '/c', 'https-key-file': '/k' },
    metricshard: { tls: { 'client-ca-file': '/a', 'client-roles': { me: ['ROLE_ADMIN'] } } },
  };
  const users = { anna: { password: HASH, roles: ['ROLE_ADMIN'] } };
  t.match(await ask(JSON.stringify({ 'merge-patch': { metricshard: { users } } })), {
    outcome: 'invalid',
    problems: [
      { setting: 'metricshard.users.anna.password', message: /use the file, or HTTP/ },
      { setting: 'metricshard.users.anna.roles', message: /use the file, or HTTP/ },
    ],
  });
  const asked = await ask(JSON.stringify({ 'merge-patch': roles }));
  t.equal(asked.outcome, 'invalid');
  const refused = asked.problems.map(({ setting }: { setting: string }) => setting);
  t.ok(refused.includes('metricshard.tls.client-roles.me'), refused.join());
  t.match(await ask(enveloped(0)), { outcome: 'invalid', problems: [{ message: /at least 1/ }] });
  t.match(await ask(JSON.stringify({ a: 'x'.repeat(2000) })), {
    error: /more than query-body-bytes-max \(2000\)/,
  });
  connection.publish(SUBJECT, enveloped(5));
  await until(t, 'nobody waits for an answer', () => jobsMax() === 5);
  t.equal(source.status().messages, 15);

  // It may move while it runs, and answers at its old place one last time.
  const moved = JSON.stringify({ nats: { 'config-subject': 'config.other' } });
  t.match(await ask(moved, type), { outcome: 'applied', done: [/subject and bucket/] });
  await connection.flush();
  await t.rejects(ask(enveloped(6)), { code: '503' }, 'nobody listens there any more');
  const reply = await connection.request('config.other', enveloped(6), { timeout: 10_000 });
  t.match(JSON.parse(reply.string()), { outcome: 'applied' });
}

async function bucket(t: Test, server: NatsServer): Promise<void> {
  const started = await begin(t);
  const { connection, source, jobsMax } = await follow(t, server, started);
  const problem = (): string => source.status().bucket?.problem ?? '';
  await until(t, 'there is no bucket', () => /can not be read/.test(problem()));
  const kv = await bucketOf(connection);
  await kv.put('config', enveloped(2));
  await until(t, 'it is made, and found', () => jobsMax() === 2);
  t.equal(problem(), '');
  for (const jobs of [3, 4, 5, 6]) await kv.put('config', enveloped(jobs));
  await until(t, 'the last of several', () => jobsMax() === 6);
  await kv.put('other', enveloped(9));
  const whole = { ...FILE, 'metric-store': started.live.state.document['metric-store'] };
  await kv.put('config', JSON.stringify({ ...whole, ...JSON.parse(limit(7)) }));
  await until(t, 'a whole one', () => jobsMax() === 7);
  t.equal(source.status().bucket?.revision, 7);

  // What is in the bucket was handled: what came later by another way holds over a restart.
  await started.live.change({
    wish: { kind: 'patch', document: JSON.parse(limit(8)) },
    source: 'test',
  });
  source.stop();
  const second = await started.restart();
  const later = await follow(t, server, second);
  const entry = await kv.get('config');
  t.equal(later.source.status().bucket?.revision, entry?.revision, 'it knows what it has seen');
  await kv.put('other', 'x');
  await new Promise((resolve) => setTimeout(resolve, 500));
  t.equal(later.jobsMax(), 8);
  await kv.delete('config');
  await until(t, 'deleted: the file holds', () => later.jobsMax() === 1);
  await kv.destroy();
}

async function poison(t: Test, server: NatsServer): Promise<void> {
  const started = await begin(t);
  const other = await connect({ servers: server.url });
  t.teardown(() => other.close());
  const kv = await bucketOf(other);
  const { source, jobsMax } = await follow(t, server, started);
  const { live, logged } = started;
  await kv.put('config', enveloped(2));
  await until(t, 'what is right', () => jobsMax() === 2);
  const before = live.state;
  const deep = `${'{"merge-patch":'.repeat(100)}1${'}'.repeat(100)}`;
  const poisons: readonly [title: string, value: string | Uint8Array, problem: RegExp][] = [
    ['empty', '', /it is empty/],
    ['garbage', new Uint8Array([0, 255, 254, 7, 200]), /is not JSON/],
    ['a list', '[1]', /must be an object/],
    ['huge', JSON.stringify({ a: 'x'.repeat(500_000) }), /query-body-bytes-max/],
    ['deep', deep, /nested deeper than 32/],
    ['a prototype', '{"merge-patch": {"__proto__": {"limits": 1}}}', /__proto__/],
    ['a constructor', '{"merge-patch": {"constructor": {}}}', /constructor: is not a known/],
    ['wrong types', '{"merge-patch": {"metrics": [], "nats": 5}}', /metrics: must be an object/],
    ['a value', enveloped(0), /at least 1/],
    [
      'tokens',
      '{"merge-patch": {"metricshard": {"auth": {"jwt-legacy": true}}}}',
      /jwt-legacy: can not/,
    ],
    ['a restart', '{"merge-patch": {"metricshard": {"shards": 9}}}', /a restart is needed/],
  ];
  for (const [title, value, problem] of poisons) {
    logged.length = 0;
    const revision = await kv.put('config', value);
    await until(t, `${title} is seen`, () => source.status().bucket?.revision === revision);
    await until(t, `${title} is told`, () => problem.test(live.status().problem));
    t.match(source.status().bucket?.problem, new RegExp(`revision ${revision}`));
    t.equal(live.state, before, `${title} changes nothing`);
    t.equal(logged.filter((line) => problem.test(line)).length, 1, `${title} is logged once`);
  }
  t.equal(({} as Record<string, unknown>)['limits'], undefined);
  source.stop();
  const second = await started.restart();
  const later = await follow(t, server, second);
  await new Promise((resolve) => setTimeout(resolve, 500));
  t.equal(later.jobsMax(), 2);
  t.same(second.logged, [], 'what was refused is not told again after a restart');
  await kv.put('config', enveloped(3));
  await until(t, 'what is right again', () => later.jobsMax() === 3);
  await kv.destroy();
}

async function outage(t: Test, server: NatsServer): Promise<void> {
  const started = await begin(t);
  const { jobsMax } = await follow(t, server, started);
  const other = async (): Promise<{ kv: KV; connection: NatsConnection }> => {
    const connection = await connect({ servers: server.url });
    return { kv: await bucketOf(connection), connection };
  };
  const first = await other();
  await first.kv.put('config', enveloped(2));
  await until(t, 'before', () => jobsMax() === 2);
  await first.connection.close();
  await server.stop();
  t.equal(jobsMax(), 2);
  await server.start();
  const second = await other();
  await second.kv.put('config', enveloped(3));
  await until(t, 'after', () => jobsMax() === 3);
  const options = { timeout: 10_000 };
  const reply = await second.connection.request(SUBJECT, enveloped(4), options);
  t.match(JSON.parse(reply.string()), { outcome: 'applied' });
  t.equal(jobsMax(), 4);
  await second.connection.close();
}
