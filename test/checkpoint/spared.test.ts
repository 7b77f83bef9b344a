import t, { type Test } from 'tap';
import { join } from 'node:path';
import { DEFAULTS } from '../../src/config/config.js';
import { Counters } from '../../src/protocol/counters.js';
import type { HostsInUse } from '../../src/protocol/hosts-in-use.js';
import type { FreeBounds } from '../../workers/free-bounds.js';
import { Retention } from '../../workers/retention.js';
import { CLUSTER, DiskStore, T0, temporaryFolder } from './disk-store.js';

const SLOTS = 600;
const HOSTS = ['a', 'b', 'c'];
const TO = T0 + 400 * 60;
const SPARED_TO = T0 + 250 * 60;

function filled(store: DiskStore): void {
  for (const host of HOSTS) {
    for (let slot = 0; slot < SLOTS; slot++) {
      store.write({ metric: 'load', host }, T0 + slot * 60, slot);
    }
  }
}

/** Seconds after T0 of the oldest sample of each host. */
function oldest(store: DiskStore): number[] {
  return HOSTS.map((host) => {
    const slots = [...store.read({ metric: 'load', host }).keys()];
    return slots.length === 0 ? -1 : Math.min(...slots) * 60 - T0;
  });
}

/** Whole blocks go: what is left begins no more than one before the bound of those that are not spared. */
function isAfter(sec: number): boolean {
  return sec > 250 * 60 && sec <= 400 * 60;
}

async function check(t: Test, bounds: FreeBounds, expected: (of: number[]) => void): Promise<void> {
  let store = await DiskStore.open(join(temporaryFolder(), 'shard-0'));
  filled(store);
  t.ok(store.durability.freeArchived(1, bounds) > 0);
  const left = oldest(store);
  expected(left);
  store = await DiskStore.open(await store.crash());
  t.same(store.summary.problems, []);
  t.same(oldest(store), left, 'the log tells the same');
  t.equal(store.durability.archiveRun, 1);
  await store.stop();
  store = await DiskStore.open(store.folder);
  t.same(oldest(store), left, 'and the checkpoint');
  await store.stop();
}

t.test('a run of the archive that spares hosts, and a restart', async (t) => {
  const hosts: [string, string][] = [
    [CLUSTER, 'b'],
    [CLUSTER, 'gone'],
    ['other', 'a'],
  ];
  await check(t, { toSec: TO }, ([a, b, c]) => {
    for (const sec of [a, b, c]) t.ok(isAfter(sec!), 'nobody is');
  });
  await check(t, { toSec: TO, spared: { hosts, toSec: 0 } }, ([a, b, c]) => {
    t.equal(b, 0, 'one keeps all');
    for (const sec of [a, c]) t.ok(isAfter(sec!), 'and the others do not');
  });
  await check(t, { toSec: TO, spared: { hosts, toSec: SPARED_TO } }, ([a, b, c]) => {
    t.ok(b! > 0 && b! <= 250 * 60, 'memory is short: one keeps more');
    for (const sec of [a, c]) t.ok(isAfter(sec!));
  });
});

t.test('more hosts than a record of the log can name', async (t) => {
  const store = await DiskStore.open(join(temporaryFolder(), 'shard-0'));
  filled(store);
  const hosts = Array.from({ length: 40_000 }, (_, i): [string, string] => [
    CLUSTER,
    `${'x'.repeat(100)}${i}`,
  ]);
  const bounds = { toSec: TO, spared: { hosts, toSec: 0 } };
  t.throws(() => store.durability.freeArchived(1, bounds), /40000 hosts in use are too many/);
  t.same(oldest(store), [0, 0, 0], 'nothing was freed');
  t.equal(store.durability.archiveRun, 0);
  await store.stop();
});

t.test('what goes by its age', async (t) => {
  const store = DiskStore.inMemory();
  filled(store);
  const config = { ...DEFAULTS.store, retentionSec: 300 * 60 };
  const counters = new Counters(store.memory);
  const retention = new Retention(store.kernel, store.engine, config, counters);
  const nowSec = T0 + SLOTS * 60;
  const minSec = nowSec - config.retentionSec;
  const turn = (hosts: HostsInUse): number[] => {
    retention.hostsInUse = hosts;
    retention.tick(nowSec);
    t.same(retention.bounds(nowSec), { toSec: nowSec }, 'memory that is short spares nobody');
    return oldest(store);
  };
  t.same(turn('all'), [0, 0, 0], 'nothing, as long as nobody knows');
  t.same(retention.bounds(0), { toSec: 0 });
  t.equal(retention.savedFromSec, T0 - 60, 'files keep what memory has');
  const hosts = [[CLUSTER, 'b']];
  const [a, b, c] = turn(new Map([[CLUSTER, new Set(['b', 'unknown'])]]));
  t.equal(b, 0, 'one is spared');
  t.ok(a! > 0 && c! > 0);
  t.same(retention.bounds(0), { toSec: minSec, spared: { hosts, toSec: 0 } });
  t.same(retention.bounds(T0 + 60), { toSec: minSec, spared: { hosts, toSec: T0 + 60 } });
  t.equal(retention.savedFromSec, T0 - 60);
  const after = turn(new Map([['other', new Set(['b'])]]));
  t.ok(after[1]! > 0, 'its job has ended');
  t.same([after[0], after[2]], [a, c]);
  t.same(retention.bounds(0), { toSec: minSec });
  t.equal(retention.savedFromSec, T0 + Math.min(...after) - 60);
});
