import { request as httpRequest } from 'node:http';
import t from 'tap';
import { startServer, type TestServer } from '../helpers/server.js';

const NOW = 1_790_000_040;
const RANGE = { cluster: 'c', from: NOW, to: NOW + 60 };

/** POSTs a body that does not tell its length; resolves to the status and text of the answer. */
function sendChunked(server: TestServer, body: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const target = { host: '127.0.0.1', port: server.port, path: '/api/write', method: 'POST' };
    const sent = httpRequest({ ...target, headers: { 'Transfer-Encoding': 'chunked' } });
    sent.on('error', reject);
    sent.on('response', (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode!, text }));
    });
    for (let at = 0; at < body.length; at += 100_000) sent.write(body.slice(at, at + 100_000));
    sent.end();
  });
}

function linesOf(name: string, bytes: number): { body: string; count: number } {
  const lines: string[] = [];
  let size = 0;
  while (size < bytes) {
    const line = `m,cluster=c,hostname=${name}${lines.length % 2000} value=1 ${NOW}\n`;
    lines.push(line);
    size += line.length;
  }
  return { body: lines.join(''), count: lines.length };
}

async function hostsStored(server: TestServer): Promise<number> {
  const all = { ...RANGE, queries: null, 'for-all-nodes': ['m'] };
  return (await server.query(all)).json.results.length;
}

for (const adapter of ['uws', 'node']) {
  for (const shards of [1, 3]) {
    t.test(`a body of unknown length, ${adapter}, ${shards} shard(s)`, async (t) => {
      const server = await startServer({
        metrics: { '*': { frequency: 60, aggregation: 'avg' } },
        metricshard: {
          shards,
          'http-adapter': adapter,
          'retention-enforced': false,
          limits: { 'body-bytes-max': 4_000_000 },
        },
      });
      t.teardown(() => server.stop());
      for (const time of ['first', 'again']) {
        const { status, text } = await sendChunked(server, linesOf('large', 4_100_000).body);
        t.equal(status, 413, time);
        t.match(text, 'body-bytes-max');
        t.equal(await hostsStored(server), 0, 'nothing of it is stored');
      }
      const { body, count } = linesOf('h', 3_900_000);
      for (const time of ['first', 'again']) {
        const { status, text } = await sendChunked(server, body);
        t.equal(status, 200, time);
        t.match(JSON.parse(text), { written: count, rejected: 0 });
        t.equal(await hostsStored(server), 2000, 'all of it is stored');
      }
    });
  }
}
