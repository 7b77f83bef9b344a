import t from 'tap';
import { request, type IncomingMessage } from 'node:http';
import { archived, config, folders, NEWEST, STEP } from '../helpers/archive.js';
import { becomesReady } from '../helpers/durable.js';
import { eventually } from '../helpers/metrics.js';
import { startServer } from '../helpers/server.js';

/** Samples of 10 s: three hours in 40 series, of which more than half is archived. */
const SERIES = 40;
const SLOTS = 1080;
const FROM = NEWEST + STEP - SLOTS * 10;
/** The range is longer than what there is: so many points are shown of each series. */
const POINTS = 120_000;

/** A stream whose reader takes its time. */
function open(url: string, body: object): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method: 'POST' }, (response) => {
      response.pause();
      resolve(response);
    });
    asked.on('error', reject);
    asked.end(JSON.stringify(body));
  });
}

async function lengthOf(response: IncomingMessage): Promise<number> {
  let bytes = 0;
  for await (const chunk of response) bytes += (chunk as Buffer).length;
  return bytes;
}

t.test('a long stream waits for its reader, in bounded memory', async (t) => {
  const where = folders(t);
  const metrics = { '*': { frequency: 10, aggregation: 'avg' } };
  const limits = { 'query-time-ms-max': 2000 };
  const settings = { retention: '48h', shards: 1, limits };
  const first = await startServer({ ...config(where, settings), metrics });
  t.teardown(() => first.kill());
  const lines = Array.from({ length: SLOTS * SERIES }, (_, i) => {
    const tags = `cluster=c,hostname=h,type=hwthread,type-id=${i % SERIES}`;
    return `m,${tags} value=${i % 1000} ${FROM + Math.floor(i / SERIES) * 10}`;
  });
  t.equal((await first.write(lines.join('\n'))).status, 200);
  await first.stop();

  const server = await startServer({ ...config(where, { ...settings, retention: '1h' }), metrics });
  t.teardown(() => server.kill());
  t.ok(await becomesReady(server));
  t.ok(await archived(server), server.output());
  const select = { metric: 'm', scope: 'hwthread' };
  const range = { cluster: 'c', from: NEWEST + STEP - POINTS * 10, to: NEWEST + STEP };
  const url = `${server.url}/api/v2/query?format=csv`;
  const before = server.rssBytes();
  const slow = await open(url, { ...range, select });
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const held = server.rssBytes() - before;
  t.ok(held < 400e6, `${Math.round(held / 1e6)} MB are held`);
  // It has the thread: others are told so.
  const other = { ...range, select: { ...select, ids: '0' } };
  const refused = await server.post('/api/v2/query', other);
  t.equal(refused.status, 503);
  t.match(refused.text, /it has waited 2000 ms for the archive/);
  const bytes = await lengthOf(slow);
  t.ok(bytes > 100e6, `${bytes} bytes`);
  const whole = await open(url, { ...range, select });
  t.equal(await lengthOf(whole), bytes, 'as for one that does not wait');

  const gone = await open(url, { ...range, select });
  gone.destroy();
  const isFree = async (): Promise<boolean> =>
    (await server.post('/api/v2/query', other)).status === 200;
  t.ok(await eventually(isFree), 'one that goes away has it no more');
  t.equal((await open(url, { ...range, select: { metric: 'm', ids: '0-3' } })).statusCode, 200);
});
