import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'nats';
import { hasNatsServer, PATIENT, startNatsServer } from '../helpers/nats-server.js';
import t, { type Test } from 'tap';
import { startServer, type TestServer } from '../helpers/server.js';

const SUBJECT = 'config.store1';
const BUCKET = 'config-store1';

/** Asks until it is so, for about twenty seconds. */
async function until(t: Test, title: string, isTrue: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await isTrue()) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  t.ok(await isTrue(), title);
}

async function jobsMaxOf(server: TestServer): Promise<number> {
  const { json } = await server.get('/api/v2/admin/config');
  const { limits } = json.document.metricshard;
  return limits['jobs-max'];
}

const patch = (jobsMax: number): string =>
  JSON.stringify({ 'merge-patch': { metricshard: { limits: { 'jobs-max': jobsMax } } } });

t.test(
  'configuration over NATS',
  { skip: hasNatsServer() ? false : 'no nats-server' },
  async (t) => {
    const nats = await startNatsServer({ jetStream: true });
    t.teardown(() => nats.remove());
    const folder = mkdtempSync(join(tmpdir(), 'metricshard-config-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'config.json');
    const config = {
      main: { addr: '127.0.0.1:0' },
      'metric-store': { checkpoints: { directory: join(folder, 'data') } },
      metricshard: { limits: { 'jobs-max': 1 } },
      nats: { address: nats.url, 'config-subject': SUBJECT, 'config-bucket': BUCKET },
    };
    writeFileSync(file, JSON.stringify(config));
    const start = async (): Promise<TestServer> => {
      const started = await startServer({}, { flags: ['-config', file] });
      t.teardown(() => started.kill());
      return started;
    };
    let server = await start();
    if ((await server.get('/api/v2/status')).json.nats === undefined) {
      await server.stop();
      t.pass('this program does not connect to NATS');
      return;
    }
    const connection = await connect({ servers: nats.url });
    t.teardown(() => connection.close());
    const ask = async (body: string) => {
      // Nobody may listen yet.
      const reply = await connection
        .request(SUBJECT, body, { timeout: 5000 })
        .catch(() => undefined);
      return reply ? JSON.parse(reply.string()) : undefined;
    };
    await until(t, 'it listens', async () => (await ask('')) !== undefined);
    t.match(await ask(patch(2)), { status: 'OK', outcome: 'applied', generation: 2 });
    t.equal(await jobsMaxOf(server), 2);
    t.match(await ask(patch(0)), { status: 'error', outcome: 'invalid' });
    t.match(await ask('{"merge-patch": {"metricshard": {"shards": 9}}}'), {
      outcome: 'restart',
      'needs-restart': [/metricshard\.shards/],
    });
    await server.kill();

    server = await start();
    t.equal(await jobsMaxOf(server), 2, 'killed and started');
    const kv = await connection.jetstream(PATIENT).views.kv(BUCKET);
    await kv.put('config', patch(3));
    await until(t, 'by the bucket', async () => (await jobsMaxOf(server)) === 3);
    for (const poison of ['{', '[]', patch(0), '{"merge-patch": {"__proto__": 1}}']) {
      const revision = await kv.put('config', poison);
      await until(t, `poison ${poison}`, async () => {
        const { json } = await server.get('/api/v2/status');
        const { bucket } = json.config.nats;
        return bucket.revision === revision && bucket.problem !== '';
      });
    }
    t.equal(await jobsMaxOf(server), 3);
    await kv.delete('config');
    await until(t, 'withdrawn', async () => (await jobsMaxOf(server)) === 1);
    t.equal(await server.stop(), 0);
  },
);
