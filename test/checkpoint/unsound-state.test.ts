import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { SAVED_HEAD_SLOT, SAVED_LAST_SLOT } from '../../workers/kernel/layout.js';
import { repairedSections } from '../fuzz/targets/checkpoint.js';
import { DiskStore, T0, temporaryFolder, type Where } from './disk-store.js';

const HURT: Where = { metric: 'load', host: 'h0' };
const OTHER: Where = { metric: 'load', host: 'h1' };
/** Behind the header of a level and `c`, `h0`, each with a newline, padded: the state of its first series. */
const STATE_AT = 24;
const SLOTS = 150;

/** A folder whose checksums are right, and one word of the first series' state is not. */
async function folderWith(field: number, change: (word: number) => number): Promise<string> {
  const store = await DiskStore.open(join(temporaryFolder(), 'shard'));
  for (let slot = 0; slot < SLOTS; slot++) {
    for (const where of [HURT, OTHER]) store.write(where, T0 + slot * 60, slot);
  }
  store.flush();
  const last = T0 / 60 + SLOTS - 1;
  await store.checkpoint();
  const folder = await store.crash();
  const path = join(
    folder,
    readdirSync(folder).find((name) => name.startsWith('series-'))!,
  );
  const value = change(last);
  const edit = { kind: 'word', at: STATE_AT + field, value } as const;
  writeFileSync(path, repairedSections(readFileSync(path), [edit]));
  return folder;
}

const CASES: readonly [title: string, field: number, change: (last: number) => number][] = [
  ['a head far in front of its block', SAVED_HEAD_SLOT, (last) => last - 100_000],
  ['a head behind its block', SAVED_HEAD_SLOT, (last) => last + 1000],
  ['a head that ends amid its block', SAVED_HEAD_SLOT, (last) => last - 17],
  ['a head at slot 0', SAVED_HEAD_SLOT, () => 0],
  ['a newest slot that is not in the head', SAVED_LAST_SLOT, (last) => last + 5000],
  ['a newest slot in front of a head that there is not', SAVED_LAST_SLOT, () => 2 ** 31 - 1],
];

for (const [title, field, change] of CASES) {
  t.test(`${title} is told, and costs nobody else a sample`, async (t) => {
    const store = await DiskStore.open(await folderWith(field, change));
    const { problems } = store.summary;
    t.equal(problems.length, 2, 'it, and where the file is kept');
    t.match(problems[0], /^series-\S+: the state of load of h0 of c makes no sense/);
    t.equal(store.read(OTHER).size, SLOTS);
    const wrong = [...store.read(HURT)].filter(([slot, value]) => value !== slot - T0 / 60);
    t.same(wrong, []);
    for (let slot = SLOTS; slot < 2 * SLOTS; slot++) store.write(HURT, T0 + slot * 60, slot);
    t.ok(store.read(HURT).size >= SLOTS, 'it takes samples again');
    await store.stop();
  });
}
