import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { hashHost } from '../../src/model/hash.js';
import { DataFolder } from '../../src/routing/data-folder.js';
import { CLUSTER, DiskStore, T0, temporaryFolder, type Where } from './disk-store.js';

const HOSTS = Array.from({ length: 12 }, (_, index) => `h${index}`);
const METRICS = { load: { frequency: 60, aggregation: 'sum' } } as const;

function whereOf(host: string): Where {
  return { metric: 'load', host };
}

/** All shards of a data folder, restored; moved to their number if it was another. */
async function openShards(path: string, count: number): Promise<[DataFolder, DiskStore[]]> {
  const folder = DataFolder.open(path, count);
  const stores: DiskStore[] = [];
  for (let shard = 0; shard < count; shard++) {
    const { own, sources } = folder.foldersOf(shard);
    const owns = (cluster: string, host: string): boolean =>
      hashHost(cluster, host) % count === shard;
    const store = await DiskStore.open(own, { sources, owns, metrics: METRICS });
    t.same(store.summary.problems, []);
    stores.push(store);
  }
  if (folder.isMoving) {
    for (const [shard, store] of stores.entries()) {
      await store.checkpoint();
      t.equal(folder.saved(shard), shard === count - 1, 'the last one ends the move');
    }
  }
  return [folder, stores];
}

t.test('shards become more, and fewer', async (t) => {
  const path = join(temporaryFolder(), 'data');
  const should = new Map(HOSTS.map((host) => [host, new Map<number, number>()]));
  let slot = 0;
  for (const count of [1, 3, 3, 2, 1, 2]) {
    const [folder, stores] = await openShards(path, count);
    const storeOf = (host: string): DiskStore => stores[hashHost(CLUSTER, host) % count]!;
    for (const host of HOSTS) {
      t.strictSame(storeOf(host).read(whereOf(host)), should.get(host), `${host} in ${count}`);
    }
    const series = stores.reduce((sum, store) => sum + store.engine.seriesCount, 0);
    t.equal(series, slot === 0 ? 0 : HOSTS.length);
    for (let piece = 0; piece < 3; piece++) {
      for (const until = slot + 150; slot < until; slot++) {
        for (const host of HOSTS) {
          storeOf(host).write(whereOf(host), T0 + slot * 60, slot);
          should.get(host)!.set(T0 / 60 + slot, slot);
        }
      }
      for (const store of stores) store.flush();
      // What is freed and comes late has to be told apart under the new numbers, too.
      if (piece === 1) {
        for (const store of stores) store.free([[CLUSTER]], T0 + (slot - 200) * 60);
        for (const host of HOSTS) {
          storeOf(host).write(whereOf(host), T0 + (slot - 400) * 60, 0.5);
          storeOf(host).flush();
          should.set(host, storeOf(host).read(whereOf(host)));
        }
      }
      if (piece < 2) for (const store of stores) await store.checkpoint();
    }
    folder.release();
  }
});

t.test('a metric has another step', async (t) => {
  for (const stepSec of [120, 30, 60]) {
    const where = whereOf('h');
    const store = await DiskStore.open(join(temporaryFolder(), 'shard'), { metrics: METRICS });
    for (let slot = 0; slot < 700; slot++) {
      store.write(where, T0 + slot * 60, slot);
      if (slot === 500) await store.checkpoint();
    }
    store.flush();
    const should = new Map<number, number>();
    for (let slot = 0; slot < 700; slot++) {
      // A sample between two slots belongs to the lower one, which has the mean.
      if (stepSec === 120 && slot % 2 === 1) continue;
      should.set((T0 + slot * 60) / stepSec, stepSec === 120 ? slot + 0.5 : slot);
    }
    const metrics = { load: { frequency: stepSec, aggregation: 'sum' } } as const;
    let again = await DiskStore.open(await store.crash(), { metrics });
    t.strictSame(again.read(where), should, `${stepSec} s`);
    again.write(where, T0 + 800 * 60, 1);
    again.flush();
    const later = again.read(where);
    t.equal(later.get((T0 + 800 * 60) / stepSec), 1);
    again = await DiskStore.open(await again.crash(), { metrics });
    t.strictSame(again.read(where), later, 'what came after that is kept before a checkpoint');
    t.same(again.summary.problems, []);
    await again.stop();
  }
});

t.test('a metric is not configured any more', async (t) => {
  const both = { ...METRICS, power: METRICS.load };
  const power: Where = { metric: 'power', host: 'h' };
  for (const inCheckpoint of [true, false]) {
    const store = await DiskStore.open(join(temporaryFolder(), 'shard'), { metrics: both });
    for (let slot = 0; slot < 300; slot++) {
      store.write(whereOf('h'), T0 + slot * 60, slot);
      store.write(power, T0 + slot * 60, slot);
    }
    store.flush();
    if (inCheckpoint) await store.checkpoint();
    const left = await store.crash();
    let again = await DiskStore.open(left, { metrics: METRICS });
    t.match(again.summary.problems[0], /metric power of \w+ is not configured any more/);
    t.equal(again.read(whereOf('h')).size, 300);
    await again.checkpoint();
    again = await DiskStore.open(await again.crash(), { metrics: METRICS });
    t.same(again.summary.problems, [], 'it is told once');
    t.equal(again.read(whereOf('h')).size, 300);
    await again.stop();
    const aside = join(dirname(left), 'aside');
    t.ok(existsSync(aside));
    const kept = readdirSync(aside, { recursive: true, encoding: 'utf8' });
    for (const start of inCheckpoint ? ['series-', 'blocks-'] : ['log-']) {
      t.ok(
        kept.some((name) => name.includes(`/${start}`)),
        `${start} is kept aside`,
      );
    }
  }
});
