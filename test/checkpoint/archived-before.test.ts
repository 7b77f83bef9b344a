import t from 'tap';
import { archivedBefore } from '../../src/protocol/changes.js';
import { DiskStore, T0, temporaryFolder } from './disk-store.js';
import { join } from 'node:path';

const WHERE = { metric: 'load', host: 'a' };
const TO = T0 + 300 * 60;

function boundOf(store: DiskStore): number {
  return archivedBefore(store.memory);
}

t.test('a restart knows up to when was archived, by log or checkpoint', async (t) => {
  const folder = join(temporaryFolder(), 'shard-0');
  let store = await DiskStore.open(folder);
  for (let slot = 0; slot < 600; slot++) store.write(WHERE, T0 + slot * 60, slot);
  t.equal(boundOf(store), 0, 'nothing was');
  store.free([[]], T0 + 200 * 60);
  t.equal(boundOf(store), 0, 'what is deleted is in no archive');
  store.engine.samplesArchived(TO);
  t.ok(store.durability.freeArchived(1, { toSec: TO }) > 0);
  t.equal(boundOf(store), TO);

  store = await DiskStore.open(await store.crash());
  t.equal(boundOf(store), TO, 'from the log');
  await store.stop();
  store = await DiskStore.open(store.folder);
  t.equal(boundOf(store), TO, 'from the checkpoint');
  t.equal(store.summary.frames, 0);
  store.engine.samplesArchived(TO - 1000);
  t.equal(boundOf(store), TO, 'it only grows');
  await store.stop();

  // A shard that takes over the hosts of others.
  const other = join(temporaryFolder(), 'shard-1');
  const moved = await DiskStore.open(other, { sources: [store.folder] });
  t.equal(boundOf(moved), TO);
  await moved.stop();
  const again = await DiskStore.open(other);
  t.equal(boundOf(again), TO);
  await again.stop();
});
