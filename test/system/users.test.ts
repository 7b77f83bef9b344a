import t from 'tap';
import { makePasswordHash } from '../../src/auth/password-hash.js';
import { ed25519, rawKey, sign } from '../auth/tokens.js';
import { startServer, type Reply, type TestServer } from '../helpers/server.js';

const cost = { costBits: 10, blockSize: 8, parallelization: 1 };
const pair = ed25519();
const LINE = 'clock,cluster=alex,hostname=a0101 value=1\nclock,cluster=fritz,hostname=f1 value=1\n';
const BEARER = 'Bearer realm="metricshard"';
const BASIC = 'Basic realm="metricshard", charset="UTF-8"';

const basic = (name: string, password: string): Record<string, string> => ({
  Authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
});

/** Adds a way to ask with headers. */
async function start(config: Record<string, unknown>) {
  const server = await startServer(config);
  t.teardown(() => server.stop());
  const get = (path: string, headers: Record<string, string> = {}): Promise<Reply> =>
    server.request(path, { headers });
  const patch = (patched: object, headers: Record<string, string>): Promise<Reply> =>
    server.request('/api/v2/admin/config', {
      method: 'PATCH',
      headers,
      body: JSON.stringify(patched),
    });
  return { server, get, patch };
}

async function usersOf() {
  return {
    anna: { password: await makePasswordHash('Grüße', cost), roles: ['ROLE_ADMIN'] },
    berta: {
      password: await makePasswordHash('b', cost),
      roles: ['ROLE_SUPPORT', 'ROLE_API'],
      clusters: ['alex'],
    },
    carla: { password: await makePasswordHash('c', cost), roles: ['ROLE_USER'] },
  };
}

const anna = basic('anna', 'Grüße');
const berta = basic('berta', 'b');

for (const adapter of ['uws', 'node']) {
  t.test(`users and nothing else, ${adapter}`, async (t) => {
    const users = await usersOf();
    const { server, get, patch } = await start({
      main: { addr: '0.0.0.0:0' },
      metricshard: {
        users,
        'http-adapter': adapter,
        'retention-enforced': false,
        limits: { 'failed-logins-max': 5 },
      },
    });
    t.match(server.output(), /listens on http:\/\/0\.0\.0\.0/, 'it may be reached from elsewhere');
    t.equal((await get('/ping')).status, 204);
    const missing = await get('/api/v2/me');
    t.equal(missing.status, 401);
    t.equal(missing.headers.get('www-authenticate'), `${BEARER}, ${BASIC}`);
    const wrong = await get('/api/v2/me', basic('anna', 'Grüsse'));
    t.equal(wrong.status, 401);
    t.equal(wrong.headers.get('www-authenticate'), `${BEARER}, ${BASIC}`);
    t.equal(wrong.json.error, 'the name or the password is wrong');
    const unknown = await get('/api/v2/me', basic('nobody', 'Grüße'));
    t.same([unknown.status, unknown.text], [401, wrong.text], 'no difference to see');
    const token = await get('/api/v2/me', { Authorization: `Bearer ${await sign(pair, {})}` });
    t.equal(token.status, 401);
    t.equal(token.headers.get('www-authenticate'), `${BEARER}, error="invalid_token"`);
    t.equal((await get('/api/v2/me', basic('carla', 'c'))).status, 403);

    const permissions = { query: null, write: null, admin: null };
    t.same((await get('/api/v2/me', anna)).json, { name: 'anna', permissions });
    const own = { query: ['alex'], write: ['alex'], admin: ['alex'] };
    t.same((await get('/api/v2/me', berta)).json, { name: 'berta', permissions: own });
    const written = await server.write(LINE, '', berta);
    t.equal(written.status, 400);
    t.match(written.json, { written: 1, rejected: 1 }, 'her cluster alone');
    t.equal((await server.write(LINE, '', anna)).status, 200);
    const influx = await server.request('/write?u=anna&p=Gr%C3%BC%C3%9Fe', {
      method: 'POST',
      body: LINE,
    });
    t.equal(influx.status, 204, 'as InfluxDB 1 sends them');
    t.same((await get('/api/v2/clusters', berta)).json.clusters.length, 1);

    const config = await get('/api/v2/admin/config', anna);
    t.notMatch(config.text, '$scrypt', 'no hash is shown');
    t.equal(config.json.document.metricshard.users.anna.password, '***');
    const shown = config.json.document;
    shown.metricshard.users.berta.roles = ['ROLE_USER'];
    const put = await server.request('/api/v2/admin/config', {
      method: 'PUT',
      headers: anna,
      body: JSON.stringify(shown),
    });
    t.equal(put.status, 200, put.text);
    t.notMatch(put.text, '$scrypt');
    t.equal((await get('/api/v2/me', berta)).status, 403, 'at once');
    t.equal((await get('/api/v2/me', anna)).status, 200, 'the hash came back as it was');
    const added = { ...users.berta, roles: ['ROLE_SUPPORT'] };
    await patch({ metricshard: { users: { dora: added } } }, anna);
    t.equal((await get('/api/v2/me', basic('dora', 'b'))).status, 200);
    const bad = await patch({ metricshard: { users: { dora: { password: 'plain' } } } }, anna);
    t.equal(bad.status, 400);
    t.match(bad.text, /metricshard.users.dora.password: is not a password hash/);
    t.notMatch(bad.text, 'plain');
    const all = { metricshard: { users: null } };
    const open = await patch(all, anna);
    t.equal(open.status, 409, 'without users it would be open to all');
    t.match(open.text, /it would listen on 127\.0\.0\.1 then/);
    await lockedOut(server, get);
  });
}

async function lockedOut(
  server: TestServer,
  get: (path: string, headers?: Record<string, string>) => Promise<Reply>,
): Promise<void> {
  const guess = (i: number) => get('/api/v2/me', basic('anna', `guess ${i}`));
  for (let i = 0; (await guess(i)).status !== 429; i++) {
    if (i > 5) throw new Error('guesses go on');
  }
  const refused = await get('/api/v2/me', anna);
  t.equal(refused.status, 429, 'also with the right password');
  t.match(Number(refused.headers.get('retry-after')), 300);
  t.match(refused.json, { status: 'Too Many Requests', error: /failed-logins-max \(5\)/ });
  t.equal((await server.get('/api/v2/me')).status, 401, 'who shows nothing is told so');
  const metrics = (await server.get('/metrics')).text;
  t.match(metrics, /^metricshard_auth_users 4$/m);
  t.match(metrics, /^metricshard_auth_lock_outs_total 1$/m);
  t.match(metrics, /^metricshard_auth_locked_out_total 2$/m);
  t.match(metrics, /^metricshard_auth_tokens_refused_total\{reason="password"\} 5$/m);
  t.equal(server.output().match(/too many wrong passwords of one address/g)?.length, 1);
}

t.test('tokens beside users', async (t) => {
  const users = await usersOf();
  const { get, patch } = await start({
    main: { 'jwt-public-key': rawKey(pair) },
    metricshard: { users },
  });
  const token = await sign(pair, { sub: 'cc', roles: ['ROLE_API'] });
  t.match((await get('/api/v2/me', { Authorization: `Bearer ${token}` })).json, { name: 'cc' });
  t.match((await get('/api/v2/me', basic('x', token))).json, { name: 'cc' });
  t.match((await get('/api/v2/me', anna)).json, { name: 'anna' });
  const removed = await patch({ metricshard: { users: null } }, anna);
  t.equal(removed.status, 200, removed.text);
  const { status, headers } = await get('/api/v2/me', anna);
  t.equal(status, 401);
  t.equal(headers.get('www-authenticate'), `${BEARER}, error="invalid_token", ${BASIC}`);
  t.match((await get('/api/v2/me', basic('x', token))).json, { name: 'cc' });
});

t.test('a burst of wrong tokens in the place of a password', async (t) => {
  const password = await makePasswordHash('right', { ...cost, costBits: 15 });
  const { server, get } = await start({
    main: { 'jwt-public-key': rawKey(pair) },
    metricshard: { users: { anna: { password, roles: ['ROLE_ADMIN'] } } },
  });
  const statuses: Promise<number>[] = [];
  for (let turn = 0; turn < 20; turn++) {
    statuses.push(
      get('/api/v2/me', basic('nobody', 'no.token.atall')).then((reply) => reply.status),
    );
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  for (const status of await Promise.all(statuses)) t.ok(status === 401 || status === 429);
  t.equal((await get('/ping')).status, 204, 'the store is still there');
  t.equal(await server.stop(), 0);
});
