import { cpSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { blockCount, blockListAt } from '../../workers/engine/blocks.js';
import { BLOCK_ADDRESS_MASK, BLOCK_START } from '../../workers/kernel/layout.js';
import { Random, seed } from '../helpers/random.js';
import { blockShapes } from '../kernel/filled-series.js';
import { DiskStore, T0, temporaryFolder, type Where } from './disk-store.js';

const random = new Random(seed);
const SLOTS = 40 * 128;
const FIXTURE = new URL('../../../test/fixtures/checkpoint-plain-headers', import.meta.url)
  .pathname;

/** All bytes of a series' blocks, by their first slot. */
function blocksOf(store: DiskStore, where: Where): Map<number, string> {
  const words = store.engine.words();
  const series = store.seriesAt(where);
  const list = blockListAt(words, series);
  const count = blockCount(words, series);
  const blocks = new Map<number, string>();
  for (let i = 0; i < count; i++) {
    const at = (words[list + i]! & BLOCK_ADDRESS_MASK) >>> 0;
    const bytes = Buffer.from(store.memory.buffer, at, store.kernel.blockBytes(at));
    blocks.set(words[(at + BLOCK_START) >>> 2]!, bytes.toString('hex'));
  }
  return blocks;
}

/** Bytes of all files of blocks in a folder. */
function blockFileBytes(folder: string): number {
  return readdirSync(folder)
    .filter((name) => name.startsWith('blocks-'))
    .reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

for (const [name, shape] of Object.entries(blockShapes(random))) {
  t.test(`blocks come back from a checkpoint as they were: ${name}, seed ${seed}`, async (t) => {
    const store = await DiskStore.open(join(temporaryFolder(), 'data'));
    const wheres: Where[] = [];
    for (const gaps of [0, 0.02, 0.3]) {
      const where = { metric: 'load', host: `h${gaps}` };
      wheres.push(where);
      for (let slot = 0; slot < SLOTS; slot++) {
        // Values are gone for a while as well: the block behind that does not follow.
        const isGone = gaps > 0 && slot % 1000 < 300 && slot > 1000;
        const value = shape();
        if (!isGone && !random.chance(gaps)) store.write(where, T0 + slot * 60, value);
      }
    }
    store.flush();
    await store.checkpoint();
    const should = wheres.map((where) => blocksOf(store, where));
    t.ok(should.every((blocks) => blocks.size > 25));
    const again = await DiskStore.open(await store.crash());
    t.same(again.summary.problems, []);
    for (const [index, where] of wheres.entries()) {
      t.strictSame(blocksOf(again, where), should[index], where.host);
    }
    await again.stop();
  });
}

t.test('blocks of decimals, of counters and constants have short headers', async (t) => {
  const shapes: Record<string, [payload: number, value: (slot: number) => number]> = {
    decimals: [256, (slot) => (1000 + ((slot * 7919) % 9001)) / 100],
    counters: [128, (slot) => 1_000_000 + slot * 97 + (slot % 3)],
    constants: [0, () => 0.1],
  };
  for (const [name, [payload, valueAt]] of Object.entries(shapes)) {
    const store = await DiskStore.open(join(temporaryFolder(), 'data'));
    const where = { metric: 'load', host: 'h' };
    for (let slot = 0; slot < SLOTS; slot++) {
      store.write(where, T0 + slot * 60, valueAt(slot));
    }
    store.flush();
    await store.checkpoint();
    const blocks = blocksOf(store, where).size - 1;
    const plain = [...blocksOf(store, where).values()]
      .slice(0, blocks)
      .reduce((sum, hex) => sum + hex.length / 2, 0);
    // Two headers of sections and one of a run.
    t.equal(blockFileBytes(store.folder), plain - blocks * 16 + 2 * 40 + 12, name);
    t.ok(plain <= blocks * (32 + payload), `${name}: ${plain / blocks} bytes a block`);
    await store.stop();
  }
});

t.test('a folder from before there were short headers is read', async (t) => {
  const shapes: ((slot: number) => number | undefined)[] = [
    (slot) => ((slot * 7919) % 10_007) / 100,
    (slot) => slot * 1_000_003,
    () => 0.1,
    (slot) => (slot % 7 === 3 ? undefined : (slot % 50) / 10),
    (slot) => (slot % 97 === 0 ? Math.sqrt(slot) : slot % 13),
    (slot) => Math.sqrt(slot + 2),
  ];
  let folder = join(temporaryFolder(), 'data');
  cpSync(FIXTURE, folder, { recursive: true });
  for (const times of ['first', 'second', 'third']) {
    const store = await DiskStore.open(folder);
    t.same(store.summary.problems, []);
    for (const [index, shape] of shapes.entries()) {
      const should = new Map<number, number>();
      for (let slot = 0; slot < 900; slot++) {
        const value = shape(slot);
        if (value !== undefined) should.set(T0 / 60 + slot, value);
      }
      const where = { metric: 'load', host: `h${index}` };
      t.strictSame(store.read(where), should, `series ${index}, ${times} start`);
    }
    // Then its files lie beside, and are merged with, new ones.
    await store.checkpoint();
    folder = await store.crash();
  }
});
