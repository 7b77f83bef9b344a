import t, { type Test } from 'tap';
import { startWithLevers, type Levers } from '../helpers/levers.js';
import { eventually, metricSum, readMetrics } from '../helpers/metrics.js';
import type { Reply, TestServer } from '../helpers/server.js';
import { openSocket, postHead, statusLineOf } from '../helpers/socket.js';

const NOW = 1_790_000_000 - (1_790_000_000 % 60);
const WAIT_MS = 300;
/** Room for bodies in a shard is 64 MiB; 64 bodies of almost 1 MiB fit. */
const LARGE_BYTES = 1_000_000;
const LARGE_BODIES = 90;

type Store = TestServer & Levers;

function line(host: string): string {
  return `m,cluster=c,hostname=${host} value=1.5 ${NOW}\n`;
}

/** A body of a given size: lines of one host, then comments. */
function largeBody(host: string): string {
  const comment = `# ${'x'.repeat(997)}\n`;
  const first = line(host);
  return first + comment.repeat(Math.floor((LARGE_BYTES - first.length) / comment.length));
}

/** Which of the hosts have their sample. */
async function stored(server: TestServer, hosts: readonly string[]): Promise<Set<string>> {
  const { json } = await server.query({
    cluster: 'c',
    from: NOW,
    to: NOW + 60,
    queries: hosts.map((host) => ({ metric: 'm', host })),
  });
  return new Set(hosts.filter((_, i) => json.results[i][0]?.data[0] === 1.5));
}

/** Sends while the shard is held, lets go, and says what became of each body. */
async function sendWhileHeld(
  t: Test,
  server: Store,
  bodies: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, Reply>> {
  await server.stall();
  const replies = new Map<string, Reply>();
  const all = [...bodies].map(async ([host, body]) => {
    replies.set(host, await server.write(body));
  });
  t.ok(await eventually(() => replies.size > 0), 'some are answered while the shard is held');
  const ping = await server.get('/ping');
  t.equal(ping.status, 204, 'the front is not held');
  // All that found no room have waited their time by then.
  await new Promise((resolve) => setTimeout(resolve, 2 * WAIT_MS));
  const early = new Set([...replies.values()].map(({ status }) => status));
  t.same([...early], [503], 'they are refused, and none is taken for stored');
  server.release();
  await Promise.all(all);
  return replies;
}

async function refusedOrStored(
  t: Test,
  server: Store,
  replies: ReadonlyMap<string, Reply>,
): Promise<void> {
  const refused = [...replies].filter(([, { status }]) => status === 503);
  const accepted = [...replies].filter(([, { status }]) => status === 200);
  t.ok(refused.length > 0 && accepted.length > 0, `${refused.length} refused`);
  t.equal(refused.length + accepted.length, replies.size, 'there is no third');
  for (const [, { headers, json }] of refused.slice(0, 3)) {
    t.equal(headers.get('retry-after'), '1');
    t.match(json, { status: 'Service Unavailable', error: `${WAIT_MS} ms (write-wait-ms-max)` });
  }
  const there = await stored(server, [...replies.keys()]);
  t.same(
    accepted.filter(([host]) => !there.has(host)),
    [],
    'what was accepted is stored',
  );
  t.same(
    refused.filter(([host]) => there.has(host)),
    [],
    'nothing of what was refused',
  );
  const counted = (await readMetrics(server)).get(
    'metricshard_http_requests_total{path="/api/write",status="503"}',
  );
  t.equal(counted, refused.length, 'and counted');
  const again = await Promise.all(refused.slice(0, 20).map(([host]) => server.write(line(host))));
  t.ok(
    again.every(({ status }) => status === 200),
    'it is taken when it is sent again',
  );
  const known = await stored(server, ['known']);
  t.equal(known.size, 1, 'what was there before is there');
}

async function start(t: Test, adapter: string): Promise<Store> {
  const server = await startWithLevers({
    metrics: { '*': { frequency: 60, aggregation: 'avg' } },
    metricshard: {
      shards: 1,
      'http-adapter': adapter,
      'retention-enforced': false,
      limits: { 'write-wait-ms-max': WAIT_MS },
    },
  });
  t.teardown(() => server.stop());
  await server.write(line('known'));
  return server;
}

for (const adapter of ['uws', 'node']) {
  t.test(`a shard without room for bytes, ${adapter}`, async (t) => {
    const server = await start(t, adapter);
    const before = server.rssBytes();
    const hosts = Array.from({ length: LARGE_BODIES }, (_, i) => `large${i}`);
    const replies = await sendWhileHeld(
      t,
      server,
      new Map(hosts.map((host) => [host, largeBody(host)])),
    );
    const grownMb = (server.rssBytes() - before) / 1e6;
    t.ok(grownMb < 64 * 1.05 + 100, `resident memory grew by ${grownMb.toFixed()} MB`);
    await refusedOrStored(t, server, replies);
  });

  t.test(`a body of which a part is taken waits for room, ${adapter}`, async (t) => {
    const server = await start(t, adapter);
    const socket = await openSocket(server.port);
    t.teardown(() => socket.destroy());
    const answered = statusLineOf(socket, 20_000);
    const half = largeBody('parted').repeat(30);
    const rest = largeBody('rest').repeat(30);
    socket.write(postHead('/api/write', half.length + rest.length) + half);
    const isTaken = async (): Promise<boolean> =>
      (await metricSum(server, 'metricshard_parts_total')) > 5;
    t.ok(await eventually(isTaken), 'some of it is stored');
    await server.stall();
    const statuses: number[] = [];
    const others = Array.from({ length: LARGE_BODIES }, async (_, i) => {
      statuses.push((await server.write(largeBody(`other${i}`))).status);
    });
    t.ok(await eventually(() => statuses.includes(503)), 'others are refused');
    socket.write(rest);
    await new Promise((resolve) => setTimeout(resolve, 2 * WAIT_MS));
    server.release();
    t.match(await answered, /200/, 'it is not refused by half');
    await Promise.all(others);
    t.same(await stored(server, ['parted', 'rest']), new Set(['parted', 'rest']));
  });
}
