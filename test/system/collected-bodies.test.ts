import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { compress } from 'zstd-napi';
import { eventually, metricSum } from '../helpers/metrics.js';
import { startServer, type Reply, type TestServer } from '../helpers/server.js';
import { openSocket } from '../helpers/socket.js';

const NOW = 1_790_000_000 - (1_790_000_000 % 60);
const MIB = 1024 * 1024;
const COLLECTED_BYTES_MAX = 4 * MIB;
const SETTING = new RegExp(`collected-bytes-max \\(${COLLECTED_BYTES_MAX} bytes\\)`);
const GZIP = { 'Content-Encoding': 'gzip' };
const ZSTD = { 'Content-Encoding': 'zstd' };

/** A line, then comments, of so many bytes. */
function bodyOf(bytes: number): Buffer {
  const line = Buffer.from(`m,cluster=c,hostname=h value=1.5 ${NOW}\n`);
  const comments = Buffer.alloc(bytes - line.length, `# ${'x'.repeat(997)}\n`);
  return Buffer.concat([line, comments]);
}

/** Packed in name only: as large as what it holds. */
function stored(body: Buffer): Buffer {
  return gzipSync(body, { level: 0 });
}

/** A query of so many bytes. */
function queryOf(bytes: number): Buffer {
  const queries = [{ metric: 'm', host: 'h' }];
  const text = JSON.stringify({ cluster: 'c', from: NOW, to: NOW + 60, queries });
  return Buffer.from(text.padEnd(bytes));
}

async function start(t: Test, adapter: string): Promise<TestServer> {
  const server = await startServer({
    metrics: { '*': { frequency: 60, aggregation: 'avg' } },
    metricshard: {
      shards: 1,
      'http-adapter': adapter,
      'retention-enforced': false,
      limits: { 'collected-bytes-max': COLLECTED_BYTES_MAX },
    },
  });
  t.teardown(() => server.stop());
  return server;
}

function held(server: TestServer): Promise<number> {
  return metricSum(server, 'metricshard_http_collected_bytes');
}

/** Nothing is held any more, and a body that needs most of what there may be is taken. */
async function allGivenBack(t: Test, server: TestServer): Promise<void> {
  t.ok(await eventually(async () => (await held(server)) === 0), 'nothing is held');
  const large = bodyOf(COLLECTED_BYTES_MAX - 100_000);
  const written = await server.write(gzipSync(large), '', GZIP);
  t.match(written.json, { written: 1, rejected: 0 }, 'a large body is taken');
  t.equal(await held(server), 0, 'and given back');
}

/** A request of which all but the last byte is sent. */
interface SlowBody {
  readonly socket: Socket;
  readonly last: Buffer;
  text(): string;
}

async function sendSlowly(
  server: TestServer,
  path: string,
  body: Buffer,
  encoding: string,
): Promise<SlowBody> {
  const socket = await openSocket(server.port);
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  const headers = `Host: localhost\r\nContent-Encoding: ${encoding}\r\nContent-Length: ${body.length}`;
  socket.write(`POST ${path} HTTP/1.1\r\n${headers}\r\n\r\n`);
  socket.write(body.subarray(0, -1));
  return { socket, last: body.subarray(-1), text: () => text };
}

function refuses(t: Test, reply: Reply, title: string): void {
  t.equal(reply.status, 503, title);
  t.equal(reply.headers.get('retry-after'), '1');
  t.match(reply.json, { status: 'Service Unavailable', error: SETTING });
  t.match(reply.json.error, /nothing of this body was taken, send it again later/);
}

for (const adapter of ['uws', 'node']) {
  t.test(`slow bodies reach the common bound, ${adapter}`, async (t) => {
    const server = await start(t, adapter);
    const packed = stored(bodyOf(1.5 * MIB));
    const kinds: [string, string, string, Buffer[]][] = [
      ['queries', '/api/query', 'identity', Array(3).fill(queryOf(1_200_000))],
      ['packed writes', '/api/write', 'gzip', Array(2).fill(packed)],
    ];
    for (const [title, path, encoding, bodies] of kinds) {
      for (const isAborted of [true, false]) {
        const send = (body: Buffer): Promise<SlowBody> => sendSlowly(server, path, body, encoding);
        const slow = await Promise.all(bodies.map(send));
        const most = bodies.reduce((sum, { length }) => sum + length - 1, 0);
        t.ok(await eventually(async () => (await held(server)) === most), `${title} are held`);

        const another = await send(Buffer.alloc(2 * MIB));
        const isRefused = (): boolean => /HTTP.* 503 .*\}/s.test(another.text());
        t.ok(await eventually(isRefused), `${title}: one more is answered before its end`);
        t.match(another.text(), /Retry-After: 1\r/i);
        t.match(another.text(), SETTING);
        another.socket.destroy();
        refuses(t, await server.write(gzipSync(bodyOf(3 * MIB)), '', GZIP), 'a bomb, gzip');
        refuses(t, await server.write(compress(bodyOf(3 * MIB)), '', ZSTD), 'a bomb, zstd');
        refuses(t, await server.query(' '.repeat(2 * MIB)), 'a query');
        t.equal(await held(server), most, 'what they held is given back at once');
        t.equal((await server.write(bodyOf(3 * MIB))).status, 200, 'plain lines are not collected');

        // One goes away, so that there is room to inflate the others, one after the other.
        slow.shift()!.socket.destroy();
        t.ok(await eventually(async () => (await held(server)) < most));
        for (const { socket, last, text } of slow) {
          if (!isAborted) {
            socket.write(last);
            t.ok(await eventually(() => /HTTP.* 200 /.test(text())), `${title}: it is finished`);
          }
          socket.destroy();
        }
        await allGivenBack(t, server);
      }
    }
  });

  t.test(`what can never fit, ${adapter}`, async (t) => {
    const server = await start(t, adapter);
    const never = async (title: string, work: () => Promise<Reply>): Promise<void> => {
      const reply = await work();
      t.equal(reply.status, 413, title);
      t.match(reply.json, { status: 'Payload Too Large', error: SETTING });
      await allGivenBack(t, server);
    };
    await never('a query', () => server.query(' '.repeat(5 * MIB)));
    await never('a packed body, as sent', () => server.write(stored(bodyOf(5 * MIB)), '', GZIP));
    const half = stored(bodyOf(2.5 * MIB));
    await never('as sent and inflated', () => server.write(half, '', GZIP));
    const zeros = Buffer.alloc(60 * MIB);
    const bombs: [string, Buffer, Record<string, string>][] = [
      ['gzip', gzipSync(zeros, { level: 1 }), GZIP],
      ['zstd', compress(zeros, { compressionLevel: 1 }), ZSTD],
    ];
    for (const [title, bomb, headers] of bombs) {
      t.ok(bomb.length < MIB, `${title}: ${bomb.length} bytes become 60 MiB`);
      const before = server.rssBytes();
      const all = Array.from({ length: 10 }, () => server.write(bomb, '', headers));
      for (const { status } of await Promise.all(all))
        t.ok(status === 413 || status === 503, title);
      const grownMib = (server.rssBytes() - before) / MIB;
      t.ok(grownMib < 60, `${title}: ten bombs took ${grownMib.toFixed()} MiB`);
      await never(`a bomb, ${title}`, () => server.write(bomb, '', headers));
    }
  });
}
