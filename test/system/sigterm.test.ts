import t, { type Test } from 'tap';
import { becomesReady, durable, filesBelow, temporaryFolder } from '../helpers/durable.js';
import { Ledger, load } from '../helpers/ledger.js';
import { seed } from '../helpers/random.js';
import { startServer } from '../helpers/server.js';

const WRITERS = 2;
const BODIES = 20;

async function fill(server: Awaited<ReturnType<typeof startServer>>, ledger: Ledger) {
  let bodies = 0;
  return load(server, ledger, WRITERS, () => bodies++ >= BODIES);
}

for (const shards of [1, 3]) {
  t.test(`SIGTERM saves all, ${shards} shard(s), seed ${seed}`, async (t) => {
    const directory = temporaryFolder(t, 'sigterm');
    await savesAll(t, directory, shards);
  });

  t.test(`a checkpoint without anything new writes nothing, ${shards} shard(s)`, async (t) => {
    const directory = temporaryFolder(t, 'nothing-new');
    await writesNothing(t, directory, shards);
  });
}

async function savesAll(t: Test, directory: string, shards: number): Promise<void> {
  const ledger = new Ledger(seed, WRITERS, 4);
  for (let start = 0; start < 3; start++) {
    const server = await startServer(durable(directory, shards));
    t.teardown(() => server.kill());
    t.ok(await becomesReady(server), 'ready');
    t.same(await ledger.wrong(server), [], `start ${start}: all is there`);
    const restored = [...server.output().matchAll(/"frames":(\d+)/g)].map(([, frames]) => frames);
    if (start > 0) t.ok(restored.length > 0, 'it tells what was restored');
    t.same(
      restored.filter((frames) => frames !== '0'),
      [],
      'nothing of it from a log',
    );
    t.equal((await fill(server, ledger)).refused.length, 0);
    t.equal(await server.stop(), 0, 'SIGTERM ends it well');
    const files = filesBelow(directory);
    t.ok(
      files.some((file) => /MANIFEST/.test(file)),
      'there is a checkpoint',
    );
    t.notOk(
      files.some((file) => /\.new |LOCK/.test(file)),
      'nothing is left over',
    );
    t.notOk(
      files.some((file) => /\.wal [1-9]/.test(file)),
      'logs are empty',
    );
  }
}

async function writesNothing(t: Test, directory: string, shards: number): Promise<void> {
  const ledger = new Ledger(seed, WRITERS, 4);
  const server = await startServer(durable(directory, shards));
  t.teardown(() => server.kill());
  await fill(server, ledger);
  const first = await server.post('/api/v2/admin/checkpoint', '');
  t.equal(first.status, 200);
  t.equal(first.json.shards.length, shards);
  t.ok(first.json.shards.some((one: { isNothingNew: boolean }) => !one.isNothingNew));
  const before = filesBelow(directory);
  const second = await server.post('/api/v2/admin/checkpoint', '');
  t.equal(second.status, 200);
  for (const one of second.json.shards as { isNothingNew: boolean; bytes: number }[]) {
    t.match(one, { isNothingNew: true, bytes: 0 });
  }
  t.same(filesBelow(directory), before, 'the files are as they were');
  await server.stop();

  // Files of starts that had nothing to write do not pile up.
  for (let start = 0; start < 3; start++) {
    const again = await startServer(durable(directory, shards));
    t.teardown(() => again.kill());
    t.ok(await becomesReady(again), 'ready');
    await again.stop();
  }
  const logs = filesBelow(directory).filter((file) => file.includes('.wal'));
  t.ok(logs.length <= shards, `at most one log of each shard: ${logs.join(', ')}`);
}
