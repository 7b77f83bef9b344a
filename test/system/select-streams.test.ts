import t, { type Test } from 'tap';
import { LineSum, openAnswer } from '../helpers/answer-stream.js';
import { becomesReady } from '../helpers/durable.js';
import { startWithLevers, type Levers } from '../helpers/levers.js';
import { eventually, metricSum } from '../helpers/metrics.js';
import { startServer, type TestServer } from '../helpers/server.js';

const MB = 1e6;
const T0 = 1_790_000_000;
const HOSTS = 12;
const THREADS = 8;
const SLOTS = 1500;
/** Each is answered with all series: 144,000 points, or 0.7 MB. */
const SELECTIONS = 60;
const PAUSE_MS = 1000;
const PATH = '/api/v2/query';

const selection = { metric: 'm', scope: 'hwthread' };
const asked = (count: number): object => {
  return { cluster: 'c', from: T0, to: T0 + SLOTS, select: Array(count).fill(selection) };
};
const short = { cluster: 'c', from: T0, to: T0 + 5, select: { ...selection, hosts: 'h1', ids: 3 } };

function config(shards: number, limits: object = {}, adapter = 'uws'): Record<string, unknown> {
  return {
    metrics: { '*': { frequency: 1, aggregation: 'sum' } },
    metricshard: {
      shards,
      'http-adapter': adapter,
      'retention-enforced': false,
      limits: { 'idle-timeout-sec': 60, ...limits },
    },
  };
}

/** Values of one thread of one host. */
function valueOf(host: number, thread: number, slot: number): number {
  return host * 1000 + thread * 100 + (slot % 97);
}

async function fill(t: Test, server: TestServer): Promise<void> {
  for (let host = 0; host < HOSTS; host++) {
    const lines: string[] = [];
    for (let slot = 0; slot < SLOTS; slot++) {
      for (let thread = 0; thread < THREADS; thread++) {
        const tags = `cluster=c,hostname=h${host},type=hwthread,type-id=${thread}`;
        lines.push(`m,${tags} value=${valueOf(host, thread, slot)} ${T0 + slot}\n`);
      }
    }
    const { status } = await server.write(lines.join(''));
    if (status !== 200) t.fail(`status ${status}`);
  }
}

async function startFilled(
  t: Test,
  shards: number,
  limits: object = {},
  adapter = 'uws',
): Promise<TestServer> {
  const server = await startServer(config(shards, limits, adapter));
  t.teardown(() => server.stop());
  await fill(t, server);
  return server;
}

async function startWithStall(t: Test): Promise<TestServer & Levers> {
  const server = await startWithLevers(config(3));
  t.teardown(() => server.kill());
  await fill(t, server);
  return server;
}

async function works(t: Test, server: TestServer): Promise<void> {
  const write = await server.write(`other,cluster=c,hostname=h1 value=1 ${T0}\n`);
  t.equal(write.status, 200, 'a write is taken');
  const { json } = await server.post(PATH, short);
  const wanted = [0, 1, 2, 3, 4].map((slot) => valueOf(1, 3, slot));
  t.same(json.results[0].data, wanted, 'a query is answered');
}

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

// A stop waits ten seconds for clients that do not read.
t.jobs = 2;

t.test('lines come before the last shard is done', async (t) => {
  const server = await startWithStall(t);
  await server.stall(2);
  const answer = await openAnswer(server, asked(1), 'ndjson');
  t.equal(answer.status, 200);
  const sum = new LineSum();
  const whole = answer.read(sum.add);
  t.ok(await eventually(() => sum.lines >= THREADS), 'lines while a shard does nothing');
  await after(100);
  t.ok(sum.lines < HOSTS * THREADS, `${sum.lines} lines`);
  server.release();
  const { isWhole, text } = await whole;
  t.ok(isWhole, 'it ends');
  const lines = text.trimEnd().split('\n');
  t.equal(lines.length, HOSTS * THREADS);
  for (const line of lines) {
    const { host, id, data } = JSON.parse(line) as { host: string; id: string; data: number[] };
    const wanted = data.every((value, slot) => {
      return value === valueOf(Number(host.slice(1)), Number(id), slot);
    });
    if (!wanted || data.length !== SLOTS) t.fail(line.slice(0, 200));
  }
});

t.test('JSON of many pieces', async (t) => {
  const server = await startFilled(t, 3);
  const { status, json, text } = await server.post(PATH, asked(20));
  t.equal(status, 200);
  t.ok(json, 'is JSON');
  t.ok(text.length > 10 * MB, `${text.length} bytes`);
  const keys: string[] = json.results.map(
    ({ select, host, id }: { select: number; host: string; id: string }) =>
      `${select} ${host.padStart(4, 'h')} ${id}`,
  );
  t.equal(keys.length, 20 * HOSTS * THREADS);
  t.equal(new Set(keys).size, keys.length);
  const order = [...Array(HOSTS).keys()].map((host) => `h${host}`).sort();
  t.same(
    json.results.slice(0, HOSTS * THREADS).map(({ host }: { host: string }) => host),
    order.flatMap((host) => Array<string>(THREADS).fill(host)),
    'host by host',
  );
});

for (const adapter of ['uws', 'node']) {
  t.test(`a client that stops reading for a while, ${adapter}`, async (t) => {
    const server = await startFilled(t, 3, {}, adapter);
    const fast = new LineSum();
    const first = await openAnswer(server, asked(SELECTIONS), 'ndjson', false);
    t.ok((await first.read(fast.add)).isWhole);
    t.equal(fast.lines, SELECTIONS * HOSTS * THREADS);
    await works(t, server);
    const before = server.rssBytes();
    const answer = await openAnswer(server, asked(SELECTIONS), 'ndjson', false);
    const began = performance.now();
    let most = 0;
    while (performance.now() - began < PAUSE_MS) {
      await works(t, server);
      most = Math.max(most, server.rssBytes() - before);
    }
    t.ok(most < 100 * MB, `${(most / MB).toFixed()} MB more`);
    const slow = new LineSum();
    const { isWhole } = await answer.read(slow.add);
    t.ok(isWhole, 'it is whole');
    t.same([slow.lines, slow.sum], [fast.lines, fast.sum], 'the same lines');
  });
}

t.test('many clients that do not read, and leave', async (t) => {
  const server = await startFilled(t, 2, { 'streams-max': 8 });
  const body = asked(SELECTIONS);
  const answers = [];
  for (let i = 0; i < 8; i++) {
    const answer = await openAnswer(server, body, ['ndjson', 'csv', 'arrow'][i % 3]!, false);
    t.equal(answer.status, 200);
    answers.push(answer);
  }
  for (const form of ['ndjson', 'csv', 'arrow']) {
    const { status, json, headers } = await server.post(`${PATH}?format=${form}`, short);
    t.equal(status, 503);
    t.match(json.error, /the limit streams-max is 8/);
    t.ok(headers.get('retry-after'), 'when to come back');
  }
  await works(t, server);
  answers.pop()!.leave();
  const isTaken = async (): Promise<boolean> =>
    (await server.post(`${PATH}?format=csv`, short)).status === 200;
  t.ok(await eventually(isTaken), 'there is a place for another');
  const whole = await answers.pop()!.read();
  t.ok(whole.isWhole, 'one of them reads on');
  for (const answer of answers) answer.leave();
  const isAlone = async (): Promise<boolean> =>
    (await metricSum(server, 'metricshard_http_requests_in_flight')) === 1;
  t.ok(await eventually(isAlone), 'they are gone');
  const usedSec = server.cpuSeconds();
  await after(500);
  t.ok(server.cpuSeconds() - usedSec < 0.3, 'and nobody works for them');
  await works(t, server);
});

t.test('a shard that dies amid an answer', async (t) => {
  const server = await startWithStall(t);
  for (const [index, form] of ['ndjson', 'csv', 'arrow'].entries()) {
    const answer = await openAnswer(server, asked(SELECTIONS), form, false);
    t.equal(answer.status, 200, form);
    server.crash(index + 1);
    const isBack = (): boolean => server.output().match(/shard is back/g)?.length === index + 1;
    t.ok(await eventually(isBack, 20_000), 'it is back');
    t.notOk((await answer.read()).isWhole, 'the connection breaks');
    t.ok(await becomesReady(server), 'ready');
    const { status } = await server.post(`${PATH}?format=${form}`, asked(1));
    t.equal(status, 200, 'and the next is answered');
    await works(t, server);
  }
});

t.test('a shard that does not serve', async (t) => {
  const server = await startWithStall(t);
  // The thread that comes for the one that dies.
  await server.stall(4);
  server.crash(2);
  const isDown = async (): Promise<boolean> => (await server.get('/ready')).status === 503;
  t.ok(await eventually(isDown));
  for (const format of ['json', 'ndjson', 'csv', 'arrow']) {
    const { status, json } = await server.post(`${PATH}?format=${format}`, asked(1));
    t.equal(status, 503, format);
    t.equal(json.status, 'Service Unavailable');
  }
  server.release();
  t.ok(await becomesReady(server), 'ready');
  await works(t, server);
});

for (const reads of [true, false]) {
  t.test(`a stop amid an answer that is ${reads ? '' : 'not '}read`, async (t) => {
    const server = await startServer(config(2));
    t.teardown(() => server.kill());
    await fill(t, server);
    const answer = await openAnswer(server, asked(SELECTIONS), 'ndjson', false);
    const stopped = server.stop();
    const sum = new LineSum();
    if (reads) {
      const { isWhole } = await answer.read(sum.add);
      const all = SELECTIONS * HOSTS * THREADS;
      t.equal(isWhole, sum.lines === all, `${sum.lines} of ${all} lines`);
    }
    t.equal(await stopped, 0, 'exit code');
    if (!reads) t.notOk((await answer.read(sum.add)).isWhole, 'the connection broke');
  });
}
