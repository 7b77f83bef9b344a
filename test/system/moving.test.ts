import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { publishManifest, readManifest } from '../../workers/checkpoint/manifest.js';
import {
  becomesReady,
  durable,
  filesBelow,
  temporaryFolder,
  problemsOf,
} from '../helpers/durable.js';
import { Ledger, load } from '../helpers/ledger.js';
import { startWithLevers } from '../helpers/levers.js';
import { eventually } from '../helpers/metrics.js';
import { Random, seed } from '../helpers/random.js';
import { startServer, type TestServer } from '../helpers/server.js';

const WRITERS = 3;

function bodies(count: number): () => boolean {
  let done = 0;
  return () => done++ >= count;
}

async function started(t: Test, directory: string, shards: number): Promise<TestServer> {
  const server = await startServer(durable(directory, shards));
  t.teardown(() => server.kill());
  t.ok(await becomesReady(server), `ready with ${shards}: ${server.output()}`);
  t.same(problemsOf(server), [], 'without a problem');
  return server;
}

t.test(`shards 1, 3, 1, each time after kill -9, seed ${seed}`, async (t) => {
  const directory = temporaryFolder(t, 'moving');
  const ledger = new Ledger(seed, WRITERS, 6);
  const random = new Random(seed);
  for (const shards of [1, 3, 3, 1, 1]) {
    const server = await started(t, directory, shards);
    t.same(await ledger.wrong(server), [], `${shards}: ${ledger.acknowledgedCount} are there`);
    t.equal((await load(server, ledger, WRITERS, bodies(20))).refused.length, 0);
    if (random.chance(0.5)) await server.post('/api/v2/admin/checkpoint', '');
    t.equal((await load(server, ledger, WRITERS, bodies(10))).refused.length, 0);
    await server.kill();
    const epochs = new Set(filesBelow(directory).map((file) => /^epoch-\d+/.exec(file)?.[0]));
    epochs.delete(undefined);
    t.equal(epochs.size, 1, `only one epoch is left: ${[...epochs].join(', ')}`);
  }
});

t.test(`numbers of series that are used up are given out anew, seed ${seed}`, async (t) => {
  const directory = temporaryFolder(t, 'numbers');
  const ledger = new Ledger(seed, WRITERS, 6);
  const first = await started(t, directory, 2);
  await load(first, ledger, WRITERS, bodies(20));
  await first.post('/api/v2/admin/checkpoint', '');
  await load(first, ledger, WRITERS, bodies(10));
  await first.kill();
  const folder = join(directory, 'epoch-1', 'shard-1');
  const { manifest } = readManifest(folder);
  publishManifest(folder, { ...manifest!, nextSeriesId: 3_000_000 });
  const second = await started(t, directory, 2);
  t.match(second.output(), /series are numbered anew, and data moves to new files/);
  t.same(await ledger.wrong(second), [], `${ledger.acknowledgedCount} are there`);
  t.notOk(existsSync(folder), 'the old epoch has gone');
  await load(second, ledger, WRITERS, bodies(10));
  await second.kill();
  const moved = readManifest(join(directory, 'epoch-2', 'shard-1')).manifest!;
  t.equal(moved.nextSeriesId, moved.series.count + 1);
  const third = await started(t, directory, 2);
  t.notMatch(third.output(), /numbered anew/);
  t.same(await ledger.wrong(third), [], 'and after a kill');
});

t.test(`killed while data moves, seed ${seed}`, async (t) => {
  const directory = temporaryFolder(t, 'move-killed');
  const ledger = new Ledger(seed, WRITERS, 6);
  const random = new Random(seed);
  const first = await started(t, directory, 1);
  await load(first, ledger, WRITERS, bodies(40));
  await first.kill();
  for (let kill = 0; kill < 3; kill++) {
    let timer: NodeJS.Timeout | undefined;
    const onSpawn = (pid: number): void => {
      timer = setTimeout(() => process.kill(pid, 'SIGKILL'), 300 + random.below(900));
    };
    const moving = startServer(durable(directory, 3), { onSpawn }).catch(() => undefined);
    const server = await moving;
    clearTimeout(timer);
    await server?.kill();
  }
  const last = await started(t, directory, 3);
  t.same(await ledger.wrong(last), [], 'all is there');
});

t.test(`a shard dies while data moves, and after it has, seed ${seed}`, async (t) => {
  const directory = temporaryFolder(t, 'move-crashed');
  const ledger = new Ledger(seed, WRITERS, 6);
  const first = await started(t, directory, 1);
  await load(first, ledger, WRITERS, bodies(40));
  await first.kill();

  // One waits, so that the others have saved what they own and wait for it.
  const server = await startWithLevers(durable(directory, 3), { stalled: 2 });
  t.teardown(() => server.kill());
  const dies = async (thread: number, deaths: number): Promise<void> => {
    server.crash(thread);
    const isDown = (): boolean => server.output().match(/shard died/g)?.length === deaths;
    t.ok(await eventually(isDown), `it died: ${server.output()}`);
  };
  const areSaved = (): boolean =>
    filesBelow(directory).filter((file) => /^epoch-2.*MANIFEST /.test(file)).length === 2;
  t.ok(await eventually(areSaved), 'two are saved');
  t.equal((await server.get('/ready')).status, 503, 'but do not serve');
  await dies(1, 1);
  server.release();
  t.ok(await becomesReady(server), `ready: ${server.output()}`);
  t.same(await ledger.wrong(server), [], 'all is there');

  // Its thread is the third of the first starts.
  await load(server, ledger, WRITERS, bodies(20));
  await dies(3, 2);
  t.ok(await eventually(() => /shard is back/.test(server.output())), 'it is back');
  t.ok(await becomesReady(server), `ready: ${server.output()}`);
  t.same(await ledger.wrong(server), [], 'with its data, also what was written since');
  t.equal((await load(server, ledger, WRITERS, bodies(20))).refused.length, 0, 'it goes on');
  await server.kill();
  const again = await started(t, directory, 3);
  t.same(await ledger.wrong(again), [], 'and after a kill');
});

const FROM = Math.floor(Date.now() / 60_000) * 60 - 7200;
const SECONDS = 1000;

async function dataOf(server: TestServer): Promise<{ from: number; data: (number | null)[] }> {
  const queries = [{ metric: 'm', host: 'h' }];
  const request = { cluster: 'c', from: FROM, to: FROM + SECONDS, queries };
  return (await server.query(request)).json.results[0][0];
}

for (const ending of ['SIGTERM', 'SIGKILL']) {
  for (const shards of [1, 3]) {
    t.test(`a step of 1 s becomes 10 s and 1 s, ${ending}, to ${shards} shard(s)`, async (t) => {
      await changesStep(t, ending, shards);
    });
  }
}

async function changesStep(t: Test, ending: string, shards: number): Promise<void> {
  const directory = temporaryFolder(t, 'step');
  const start = async (stepSec: number, count: number): Promise<TestServer> => {
    const metrics = { m: { frequency: stepSec, aggregation: 'avg' } };
    const server = await startServer(durable(directory, count, metrics));
    t.teardown(() => server.kill());
    t.ok(await becomesReady(server), `ready: ${server.output()}`);
    return server;
  };
  const end = (server: TestServer): Promise<unknown> =>
    ending === 'SIGTERM' ? server.stop() : server.kill();
  const fine = await start(1, 1);
  let text = '';
  for (let i = 0; i < SECONDS; i++) text += `m,cluster=c,hostname=h value=${i} ${FROM + i}\n`;
  t.equal((await fine.write(text)).status, 200);
  await end(fine);

  const coarse = await start(10, shards);
  const { from, data } = await dataOf(coarse);
  t.equal(data.length, SECONDS / 10, 'a tenth of the points');
  // A slot has the samples nearest to it, with ties to the lower: from 4 before it to 5 after.
  const first = from - FROM;
  data.slice(1, -1).forEach((value, i) => t.equal(value, first + (i + 1) * 10 + 0.5));
  t.equal((await coarse.write(`m,cluster=c,hostname=h value=7 ${FROM + 500}\n`)).status, 200);
  await end(coarse);

  const again = await start(1, shards);
  const finer = await dataOf(again);
  const values = new Map(finer.data.map((value, i) => [finer.from + i - FROM, value]));
  t.equal(values.get(500), 7, 'the sample written meanwhile');
  t.equal(values.get(600), 600.5, 'a mean stays at its time');
  t.equal(values.get(601), null, 'between there is nothing');
  t.equal((await again.write(`m,cluster=c,hostname=h value=8 ${FROM + 601}\n`)).status, 200);
  t.equal((await dataOf(again)).data[601 - (finer.from - FROM)], 8);
  await end(again);
}
