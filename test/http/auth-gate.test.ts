import t, { type Test } from 'tap';
import { Callers } from '../../src/auth/callers.js';
import { TokenVerifier } from '../../src/auth/token-verifier.js';
import { AUTH_DEFAULTS } from '../../src/config/auth-config.js';
import { DEFAULTS } from '../../src/config/config.js';
import { AuthGate, type GateVerifier } from '../../src/http/auth-gate.js';
import type { ConfigAdmin } from '../../src/http/config-routes.js';
import { EventStreams } from '../../src/http/event-streams.js';
import { makeHandler } from '../../src/http/handler.js';
import type { ProgramPart } from '../../src/http/program-part.js';
import { newTraffic, type HttpHandler, type Traffic } from '../../src/http/server.js';
import { HealthPart } from '../../src/health/health-part.js';
import { LogTail } from '../../src/service/log-tail.js';
import { RequestTimes } from '../../src/http/request-times.js';
import { Telemetry } from '../../src/telemetry/telemetry.js';
import { ed25519, rawKey, sign, type KeyPair } from '../auth/tokens.js';
import { api, conforms, operations } from './description.js';
import { FakeStore } from './fake-store.js';
import { eachAdapter, eventually, type Answer, type Front, type StartFront } from './front.js';

const pair = ed25519();
const quiet = (): void => undefined;
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const PUBLIC = ['/ping', '/health', '/ready', '/metrics', '/api/openapi.json'];
const LINE = 'clock,cluster=alex,hostname=a value=1\n';

interface Guarded {
  readonly front: Front;
  readonly store: FakeStore;
  readonly verifier: TokenVerifier;
}

/** A front that asks for tokens; each new one takes `delayMs` to verify. */
async function startGuarded(
  t: Test,
  start: StartFront,
  delayMs = 0,
  heldBytesMax = DEFAULTS.limits.collectedBytesMax,
): Promise<Guarded> {
  const config = { ...AUTH_DEFAULTS, publicKey: rawKey(pair) };
  const verifier = new TokenVerifier(config, { limits: DEFAULTS.limits, log });
  t.teardown(() => verifier.stop());
  // Many wrong tokens come from one address here.
  const callers = new Callers(verifier, config, {
    limits: { ...DEFAULTS.limits, failedLoginsMax: 0 },
    log,
  });
  const slow: GateVerifier = {
    isRequired: true,
    refuse: (error) => verifier.refuse(error),
    verify: async (credentials, exchange) => {
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      return callers.verify(credentials, exchange);
    },
  };
  const store = new FakeStore();
  const gate = new AuthGate(delayMs > 0 ? slow : callers, { collectedBytesMax: heldBytesMax });
  const traffic = newTraffic();
  const { limits } = DEFAULTS;
  const events = new EventStreams(limits);
  const health = new HealthPart({ store, events, config: () => DEFAULTS, log });
  const handler: HttpHandler = makeHandler({
    store,
    limits,
    traffic,
    gate,
    parts: [health, ...partsWithRoutes(store, traffic)],
    config: NO_CHANGES,
  });
  return { front: await start({}, handler), store, verifier };
}

/** The parts of the program that answer paths. */
function partsWithRoutes(store: FakeStore, traffic: Traffic): ProgramPart[] {
  const telemetry = new Telemetry({
    store,
    traffic,
    requests: new RequestTimes(),
    parts: [],
    events: new EventStreams(DEFAULTS.limits),
    adapter: 'uws',
    tail: new LogTail(),
    log,
    current: () => DEFAULTS,
  });
  return [telemetry];
}

/** Never reached: all requests to it are refused. */
const NO_CHANGES: ConfigAdmin = {
  show: () => ({}),
  change: () => Promise.reject(new Error('a refused request came through')),
};

const bearer = (token: string): Record<string, string> => ({ Authorization: `Bearer ${token}` });

/** A refusal in the form that all have. */
function isRefused(t: Test, answer: Answer, status: 401 | 403, error: string, title: string): void {
  t.equal(answer.status, status, title);
  t.equal(answer.headers['content-type'], 'application/json', title);
  const challenge = 'Bearer realm="metricshard"';
  const basic = 'Basic realm="metricshard", charset="UTF-8"';
  const wanted = error === '' ? `${challenge}, ${basic}` : `${challenge}, error="${error}"`;
  t.equal(answer.headers['www-authenticate'], wanted, title);
  t.equal(answer.json.status, status === 401 ? 'Unauthorized' : 'Forbidden', title);
  t.type(answer.json.error, 'string', title);
}

eachAdapter('every path but the public ones asks for a token', async (t, start) => {
  const { front, store, verifier } = await startGuarded(t, start);
  const nothing = await sign(pair, { roles: ['ROLE_USER'] });
  const expired = await sign(pair, { roles: ['ROLE_API'], exp: 1 });
  let refusals = 0;
  for (const { path, method } of operations()) {
    const title = `${method} ${path}`;
    const options = { method: method.toUpperCase() };
    for (const target of [path, `${path}/`]) {
      if (PUBLIC.includes(path)) {
        t.not((await front.send(target, options)).status, 401, title);
        continue;
      }
      const none = await front.send(target, options);
      isRefused(t, none, 401, '', title);
      if (target === path) conforms(t, path, method, none);
      const past = await front.send(target, { ...options, headers: bearer(expired) });
      isRefused(t, past, 401, 'invalid_token', title);
      const poor = await front.send(target, { ...options, headers: bearer(nothing) });
      isRefused(t, poor, 403, 'insufficient_scope', title);
      if (target === path) conforms(t, path, method, poor);
      refusals++;
    }
    const told = Object.keys(api.paths[path][method as never]['responses']);
    t.equal(told.includes('401'), !PUBLIC.includes(path), `${title}: described`);
  }
  t.ok(refusals >= 28, `${refusals} refusals of each kind`);
  t.equal(store.bodies.length, 0);
  const { refused } = verifier.status();
  t.same(refused, { missing: refusals, expired: refusals });
  t.equal((await front.send('/nothing')).status, 404, 'what is not there needs no token');
  t.equal((await front.send('/api/write')).status, 405);
});

eachAdapter('the ways to send a token', async (t, start) => {
  const { front, store } = await startGuarded(t, start);
  const token = await sign(pair, { roles: ['ROLE_API'] });
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
  const headers: readonly [Record<string, string>, isTaken: boolean][] = [
    [{ Authorization: `Bearer ${token}` }, true],
    [{ authorization: `bearer  ${token} ` }, true],
    [{ Authorization: `Token ${token}` }, true],
    [{ Authorization: `Token someone:${token}` }, true],
    [{ Authorization: basic(`someone:${token}`) }, true],
    [{ Authorization: basic(`:${token}`) }, true],
    [{ 'X-Auth-Token': token }, true],
    [{ Authorization: token }, false],
    [{ Authorization: `Digest ${token}` }, false],
    [{ Authorization: 'Bearer' }, false],
    [{ Authorization: 'Basic !!!' }, false],
    [{ Authorization: 'Bearer x', 'X-Auth-Token': token }, false],
    [{ 'X-Auth-Token': `${token}, ${token}` }, false],
  ];
  for (const [sent, isTaken] of headers) {
    const answer = await front.send('/api/write', { method: 'POST', headers: sent, body: LINE });
    t.equal(answer.status, isTaken ? 200 : 401, JSON.stringify(sent).slice(0, 60));
  }
  const post = { method: 'POST', body: LINE };
  t.equal((await front.send(`/write?u=x&p=${token}`, post)).status, 204, 'InfluxDB 1');
  t.equal((await front.send('/write?u=x&p=wrong', post)).status, 401);
  t.equal((await front.send(`/api/write?p=${token}`, post)).status, 401, 'nowhere else');
  t.equal(store.bodies.length, headers.filter(([, isTaken]) => isTaken).length + 1);
  const padded = { roles: ['ROLE_API'], pad: 'x'.repeat(5000) };
  const long = await sign(pair, padded);
  t.ok(long.length > 6000);
  const answer = await front.send('/api/write', { ...post, headers: bearer(long) });
  t.equal(answer.status, 200, 'a long one');
  const longer = `${long}${'A'.repeat(2000)}`;
  isRefused(
    t,
    await front.send('/api/write', { ...post, headers: bearer(longer) }),
    401,
    'invalid_token',
    'oversized',
  );
});

const LARGE = Buffer.alloc(12_000_000, LINE);
const DELAY_MS = 200;
const CHUNKED: Record<string, string> = { 'Transfer-Encoding': 'chunked' };
const BODIES: readonly [title: string, body: Buffer, headers: Record<string, string>][] = [
  ['a line', Buffer.from(LINE), {}],
  ['nothing', Buffer.from(''), {}],
  ['a line in chunks', Buffer.from(LINE), CHUNKED],
  ['much', LARGE, {}],
  ['much in chunks', LARGE, CHUNKED],
];

eachAdapter('a body that comes while its token is verified', async (t, start) => {
  const { front, store } = await startGuarded(t, start, DELAY_MS);
  const token = await sign(pair, { roles: ['ROLE_API'] });
  const wrong = await sign(ed25519() as KeyPair, {});
  for (const isSlow of [false, true]) {
    store.isSlow = isSlow;
    for (const [title, body, headers] of isSlow ? BODIES.slice(3) : BODIES) {
      const all = { ...headers, ...bearer(token) };
      const before = front.traffic.bodyBytesReceived;
      const answered = front.send('/api/write', { method: 'POST', headers: all, body });
      await new Promise((resolve) => setTimeout(resolve, DELAY_MS / 2));
      const held = front.traffic.bodyBytesReceived - before;
      // uWebSockets.js reads all that the operating system holds: there the budget alone is the bound.
      if (front.adapter === 'node') t.ok(held <= 1024 * 1024, `${title}: ${held} bytes are held`);
      t.equal((await answered).status, 200, title);
      const taken = store.bodies.at(-1)!;
      t.ok(Buffer.concat(taken.chunks).equals(body), `${title}: all of it, in order`);
      t.equal(taken.state, 'finished');
    }
  }
  const count = store.bodies.length;
  for (const [title, body, headers] of BODIES.slice(0, 3)) {
    const all = { ...headers, ...bearer(wrong) };
    const answer = await front.send('/api/write', { method: 'POST', headers: all, body });
    isRefused(t, answer, 401, 'invalid_token', title);
  }
  t.equal(store.bodies.length, count, 'nothing of them was taken');
  const query = { method: 'POST', headers: bearer(token), body: '{"cluster": "alex"}' };
  t.equal((await front.send('/api/query', query)).status, 200, 'other bodies, too');
  t.same(front.errors, []);
});

eachAdapter('a large body that is refused, and clients that go away', async (t, start) => {
  const { front, store } = await startGuarded(t, start, DELAY_MS);
  const wrong = await sign(ed25519(), {});
  const head = (token: string): string =>
    `POST /api/write HTTP/1.1\r\nHost: x\r\nContent-Length: ${LARGE.length}\r\n` +
    `Authorization: Bearer ${token}\r\n\r\n`;
  const refused = await front.open();
  refused.socket.write(head(wrong));
  refused.socket.write(LARGE);
  t.match(await refused.until(/invalid_token/), /^HTTP\/1\.1 401/, 'it sees the answer');
  refused.socket.destroy();

  const token = await sign(pair, { roles: ['ROLE_API'] });
  for (const sent of [0, 100, 1_000_000]) {
    const leaving = await front.open();
    leaving.socket.write(head(token));
    leaving.socket.write(LARGE.subarray(0, sent));
    await new Promise((resolve) => setTimeout(resolve, DELAY_MS / 3));
    leaving.socket.destroy();
  }
  t.ok(await eventually(() => front.traffic.requestsCurrent === 0), 'nothing is left of them');
  t.equal(store.bodies.filter(({ state }) => state === 'open').length, 0);
  t.equal(store.bodies.filter(({ state }) => state === 'finished').length, 0);
  const answer = await front.send('/api/write', {
    method: 'POST',
    headers: bearer(token),
    body: LINE,
  });
  t.equal(answer.status, 200, 'the next one is served');
  t.same(front.errors, []);
});

eachAdapter('no more of bodies is held than is allowed', async (t, start) => {
  const { front, store } = await startGuarded(t, start, DELAY_MS, 10_000);
  const token = await sign(pair, { roles: ['ROLE_API'] });
  for (const headers of [{}, CHUNKED]) {
    const all = { ...headers, ...bearer(token) };
    const options = { method: 'POST', headers: all, body: LARGE.subarray(0, 20_000) };
    const answer = await front.send('/api/write', options);
    t.equal(answer.status, 413);
    t.match(answer.json.error, /collected-bytes-max \(10000 bytes\)/);
  }
  const few = { method: 'POST', headers: bearer(token), body: LARGE.subarray(0, 6000) };
  const answers = await Promise.all([1, 2].map(() => front.send('/api/write', few)));
  t.same(answers.map(({ status }) => status).toSorted(), [200, 503], 'of all together');
  t.equal((await front.send('/api/write', few)).status, 200, 'and it is given back');
  t.equal(store.bodies.length, 2);
});

t.test('where no key is set, nobody is asked', async (t) => {
  const verifier = new TokenVerifier(AUTH_DEFAULTS, { limits: DEFAULTS.limits, log });
  t.equal(verifier.isRequired, false);
  t.equal(verifier.status().required, false);
});
