import t, { type Test } from 'tap';
import { Random, seed } from '../helpers/random.js';
import { openSocket, postHead, statusLineOf } from '../helpers/socket.js';
import { startServer, type TestServer } from '../helpers/server.js';

const MB = 1e6;
const NOW = 1_790_000_000 - (1_790_000_000 % 60);
const IDLE_CONNECTIONS = 1200;

/** The store still takes a sample and gives it back: what every case ends with. */
async function stillWorks(t: Test, server: TestServer, host: string): Promise<void> {
  const { status } = await server.write(`alive,cluster=c,hostname=${host} value=1.25 ${NOW}\n`);
  t.equal(status, 200, 'takes a good sample');
  const { json } = await server.query({
    cluster: 'c',
    from: NOW,
    to: NOW + 60,
    queries: [{ metric: 'alive', host }],
  });
  t.same(json.results[0][0].data, [1.25], 'and gives it back');
}

for (const adapter of ['uws', 'node']) {
  t.test(`garbage and rudeness, ${adapter}, seed ${seed}`, async (t) => {
    const random = new Random(seed);
    const server = await startServer({
      metrics: { '*': { frequency: 60, aggregation: 'avg' } },
      metricshard: { shards: 2, 'http-adapter': adapter, 'retention-enforced': false },
    });
    t.teardown(() => server.kill());
    const check = (title: string, work: (t: Test) => Promise<void>): Promise<unknown> =>
      t.test(title, async (t) => {
        await work(t);
        await stillWorks(t, server, `h${random.below(1e6)}`);
      });

    await check('random bytes as bodies', async (t) => {
      const statuses = new Set<number>();
      for (let i = 0; i < 100; i++) {
        const body = random.bytes(random.below(5000));
        const path = random.pick(['/api/write', '/api/query', '/api/free?to=5', '/write']);
        const reply = await server.request(path, {
          method: 'POST',
          body: body as BodyInit,
        });
        statuses.add(reply.status);
        if (reply.status !== 200 && reply.status !== 204) {
          t.match(reply.json, { status: /./, error: /./ }, `${path}: the error is told`);
        }
      }
      for (const status of statuses) t.ok([200, 204, 400].includes(status), `status ${status}`);
    });

    await check('lines damaged at random', async (t) => {
      const good = `m,cluster=c,hostname=h,type=hwthread,type-id=1 value=12.5 ${NOW}\n`;
      for (let i = 0; i < 100; i++) {
        const lines = Array.from({ length: 20 }, () => {
          const line = Buffer.from(good);
          for (let k = random.below(4); k > 0; k--) {
            line[random.below(line.length)] = random.below(256);
          }
          return line;
        });
        const { status, json } = await server.write(Buffer.concat(lines));
        if (status !== 200 && status !== 400) t.fail(`status ${status}`);
        if (typeof json.written !== 'number') t.fail('no summary');
        if (status === 400 && (json.first.length === 0 || json.first.length > 10)) {
          t.fail(`${json.first.length} examples`);
        }
      }
    });

    await check('packed bodies that are not packed', async (t) => {
      for (const encoding of ['gzip', 'zstd', 'br']) {
        const headers = { 'content-encoding': encoding };
        const { status, json } = await server.write(random.bytes(1000), '', headers);
        t.equal(status, encoding === 'br' ? 415 : 400, encoding);
        t.match(json, { error: /./ });
      }
    });

    await check('a line of 10 MB costs itself only', async (t) => {
      const long = `m,cluster=c,hostname=long,x=${'y'.repeat(10 * MB)} value=1 ${NOW}\n`;
      const good = `m,cluster=c,hostname=long value=2 ${NOW}\n`;
      const { status, json } = await server.write(good + long + good.replace('=2', '=3'));
      t.equal(status, 400);
      t.match(json, { written: 2, rejected: 1, first: [{ line: 2, reason: /line/ }] });
    });

    await check('a body above the limit is refused with 413', async (t) => {
      const socket = await openSocket(server.port);
      socket.write(postHead('/api/write', 1e12));
      t.match(await statusLineOf(socket), /413/);
      socket.destroy();
    });

    await check('a body that stops half way, and one that is given up', async () => {
      for (let i = 0; i < 20; i++) {
        const socket = await openSocket(server.port);
        socket.write(`${postHead('/api/write', 10_000)}m,cluster=c,hostname=aborted val`);
        await new Promise((resolve) => setTimeout(resolve, 5));
        socket.destroy();
      }
    });

    await check('a slow client does not hold up others', async (t) => {
      const line = `m,cluster=c,hostname=slow value=7.5 ${NOW}\n`;
      const socket = await openSocket(server.port);
      const answered = statusLineOf(socket);
      socket.write(postHead('/api/write', line.length));
      for (const char of line) {
        socket.write(char);
        if (random.chance(0.2)) await stillWorks(t, server, 'fast');
      }
      t.match(await answered, /200/, 'and is answered at last');
      socket.destroy();
    });

    await check('clients that never read do not take memory', async (t) => {
      const body = JSON.stringify({
        cluster: 'c',
        from: NOW - 200_000 * 60,
        to: NOW,
        queries: [{ metric: 'alive', host: 'fast' }],
      });
      await stillWorks(t, server, 'fast');
      const before = server.rssBytes();
      const sockets = await Promise.all(Array.from({ length: 20 }, () => openSocket(server.port)));
      for (const socket of sockets) {
        socket.pause();
        socket.write(postHead('/api/query', body.length) + body);
      }
      await stillWorks(t, server, 'fast');
      const grown = (server.rssBytes() - before) / MB;
      // An answer is 1 MB: each may be held once or twice, no more.
      t.ok(grown < 100, `grew by ${grown.toFixed()} MB`);
      for (const socket of sockets) socket.destroy();
    });

    await check(`${IDLE_CONNECTIONS} idle connections`, async (t) => {
      const before = server.rssBytes();
      const sockets = await Promise.all(
        Array.from({ length: IDLE_CONNECTIONS }, () => openSocket(server.port)),
      );
      await stillWorks(t, server, 'amongst-idle');
      const grown = (server.rssBytes() - before) / MB;
      t.ok(grown < 150, `grew by ${grown.toFixed()} MB`);
      for (const socket of sockets) socket.destroy();
    });

    await check('absurd ranges take no memory', async (t) => {
      const before = server.rssBytes();
      for (const [from, to] of [
        [0, 1e12],
        [0, Number.MAX_SAFE_INTEGER],
        [-1e15, 1e15],
        [1e12, 2e12],
      ]) {
        for (const host of ['fast', 'never-seen']) {
          const queries = [{ metric: 'alive', host }];
          const { status, json } = await server.query({ cluster: 'c', from, to, queries });
          t.ok(status === 200 || status === 400, `${host}, ${from} to ${to}: ${status}`);
          if (host === 'fast') t.match(JSON.stringify(json), /"error":"/, 'an error that says why');
        }
      }
      const grown = (server.rssBytes() - before) / MB;
      t.ok(grown < 50, `grew by ${grown.toFixed()} MB`);
    });

    t.equal(await server.stop(), 0, 'it ends well');
  });
}
