import t, { type Test } from 'tap';
import { becomesReady, durable, temporaryFolder, problemsOf } from '../helpers/durable.js';
import { agedShardEnv } from '../helpers/aged-shard.js';
import { startWithLevers } from '../helpers/levers.js';
import { startServer, type TestServer } from '../helpers/server.js';

const SLOTS = 1500;
/** Long enough ago that a head is taken for silent. */
const FROM = Math.floor(Date.now() / 1000) - 3 * 3600;
const HOSTS = ['freed', 'kept', 'gone', 'again'];

function lines(host: string, from: number, until: number, base = 0): string {
  let text = '';
  for (let slot = from; slot < until; slot++) {
    text += `second,cluster=c,hostname=${host} value=${base + slot} ${FROM + slot}\n`;
  }
  return text;
}

async function dataOf(server: TestServer, host: string): Promise<(number | null)[] | undefined> {
  const queries = [{ metric: 'second', host }];
  const { json } = await server.query({ cluster: 'c', from: FROM, to: FROM + SLOTS, queries });
  return json.results[0][0]?.data;
}

async function all(server: TestServer): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const host of HOSTS) found[host] = await dataOf(server, host);
  return found;
}

interface Case {
  readonly shards: number;
  readonly checkpoints: readonly ('before' | 'after')[];
  readonly isSwept: boolean;
  /** Whether series lie beyond 2 GiB, and counts of parts are about to wrap. */
  readonly isAged?: boolean;
}

const CASES: readonly Case[] = [
  { shards: 1, checkpoints: [], isSwept: false },
  { shards: 1, checkpoints: [], isSwept: true },
  { shards: 1, checkpoints: ['before'], isSwept: true },
  { shards: 1, checkpoints: ['before'], isSwept: true, isAged: true },
  { shards: 3, checkpoints: ['before'], isSwept: false },
  { shards: 1, checkpoints: ['after'], isSwept: false },
  { shards: 3, checkpoints: ['before', 'after'], isSwept: true },
];

for (const one of CASES) {
  const { shards, checkpoints, isSwept, isAged } = one;
  const saved = checkpoints.length > 0 ? `checkpoints ${checkpoints.join(' and ')}` : 'log only';
  const swept = isSwept ? ', silent heads sealed' : '';
  const aged = isAged ? ', beyond 2 GiB and 2³¹ parts' : '';
  t.test(`freed, then kill -9: ${shards} shard(s), ${saved}${swept}${aged}`, (t) =>
    staysFreed(t, one),
  );
}

async function staysFreed(t: Test, one: Case): Promise<void> {
  const { shards, checkpoints, isSwept, isAged = false } = one;
  const env = isAged ? { env: agedShardEnv() } : {};
  const directory = temporaryFolder(t, 'free');
  const server = await startWithLevers(durable(directory, shards), env);
  t.teardown(() => server.kill());
  const checkpoint = async (when: 'before' | 'after'): Promise<void> => {
    if (!checkpoints.includes(when)) return;
    t.equal((await server.post('/api/v2/admin/checkpoint', '')).status, 200);
  };
  for (const host of HOSTS) t.equal((await server.write(lines(host, 0, SLOTS))).status, 200);
  // A sweep is made each minute.
  if (isSwept) await server.clockAhead(90);
  await checkpoint('before');
  const free = async (host: string, to: number): Promise<void> => {
    const { status, text } = await server.post(`/api/free?to=${to}`, [['c', host]]);
    t.match(text, /^buffers freed: [1-9]/, `${host}: ${status}`);
  };
  await free('freed', FROM + SLOTS / 2);
  await free('gone', FROM + 10 * SLOTS);
  await free('again', FROM + 10 * SLOTS);
  // What comes later has a place where something was freed.
  t.equal((await server.write(lines('again', 100, 400, 5000))).status, 200);
  t.equal((await server.write(lines('freed', 10, 20, 5000))).status, 200);
  await checkpoint('after');
  const before = await all(server);
  const values = (host: string): number[] =>
    ((before[host] ?? []) as (number | null)[]).filter((value) => value !== null);
  t.equal(values('kept').length, SLOTS, 'of others nothing is freed');
  t.ok(values('freed').length < SLOTS && values('freed').includes(SLOTS - 1), 'the old part goes');
  t.ok(values('freed').includes(5015), 'a late sample after it stays');
  t.ok(values('again').includes(5250), 'a host that was freed is written again');
  await server.kill();
  for (let start = 1; start <= 2; start++) {
    const again = await startServer(durable(directory, shards), env);
    t.teardown(() => again.kill());
    t.ok(await becomesReady(again), 'ready');
    t.same(await all(again), before, `start ${start}: the same as before`);
    t.same(problemsOf(again), [], 'no problem');
    await again.stop();
  }
}

t.test('freed twice, the second time less far, and written between', async (t) => {
  const directory = temporaryFolder(t, 'free-twice');
  const first = await startServer(durable(directory, 1));
  t.teardown(() => first.kill());
  const checkpoint = async (server: TestServer): Promise<void> => {
    t.equal((await server.post('/api/v2/admin/checkpoint', '')).status, 200);
  };
  const free = async (to: number): Promise<void> => {
    const { text } = await first.post(`/api/free?to=${FROM + to}`, [['c', 'kept']]);
    t.match(text, /^buffers freed: [1-9]/, text);
  };
  await first.write(lines('kept', 0, SLOTS));
  await checkpoint(first);
  await free(1200);
  await first.write(lines('kept', 0, 1000, 5000));
  await checkpoint(first);
  await free(500);
  const before = await dataOf(first, 'kept');
  const values = before!.filter((value) => value !== null);
  t.ok(values.includes(5900), 'what lies behind the second one stays');
  t.notOk(values.includes(5100), 'what lies before goes');
  await first.kill();
  for (let start = 1; start <= 2; start++) {
    const server = await startServer(durable(directory, start === 1 ? 1 : 3));
    t.teardown(() => server.kill());
    t.ok(await becomesReady(server), 'ready');
    t.same(await dataOf(server, 'kept'), before, `start ${start}: the same as before`);
    if (start === 1) {
      await server.write(lines('other', 0, 10));
      await checkpoint(server);
    }
    await server.kill();
  }
  // The checkpoints of the new folder count from 1 again.
  const last = await startServer(durable(directory, 3));
  t.teardown(() => last.kill());
  t.ok(await becomesReady(last), 'ready');
  t.same(await dataOf(last, 'kept'), before, 'and after a move');
});
