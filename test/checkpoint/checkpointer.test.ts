import { mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readManifest, type Segment } from '../../workers/checkpoint/manifest.js';
import { mergeSegments } from '../../workers/checkpoint/merge.js';
import { SECTION_BLOCKS, SectionWriter } from '../../workers/checkpoint/section-file.js';
import { HEAP_PAGE_BYTES } from '../../workers/kernel/layout.js';
import { DiskStore, T0, temporaryFolder, type Where } from './disk-store.js';

const WHERES: Where[] = [0, 1, 2].map((host) => ({ metric: 'load', host: `h${host}` }));
/** More than a window: with each piece some block is complete. */
const PIECE_SLOTS = 200;

function fill(store: DiskStore, piece: number): void {
  for (let slot = piece * PIECE_SLOTS; slot < (piece + 1) * PIECE_SLOTS; slot++) {
    for (const where of WHERES) store.write(where, T0 + slot * 60, slot / 8);
  }
  store.flush();
}

function isWhole(store: DiskStore, pieces: number): boolean {
  return WHERES.every((where) => {
    const slots = store.read(where);
    for (let slot = 0; slot < pieces * PIECE_SLOTS; slot++) {
      if (slots.get(T0 / 60 + slot) !== slot / 8) return false;
    }
    return slots.size === pieces * PIECE_SLOTS;
  });
}

function filesOf(folder: string, start: string): string[] {
  return readdirSync(folder).filter((name) => name.startsWith(start));
}

t.test('many small checkpoints become few files', async (t) => {
  let store = await DiskStore.open(join(temporaryFolder(), 'shard'));
  let mostFiles = 0;
  const pieces = 30;
  for (let piece = 0; piece < pieces; piece++) {
    fill(store, piece);
    const { isNothingNew, segments } = await store.checkpoint();
    t.notOk(isNothingNew);
    const named = readManifest(store.folder).manifest!.segments.map(({ file }) => file);
    t.equal(named.length, segments);
    t.same(filesOf(store.folder, 'blocks-'), named, 'no other is left');
    t.equal(filesOf(store.folder, 'series-').length, 1);
    t.equal(filesOf(store.folder, 'log-').length, 1);
    mostFiles = Math.max(mostFiles, segments);
    if (piece % 7 === 6) {
      store = await DiskStore.open(await store.crash());
      t.same(store.summary.problems, []);
      t.ok(isWhole(store, piece + 1), `all of ${piece + 1} pieces is back`);
    }
  }
  t.ok(mostFiles < 8, `${mostFiles} files at most`);
  t.equal((await store.checkpoint()).isNothingNew, true, 'nothing is written twice');
  t.same(store.warnings, []);
  await store.stop();
});

t.test('a restore tells how much of the heap it will take, within the cap', async (t) => {
  const store = await DiskStore.open(join(temporaryFolder(), 'shard'));
  t.equal(store.heapExpected, 0, 'of a new store nobody knows');
  // Numbers that take their eight bytes each.
  for (let slot = 0; slot < 2000; slot++) {
    for (const where of WHERES) store.write(where, T0 + slot * 60, Math.sin(slot));
  }
  store.flush();
  await store.checkpoint();
  const heapBytes = store.kernel.heapBytesLive();
  const again = await DiskStore.open(await store.crash());
  t.equal(again.heapExpected, heapBytes);
  t.ok(again.kernel.heapBytesLive() > heapBytes / 2, 'that is what it took');
  const memoryCapBytes = HEAP_PAGE_BYTES;
  t.ok(heapBytes > memoryCapBytes, `${heapBytes} bytes`);
  const capped = await DiskStore.open(await again.crash(), { memoryCapBytes });
  t.equal(capped.heapExpected, memoryCapBytes);
  await capped.stop();
});

t.test('a merge that fails does not fail the checkpoint', async (t) => {
  const store = await DiskStore.open(join(temporaryFolder(), 'shard'));
  mkdirSync(join(store.folder, 'blocks-00000008m.new'));
  for (let piece = 0; piece < 8; piece++) {
    fill(store, piece);
    await store.checkpoint();
  }
  t.match(store.warnings, [/could not be merged.*EISDIR/]);
  t.equal(filesOf(store.folder, 'log-').length, 1);
  t.same(
    filesOf(store.folder, 'series-'),
    ['series-00000008'],
    'what is superseded goes all the same',
  );
  fill(store, 8);
  t.equal((await store.checkpoint()).segments, 1, 'the next one merges them');
  const again = await DiskStore.open(await store.crash());
  t.ok(isWhole(again, 9));
  await again.stop();
});

t.test('where the disk has little room fewer files are merged', async (t) => {
  const folder = join(temporaryFolder(), 'segments');
  mkdirSync(folder);
  const sizes = [900_000, 400_000, ...Array.from({ length: 9 }, () => 100_000)];
  const segments: Segment[] = [];
  for (const [index, bytes] of sizes.entries()) {
    const file = `blocks-0000000${index}`;
    const writer = await SectionWriter.create(join(folder, file));
    const section = {
      kind: SECTION_BLOCKS,
      checkpoint: index,
      bytes: Buffer.alloc(bytes),
      checksum: 0n,
    };
    writer.append(section, false);
    await writer.end(index);
    segments.push({ file, bytes: writer.bytes, untilSec: index });
  }
  const area = Buffer.alloc(2_000_000);
  const merged = (freeBytes: number): Promise<readonly Segment[]> =>
    mergeSegments(
      folder,
      segments,
      () => ({ area, checksum: 0n }),
      async () => freeBytes,
    );
  for (const [freeBytes, left] of [
    [1_500_000, 11],
    [1_700_000, 4],
    [1_900_000, 3],
    [2_700_000, 2],
    [9_000_000, 1],
  ] as const) {
    t.equal((await merged(freeBytes)).length, left, `${freeBytes} bytes are free`);
  }
});

t.test('a checkpoint that fails loses nothing', async (t) => {
  for (const inTheWay of ['series-00000002.new', 'blocks-00000002.new', 'series-00000002']) {
    const store = await DiskStore.open(join(temporaryFolder(), 'shard'));
    fill(store, 0);
    await store.checkpoint();
    fill(store, 1);
    mkdirSync(join(store.folder, inTheWay, 'more'), { recursive: true });
    await t.rejects(store.checkpoint(), { code: 'EISDIR' }, inTheWay);
    const before = filesOf(store.folder, 'blocks-').length;
    t.ok(isWhole(store, 2));
    fill(store, 2);
    await store.checkpoint();
    rmSync(join(store.folder, inTheWay, 'more'), { recursive: true });
    rmdirSync(join(store.folder, inTheWay));
    t.ok(filesOf(store.folder, 'blocks-').length >= before);
    // Without the log: the checkpoint has all.
    const left = await store.crash();
    for (const name of filesOf(left, 'log-')) rmSync(join(left, name));
    const again = await DiskStore.open(left);
    t.ok(isWhole(again, 3), `all is in the next one, ${inTheWay}`);
    t.same(again.summary.problems, []);
    await again.stop();
  }
  const store = await DiskStore.open(join(temporaryFolder(), 'shard'));
  fill(store, 0);
  mkdirSync(join(store.folder, 'MANIFEST.new'));
  await t.rejects(store.checkpoint(), { code: 'EISDIR' }, 'MANIFEST');
  const again = await DiskStore.open(await store.crash());
  t.ok(isWhole(again, 1), 'the log still has it');
  rmdirSync(join(again.folder, 'MANIFEST.new'));
  await again.stop();
});
