import t, { type Test } from 'tap';
import { becomesReady, durable, problemsOf, temporaryFolder } from '../helpers/durable.js';
import { Ledger, load } from '../helpers/ledger.js';
import { Random, seed } from '../helpers/random.js';
import { startServer, type TestServer } from '../helpers/server.js';

/** In all; `KILLS=200` for a long run. */
const KILLS = Number(process.env['KILLS']) || 10;
const WRITERS = 4;
const HOSTS_EACH = 6;
const LOAD_MS_MAX = 600;
/** Of a start; in this time a store is killed at its start. */
const START_MS_MAX = 1500;

interface Case {
  readonly shards: number;
  readonly makesCheckpoints: boolean;
}

const CASES: readonly Case[] = [
  { shards: 1, makesCheckpoints: false },
  { shards: 1, makesCheckpoints: true },
  { shards: 3, makesCheckpoints: false },
  { shards: 3, makesCheckpoints: true },
];

if (KILLS > 20) t.setTimeout(0);

CASES.forEach((one, index) => {
  const also = one.makesCheckpoints ? ', while checkpoints are made' : '';
  t.test(`kill -9 with ${one.shards} shard(s)${also}, seed ${seed + index}`, async (t) => {
    await survives(t, one, seed + index, Math.ceil((KILLS - index) / CASES.length));
  });
});

/** Kills a store at random moments; after each start all that it acknowledged is there. */
async function survives(t: Test, one: Case, from: number, kills: number): Promise<void> {
  const directory = temporaryFolder(t, 'kill');
  const random = new Random(from);
  const ledger = new Ledger(from, WRITERS, HOSTS_EACH);
  for (let kill = 1; kill <= kills; kill++) {
    if (kill > 1 && random.chance(0.2)) await killAtStart(one, directory, random);
    const server = await started(t, one, directory);
    t.same(await ledger.wrong(server), [], `before kill ${kill}: ${ledger.acknowledgedCount}`);
    const running = load(server, ledger, WRITERS, () => false);
    const checkpoints = one.makesCheckpoints ? makeCheckpoints(server) : Promise.resolve([]);
    await new Promise((resolve) => setTimeout(resolve, random.below(LOAD_MS_MAX)));
    await server.kill();
    const { refused } = await running;
    t.same(refused, [], 'nothing was refused');
    const failed = (await checkpoints).filter((status) => status !== 200);
    t.same(failed, [], 'no checkpoint failed');
  }
  const server = await started(t, one, directory);
  t.same(await ledger.wrong(server), [], `at the end: ${ledger.acknowledgedCount}`);
  t.ok(ledger.acknowledgedCount > 0, 'samples were acknowledged');
  t.equal(await server.stop(), 0);
}

async function started(t: Test, { shards }: Case, directory: string): Promise<TestServer> {
  const server = await startServer(durable(directory, shards));
  t.teardown(() => server.kill());
  if (!(await becomesReady(server))) t.fail(`not ready: ${server.output()}`);
  t.same(problemsOf(server), [], 'without a problem');
  return server;
}

async function killAtStart({ shards }: Case, directory: string, random: Random): Promise<void> {
  const afterMs = random.below(START_MS_MAX);
  let timer: NodeJS.Timeout | undefined;
  const onSpawn = (pid: number): void => {
    timer = setTimeout(() => process.kill(pid, 'SIGKILL'), afterMs);
  };
  const server = await startServer(durable(directory, shards), { onSpawn }).catch(() => undefined);
  clearTimeout(timer);
  await server?.kill();
}

/** One after the other, until the store is gone. */
async function makeCheckpoints(server: TestServer): Promise<number[]> {
  const statuses: number[] = [];
  for (;;) {
    try {
      statuses.push((await server.post('/api/v2/admin/checkpoint', '')).status);
    } catch {
      return statuses;
    }
  }
}
