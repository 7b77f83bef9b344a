import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startBackend } from '../helpers/backend-server.js';
import { MAIN } from '../helpers/program.js';
import { startServer, type Reply, type TestServer } from '../helpers/server.js';

/** A file that stays over restarts, and stores that are started with it. */
interface Place {
  readonly file: string;
  /** Writes the file, of which folder and address are filled in; a text as it is. */
  put(config: Record<string, unknown> | string): void;
  start(): Promise<TestServer>;
  /** `-check-config`: exit code and what it prints. */
  check(): Promise<{ code: number; text: string }>;
}

function makePlace(t: Test): Place {
  const folder = mkdtempSync(join(tmpdir(), 'metricshard-config-'));
  const file = join(folder, 'config.json');
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return {
    file,
    put: (config) => {
      const filled = {
        main: { addr: '127.0.0.1:0' },
        'metric-store': { checkpoints: { directory: join(folder, 'data') } },
      };
      const text = typeof config === 'string' ? config : JSON.stringify({ ...filled, ...config });
      writeFileSync(file, text);
    },
    start: async () => {
      const server = await startServer({}, { flags: ['-config', file] });
      t.teardown(() => server.kill());
      return server;
    },
    check: () =>
      new Promise((resolve) => {
        const args = [MAIN, '-check-config', '-config', file];
        execFile(process.execPath, args, (error, stdout, stderr) =>
          resolve({ code: Number(error?.code ?? 0), text: stdout + stderr }),
        );
      }),
  };
}

const limit = (jobsMax: number, more: object = {}): Record<string, unknown> => ({
  metricshard: { limits: { 'jobs-max': jobsMax }, ...more },
});

function change(server: TestServer, method: string, body: object | string): Promise<Reply> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return server.request('/api/v2/admin/config', { method, body: text });
}

const JOBS = [1, 2, 3].map((id) => ({ id, hosts: 'a0101' }));

/** Whether three jobs are too many, as their limit says. */
async function jobsMaxOf(server: TestServer): Promise<string> {
  const body = { cluster: 'alex', from: '-1h', metrics: 'clock', jobs: JOBS };
  const { status, text } = await server.post('/api/v2/job-stats', body);
  return status === 200 ? 'enough' : (/jobs-max[^\d]*(\d+)/.exec(text)?.[1] ?? text);
}

/** Asks until an answer is as wanted, for about fifteen seconds. */
async function until(t: Test, title: string, isTrue: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (await isTrue()) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  t.ok(await isTrue(), title);
}

async function statusOf(server: TestServer) {
  return (await server.get('/api/v2/status')).json.config;
}

t.test('a signal, and a file that changes', async (t) => {
  const place = makePlace(t);
  place.put(limit(1, { 'watch-config': false }));
  const server = await place.start();
  t.equal(await jobsMaxOf(server), '1');
  place.put(limit(2, { 'watch-config': true }));
  process.kill(server.pid, 'SIGHUP');
  // A limit holds before the whole change is done.
  await until(t, 'after SIGHUP', async () => (await statusOf(server)).generation === 2);
  t.equal(await jobsMaxOf(server), '2');
  t.match(await statusOf(server), { source: 'SIGHUP', problem: '' });

  place.put(limit(3));
  await until(t, 'without it', async () => (await statusOf(server)).generation === 3);
  t.equal(await jobsMaxOf(server), 'enough');
  t.match((await statusOf(server)).source, `changed files: ${place.file}`);

  place.put('{"metricshard": ');
  process.kill(server.pid, 'SIGHUP');
  await until(t, 'a broken file', async () => /not JSON/.test((await statusOf(server)).problem));
  t.equal(await jobsMaxOf(server), 'enough', 'nothing has changed');
  t.match((await server.get('/metrics')).text, /^metricshard_config_problem 1$/m);

  // One setting needs a restart: the other is not changed either.
  place.put(limit(1, { shards: 2 }));
  const refused = await server.post('/api/v2/admin/reload', '');
  t.match(refused, {
    status: 409,
    json: { 'needs-restart': ['metricshard.shards: all data has to move to other files first'] },
  });
  t.equal(await jobsMaxOf(server), 'enough');
  place.put(limit(1));
  t.match(await server.post('/api/v2/admin/reload', ''), {
    status: 200,
    json: { outcome: 'applied' },
  });
  t.equal(await jobsMaxOf(server), '1');
  t.match((await server.get('/metrics')).text, /^metricshard_config_problem 0$/m);
  t.equal(await server.stop(), 0);
});

t.test('over HTTP, over a restart, over a broken file', async (t) => {
  const place = makePlace(t);
  place.put({ ...limit(1), nats: { password: 'geheim' } });
  let server = await place.start();
  const patched = await change(server, 'PATCH', limit(2, { 'log-level': 'debug' }));
  t.match(patched, { status: 200, json: { outcome: 'applied', generation: 2 } });
  t.same(patched.json.changed, [
    { setting: 'metricshard.log-level', from: 'info', to: 'debug' },
    { setting: 'metricshard.limits.jobs-max', from: 1, to: 2 },
  ]);
  t.match((await change(server, 'PATCH', limit(2))).json, { outcome: 'unchanged' });
  await until(t, 'debug lines', async () => /"level":"debug"/.test(server.output()));
  t.match(server.output(), /configuration changed/);
  t.match(server.output(), /"source":"PATCH \/api\/v2\/admin\/config by anonymous"/);
  t.equal(await jobsMaxOf(server), '2');

  const { json: shown, text } = await server.get('/api/v2/admin/config');
  t.notMatch(text, 'geheim');
  t.notMatch(server.output(), 'geheim');
  const originOf = (path: string): string =>
    shown.settings.find((setting: { path: string }) => setting.path === path).origin;
  t.equal(originOf('metricshard.limits.jobs-max'), 'PATCH /api/v2/admin/config by anonymous');
  t.equal(originOf('nats.password'), place.file);
  t.equal(originOf('metricshard.limits.queries-max'), 'default');
  const back = { ...shown.document, metricshard: { limits: { 'jobs-max': 1 } } };
  const whole = await change(server, 'PUT', back);
  t.match(whole, { status: 200, json: { outcome: 'applied' } }, 'what is shown can be sent back');
  t.equal(await jobsMaxOf(server), '1');
  await change(server, 'PATCH', limit(2));
  await server.kill();

  server = await place.start();
  t.equal(await jobsMaxOf(server), '2', 'killed and started');
  t.match(await statusOf(server), { overridden: ['metricshard.limits.jobs-max'], generation: 5 });
  t.equal(await server.stop(), 0);

  const folder = join(place.file, '..', 'data');
  place.put(`{"metric-store": {"checkpoints": {"directory": "${folder}"}}, `);
  const checked = await place.check();
  t.equal(checked.code, 2);
  t.match(checked.text, /is not JSON[^]*the last good one, of .* is in effect instead/);
  server = await place.start();
  t.equal(await jobsMaxOf(server), '2', 'with a file that is broken');
  t.match(server.output(), /"level":"error".*the last good one/);
  t.match((await statusOf(server)).problem, /is not JSON/);
  place.put({ ...limit(3), nats: { password: 'geheim' } });
  await server.post('/api/v2/admin/reload', '');
  t.match(await statusOf(server), { problem: '' });
  t.match(await server.request('/api/v2/admin/config', { method: 'DELETE' }), { status: 200 });
  t.equal(await jobsMaxOf(server), 'enough');
  t.equal(await server.stop(), 0);
});

t.test('what is no configuration', async (t) => {
  const place = makePlace(t);
  place.put(limit(1, { limits: { 'jobs-max': 1, 'query-body-bytes-max': 100_000 } }));
  const server = await place.start();
  const before = (await server.get('/api/v2/admin/config')).text;
  const check = async (body: string, status: number, answer: RegExp): Promise<void> => {
    for (const method of ['PATCH', 'PUT']) {
      const reply = await change(server, method, body);
      t.equal(reply.status, status, `${method} ${body.slice(0, 40)}`);
      t.match(reply.text, answer);
    }
  };
  await check('', 400, /it is empty/);
  await check('[1]', 400, /must be an object/);
  await check('{"metricshard": {"limits": {"jobs-max": "many"}}}', 400, /must be an integer/);
  await check('{"metricshard": {"limits": {"jobs-maxx": 1}}}', 400, /did you mean \\"jobs-max\\"/);
  await check('{"__proto__": {"limits": 1}}', 400, /__proto__/);
  await check('{"constructor": {"prototype": {}}}', 400, /constructor: is not a known setting/);
  await check(`${'{"metrics":'.repeat(2000)}1${'}'.repeat(2000)}`, 400, /nested deeper than 32/);
  await check(JSON.stringify({ a: 'x'.repeat(100_000) }), 413, /query-body-bytes-max/);
  const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`k${i}`, 1]));
  await check(JSON.stringify(many), 400, /has 4900 more problems/);
  t.match(await server.request('/api/v2/admin/config?dry-run=1', { method: 'DELETE' }), {
    status: 400,
    json: { error: /dry-run/ },
  });
  const after = JSON.parse((await server.get('/api/v2/admin/config')).text);
  t.same({ ...after, problem: '' }, JSON.parse(before));
  t.equal(await server.stop(), 0);
});

t.test('-check-config', async (t) => {
  const place = makePlace(t);
  place.put({
    ...limit(7, { clusters: ['test/fixtures/cluster-alex.json'] }),
    metrics: { clock: { frequency: 60, aggregation: 'avg' } },
    nats: { token: 'geheim' },
  });
  const { code, text } = await place.check();
  t.equal(code, 0);
  t.match(text, new RegExp(`metricshard\\.limits\\.jobs-max +7 +${place.file}`));
  t.match(text, /metricshard\.limits\.queries-max +100000 +default/);
  t.match(text, /nats\.token +"\*\*\*"/);
  t.notMatch(text, 'geheim');
  t.match(text, /alex +mem_bw +60 s +sum +GB\/s +test\/fixtures\/cluster-alex\.json/);
  t.match(text, /\(any other\) +clock +60 s +avg +- +metrics/);
  place.put(limit(0, { clusters: ['/nowhere'], foo: 1 }));
  const broken = await place.check();
  t.equal(broken.code, 2);
  t.match(broken.text, /jobs-max: must be at least 1, not 0/);
  t.match(broken.text, /metricshard\.foo: is not a known setting/);
});

t.test('clusters of cc-backend', async (t) => {
  const backend = await startBackend(t);
  const place = makePlace(t);
  const settings = { token: 'abc', clusters: true, 'clusters-interval-sec': 1 };
  const main = { addr: '127.0.0.1:0', 'backend-url': backend.url };
  place.put({ main, metricshard: { backend: settings } });
  const cluster = (name: string): object => ({
    name,
    metricConfig: [{ name: 'clock', timestep: 30, aggregation: 'avg', unit: { base: 'Hz' } }],
    subClusters: [{ name: 'main', nodes: `${name}[01-02]`, topology: {} }],
  });
  const clustersOf = async (server: TestServer): Promise<string> => {
    const { json } = await server.get('/api/v2/admin/config');
    const rows = json.metrics as { cluster: string; metric: string; origins: { unit: string } }[];
    return rows
      .filter(({ metric, cluster: name }) => metric === 'clock' && name !== '')
      .map((row) => `${row.cluster} ${row.origins.unit}`)
      .join();
  };
  backend.answer(200, JSON.stringify({ clusters: [cluster('alex')] }));
  let server = await place.start();
  const alex = `alex cc-backend ${backend.url}`;
  t.equal(await clustersOf(server), alex);
  t.equal(backend.asked[0], '/api/clusters/ Bearer abc');
  t.match(await statusOf(server), { backend: { clusters: 1, failures: 0 } });
  await server.kill();

  backend.hang();
  server = await place.start();
  t.equal(await clustersOf(server), alex, 'its last answer is kept');
  t.match(
    server.output(),
    /clusters of cc-backend: .*no whole answer within 2 s; its last answer holds/,
  );
  t.match(await statusOf(server), { backend: { failures: 1 } });
  t.equal(await server.stop(), 0);
});
