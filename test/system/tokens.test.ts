import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HttpError, InfluxDB, type WriteOptions } from '@influxdata/influxdb-client';
import * as influx from 'influx';
import t, { type Test } from 'tap';
import { generate } from '../../scripts/generate.js';
import { LinePoster } from '../../scripts/destinations/line-poster.js';
import { run } from '../../scripts/token.js';
import { rsa, jwk, sign } from '../auth/tokens.js';
import { MAIN } from '../helpers/program.js';
import { startServer, type Reply, type TestServer } from '../helpers/server.js';

const NOW = Math.floor(Date.now() / 60_000) * 60 - 600;

const folder = mkdtempSync(join(tmpdir(), 'metricshard-tokens-'));
t.teardown(() => rmSync(folder, { recursive: true }));

/** Runs scripts/token; what it printed, line by line, and its exit code. */
async function tokenScript(...args: string[]): Promise<{ lines: string[]; code: number }> {
  const lines: string[] = [];
  const code = await run(args, (text) => lines.push(...text.split('\n')));
  return { lines, code };
}

const keyFile = join(folder, 'key');
const [, publicKey] = (await tokenScript('keys', '--out', keyFile)).lines as [string, string];

/** A token made by the script. */
async function make(...args: string[]): Promise<string> {
  const { lines, code } = await tokenScript('make', '--key', keyFile, ...args);
  if (code !== 0) throw new Error(lines.join('\n'));
  return lines[0]!;
}

const apiToken = await make('--subject', 'collector', '--roles', 'ROLE_API', '--id', 'first');
const queryToken = await make('--subject', 'viewer', '--scope', 'metrics:query:alex');

function ask(server: TestServer, path: string, token: string, body?: string): Promise<Reply> {
  const init = body === undefined ? {} : { method: 'POST', body };
  return server.request(path, { ...init, headers: { Authorization: `Bearer ${token}` } });
}

t.test('scripts/token', async (t) => {
  const privateKey = readFileSync(keyFile, 'utf8').trim();
  t.equal(Buffer.from(publicKey, 'base64').length, 32, 'as main.jwt-public-key has it');
  t.equal(Buffer.from(privateKey, 'base64').length, 64, 'as Go has it');
  t.equal(statSync(keyFile).mode & 0o777, 0o600, 'for its owner alone');
  const show = (token: string, key: string): Promise<{ lines: string[]; code: number }> =>
    tokenScript('show', token, '--public-key', key);
  const shown = await show(queryToken, publicKey);
  t.equal(shown.code, 0);
  t.match(shown.lines, [
    /^header: \{"alg":"EdDSA","typ":"JWT"\}/,
    /^claims: .*"scope":"metrics:query:alex"/,
    /^expires: \d{4}-/,
    'allows, with the default roles: query (alex)',
    /^verified/,
  ]);
  const [, elsewhere, , otherKey] = (await tokenScript('keys')).lines as [
    string,
    string,
    string,
    string,
  ];
  t.equal(Buffer.from(otherKey, 'base64').length, 64);
  const wrong = await show(apiToken, elsewhere);
  t.equal(wrong.code, 1);
  t.match(wrong.lines.at(-1), /does not hold: the signature/);
  const past = await make('--subject', 'a', '--roles', 'x', '--expires', '0s');
  t.equal((await show(past, publicKey)).code, 0, 'within the leeway');

  const seed = join(folder, 'seed');
  writeFileSync(seed, Buffer.from(privateKey, 'base64').subarray(0, 32).toString('base64'));
  const claims = ['--subject', 'a', '--roles', 'x'];
  const bySeed = await tokenScript('make', '--key', seed, ...claims, '--no-expiry');
  const verified = await show(bySeed.lines[0]!, publicKey);
  t.equal(verified.code, 0, 'the seed alone is the same key');
  t.notOk(verified.lines.some((line) => line.startsWith('expires')));
  const [pem, spki] = [join(folder, 'key.pem'), join(folder, 'public.pem')];
  const { lines } = await tokenScript('keys', '--pem', '--out', pem);
  t.match(readFileSync(pem, 'utf8'), /PRIVATE KEY/);
  t.notMatch(lines.join('\n'), /PRIVATE/);
  writeFileSync(spki, lines.slice(1).join('\n'));
  const made = await tokenScript('make', '--key', pem, ...claims);
  t.equal((await show(made.lines[0]!, spki)).code, 0, 'PEM');

  const calls = [
    [],
    ['sell'],
    ['keys', '--out', keyFile],
    ['make', ...claims],
    ['make', '--key', keyFile, '--subject', 'a'],
    ['make', '--key', keyFile, ...claims, '--expires', 'long'],
    ['make', '--key', '/does/not/exist', ...claims],
    ['make', '--key', spki, ...claims],
    ['show'],
    ['show', apiToken, '--verbose'],
  ];
  for (const args of calls) t.equal((await tokenScript(...args)).code, 2, args.join(' '));
  t.equal((await tokenScript('show', 'no.token')).code, 1);

  const called = spawnSync('scripts/token', ['show', '-'], { input: apiToken, encoding: 'utf8' });
  t.equal(called.status, 0, 'from the command line');
  t.match(called.stdout, /not verified: no --public-key\n$/);
});

t.test('a store with a key, revocations and a key set', async (t) => {
  const revoked = join(folder, 'revoked');
  const keys = join(folder, 'keys.json');
  const other = rsa();
  writeFileSync(revoked, '');
  writeFileSync(keys, JSON.stringify({ keys: [jwk(other, { kid: 'center' })] }));
  const server = await startServer({
    main: { 'jwt-public-key': publicKey },
    metricshard: {
      auth: { 'jwks-file': keys, 'revoked-file': revoked, algorithms: ['EdDSA', 'RS256'] },
      limits: { 'tokens-cached-max': 50 },
    },
  });
  t.teardown(() => server.stop());
  await t.test('cc-backend and collectors', (t) => asTheReference(t, server));
  await t.test('InfluxDB clients', (t) => influxClients(t, server));
  const another = await sign(other, { roles: ['admin'] }, { alg: 'RS256', kid: 'center' });
  t.equal((await ask(server, '/api/v2/clusters', another)).status, 200, 'of the key set');
  const url = new URL('/api/write', server.url);
  const poster = new LinePoster(url, () => undefined, { token: apiToken });
  await poster.send(Buffer.from(`clock,cluster=alex,hostname=p value=1 ${NOW}\n`), 1);
  t.equal(poster.totals.written, 1, 'of scripts that post lines');
  await t.test('status and metrics', (t) => isTold(t, server));
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, `${apiToken}\n`);
  const made = ['--url', server.url, '--rounds', '1', '--faults', 'none'];
  t.equal(await generate([...made, '--token-file', tokenFile], () => undefined), 0);
  t.equal(await generate([...made, '--token', apiToken], () => undefined), 0);
  const printed: string[] = [];
  t.equal(await generate([...made, '--token', 'none'], (text) => printed.push(text)), 1);
  t.match(printed.at(-1), /generate: http.*: the store answered 401/);

  writeFileSync(revoked, 'first\n');
  let reply = await ask(server, '/api/v2/clusters', apiToken);
  for (let tries = 0; tries < 200 && reply.status === 200; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    reply = await ask(server, '/api/v2/clusters', apiToken);
  }
  t.equal(reply.status, 401, 'revoked');
  t.match(reply.json.error, /revoked/);
  t.equal((await ask(server, '/api/v2/clusters', queryToken)).status, 200, 'others hold');
});

async function asTheReference(t: Test, server: TestServer): Promise<void> {
  const lines = `clock,hostname=a,type=node value=1 ${NOW}\n`;
  const query = JSON.stringify({
    cluster: 'alex',
    from: NOW - 60,
    to: NOW + 60,
    queries: [{ metric: 'clock', host: 'a' }],
  });
  t.equal((await server.write(lines, '?cluster=alex')).status, 401, 'no token');
  t.equal((await ask(server, '/api/write?cluster=alex', queryToken, lines)).status, 403);
  t.equal((await ask(server, '/api/write?cluster=alex', apiToken, lines)).status, 200);
  const answer = await ask(server, '/api/query', queryToken, query);
  t.equal(answer.json.results[0][0].avg, 1);
  t.equal((await ask(server, '/api/query/', apiToken, query)).status, 200);
  t.equal((await ask(server, '/api/free?to=1', queryToken, '[]')).status, 403);
  t.equal((await ask(server, '/api/free?to=1', apiToken, '[["alex"]]')).status, 200);
  for (const path of ['/ping', '/health', '/ready', '/metrics', '/api/openapi.json']) {
    t.ok((await server.get(path)).status < 300, `${path} is for anyone`);
  }
}

async function influxClients(t: Test, server: TestServer): Promise<void> {
  const v1 = (password: string): influx.InfluxDB =>
    new influx.InfluxDB({
      host: '127.0.0.1',
      port: server.port,
      database: 'any',
      username: 'collector',
      password,
      pool: { maxRetries: 0 },
    });
  const point = {
    measurement: 'clock',
    tags: { cluster: 'alex', host: 'v1' },
    fields: { value: 7 },
    timestamp: new Date(NOW * 1000),
  };
  await t.resolves(v1(apiToken).writePoints([point]), 'InfluxDB 1: user and password');
  await t.rejects(v1('secret').writePoints([point]), /token/);

  const failed: unknown[] = [];
  const v2 = async (token: string): Promise<void> => {
    const options: Partial<WriteOptions> = { maxRetries: 0 };
    const client = new InfluxDB({ url: server.url, token });
    const api = client.getWriteApi('any', 'any', 's', {
      ...options,
      writeFailed: (error) => void failed.push(error),
    });
    api.writeRecord(`clock,cluster=alex,host=v2 value=8 ${NOW}`);
    await api.close().catch(() => undefined);
  };
  await v2(apiToken);
  t.same(failed, [], 'InfluxDB 2: a token');
  await v2('secret');
  t.ok(failed[0] instanceof HttpError && failed[0].statusCode === 401);
  const { json } = await ask(server, '/api/v2/hosts?cluster=alex', apiToken);
  const names = json.hosts.map(({ name }: { name: string }) => name);
  t.ok(names.includes('v1') && names.includes('v2'), names.join());
}

async function isTold(t: Test, server: TestServer): Promise<void> {
  const { auth } = (await ask(server, '/api/v2/status', apiToken)).json;
  t.match(auth, {
    required: true,
    tokensCached: 3,
    verified: 3,
    refused: { missing: 1, malformed: 2 },
    revocations: { count: 0, problem: '' },
  });
  t.match(
    auth.keys.map(({ source, problem }: Record<string, string>) => [source, problem]),
    [
      ['jwt-public-key', ''],
      [/keys\.json$/, ''],
    ],
  );
  const { text } = await server.get('/metrics');
  for (const line of [
    'metricshard_auth_required 1',
    'metricshard_auth_tokens_cached 3',
    'metricshard_auth_tokens_refused_total{reason="missing"} 1',
    'metricshard_auth_keys 2',
    'metricshard_auth_sources_failing 0',
  ]) {
    t.ok(text.includes(`\n${line}\n`), line);
  }
}

t.test('the behaviour of the reference: any token that holds may do anything', async (t) => {
  const server = await startServer({
    main: { 'jwt-public-key': publicKey },
    metricshard: { auth: { 'jwt-legacy': true } },
  });
  t.teardown(() => server.stop());
  t.equal((await ask(server, '/api/free?to=1', queryToken, '[]')).status, 200);
  t.equal((await server.get('/api/v2/clusters')).status, 401, 'but one there must be');
});

t.test('all interfaces, and no key: this host only', async (t) => {
  const server = await startServer({ main: { addr: ':0' } });
  t.teardown(() => server.stop());
  t.match(server.url, /127\.0\.0\.1/);
  t.match(
    server.output(),
    /"level":"warn".*main\.addr: .* ONLY; for other hosts set metricshard\.users, main\.jwt-public-key/,
  );
  const key = Buffer.alloc(32, 1).toString('base64');
  const body = JSON.stringify({ main: { 'jwt-public-key': key } });
  const { status, json } = await server.request('/api/v2/admin/config', { method: 'PATCH', body });
  t.equal(status, 409, 'a key opens the address, which takes a restart');
  t.match(json['needs-restart'], [/^main\.jwt-public-key: it would listen on 0\.0\.0\.0 then/]);
});

t.test('an address that others reach, and no key', async (t) => {
  const file = join(folder, 'config.json');
  const data = join(folder, 'data');
  const metricStore = { checkpoints: { directory: data } };
  writeFileSync(
    file,
    JSON.stringify({ main: { addr: '10.99.0.1:0' }, 'metric-store': metricStore }),
  );
  const main = [MAIN, '-config', file];
  const { status, stderr } = spawnSync(process.execPath, main, { encoding: 'utf8' });
  t.equal(status, 2);
  t.match(
    stderr,
    /main\.addr: there is no user and no key .*jwt-public-key.*127\.0\.0\.1.*allow-anonymous/,
  );
  t.notOk(existsSync(data), 'nothing was begun');
});
