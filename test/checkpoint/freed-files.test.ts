import { mkdirSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { areMostlyFreed } from '../../workers/checkpoint/merge.js';
import { readManifest } from '../../workers/checkpoint/manifest.js';
import { CLUSTER, DiskStore, T0, temporaryFolder, type Where } from './disk-store.js';

const WHERES: Where[] = Array.from({ length: 20 }, (_, host) => ({
  metric: 'load',
  host: `h${host}`,
}));
/** A piece is so many slots of each: 290 KB that no codec makes smaller. */
const PIECE_SLOTS = 14 * 128;
const PIECE_BYTES = WHERES.length * PIECE_SLOTS * 8;
/** What is kept. */
const KEPT_PIECES = 3;
const MIB = 1024 * 1024;

function valueOf(host: number, slot: number): number {
  return Math.sqrt(slot + 2) + host;
}

function fill(store: DiskStore, piece: number): void {
  const from = piece * PIECE_SLOTS;
  for (let slot = from; slot < from + PIECE_SLOTS; slot++) {
    WHERES.forEach((where, host) => store.write(where, T0 + slot * 60, valueOf(host, slot)));
  }
  store.flush();
  store.free([[CLUSTER]], T0 + (from + PIECE_SLOTS - KEPT_PIECES * PIECE_SLOTS) * 60);
}

/** What is wrong with what is there after so many pieces, '' if nothing. */
function fault(store: DiskStore, pieces: number): string {
  const until = pieces * PIECE_SLOTS;
  for (const [host, where] of WHERES.entries()) {
    const slots = store.read(where);
    for (let slot = Math.max(0, until - KEPT_PIECES * PIECE_SLOTS); slot < until; slot++) {
      const value = slots.get(T0 / 60 + slot);
      if (value !== valueOf(host, slot)) return `${where.host}, slot ${slot}: ${value}`;
    }
    // A block is freed as a whole.
    const most = Math.min(until, KEPT_PIECES * PIECE_SLOTS + 128);
    if (slots.size > most) return `${where.host}: ${slots.size} samples`;
  }
  return '';
}

function blockFiles(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.startsWith('blocks-'));
}

function bytesOf(folder: string): number {
  return blockFiles(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

t.test('what is freed long before the retention is over leaves the disk', async (t) => {
  let store = await DiskStore.open(join(temporaryFolder(), 'shard'));
  let most = 0;
  for (let piece = 0; piece < 24; piece++) {
    fill(store, piece);
    await store.checkpoint();
    most = Math.max(most, bytesOf(store.folder));
    t.same(
      blockFiles(store.folder),
      readManifest(store.folder).manifest!.segments.map(({ file }) => file),
    );
    if (piece % 5 !== 4) continue;
    store = await DiskStore.open(await store.crash());
    t.same(store.summary.problems, []);
    t.equal(fault(store, piece + 1), '', `${piece + 1} pieces`);
  }
  const live = (KEPT_PIECES + 1) * PIECE_BYTES;
  t.ok(most < 2 * live + 2 * PIECE_BYTES, `${most} bytes for ${live} that are live`);
  t.ok(most > live, 'not each checkpoint writes all of it');
  t.same(store.warnings, []);
  await store.stop();
});

t.test('a checkpoint of all that fails leaves the files there were', async (t) => {
  const store = await DiskStore.open(join(temporaryFolder(), 'shard'));
  let piece = 0;
  let before: string[] = [];
  // Until all is written anew the next time.
  for (; piece < 24; piece++) {
    fill(store, piece);
    await store.checkpoint();
    before = blockFiles(store.folder);
    const { segments } = readManifest(store.folder).manifest!;
    if (await areMostlyFreed(store.folder, segments, store.kernel.heapBytesLive())) break;
  }
  t.ok(piece < 23, 'there is such a time');
  fill(store, ++piece);
  const { checkpoint } = readManifest(store.folder).manifest!;
  const inTheWay = join(store.folder, `series-${String(checkpoint + 1).padStart(8, '0')}`);
  mkdirSync(join(inTheWay, 'more'), { recursive: true });
  await t.rejects(store.checkpoint(), { code: 'EISDIR' });
  t.same(
    blockFiles(store.folder).filter((name) => before.includes(name)),
    before,
  );
  t.equal(fault(store, piece + 1), '');
  rmdirSync(join(inTheWay, 'more'));
  rmdirSync(inTheWay);
  // The folder as it is now, and after the next checkpoint, which writes all.
  const crashed = await DiskStore.open(await store.crash());
  t.equal(fault(crashed, piece + 1), '');
  fill(crashed, ++piece);
  await crashed.checkpoint();
  t.equal(blockFiles(crashed.folder).length, 1, 'all blocks are in one file');
  const again = await DiskStore.open(await crashed.crash());
  t.equal(fault(again, piece + 1), '');
  t.same(again.summary.problems, []);
  await again.stop();
});

t.test(
  'files are left as they are where they are small, needed, or there is no room',
  async (t) => {
    const segments = [3, 2, 1].map((size) => ({
      file: `blocks-${size}`,
      bytes: size * MIB,
      untilSec: 0,
    }));
    const isAnew = (liveMib: number, freeMib: number, of = segments): Promise<boolean> =>
      areMostlyFreed('', of, liveMib * MIB, async () => freeMib * MIB);
    t.equal(await isAnew(2, 100), true);
    t.equal(await isAnew(3, 100), true);
    t.equal(await isAnew(3.01, 100), false, 'more than half of it is in memory');
    t.equal(await isAnew(2, 4.1), true);
    t.equal(await isAnew(2, 3.9), false, 'half of what is free would not hold it');
    t.equal(await isAnew(0, 100, segments.slice(2)), true);
    t.equal(await isAnew(0, 100, [{ ...segments[2]!, bytes: MIB - 1 }]), false);
    t.equal(await isAnew(0, 100, []), false);
  },
);

t.test('with JSON checkpoints blocks stay in the files they came in', async (t) => {
  const store = await DiskStore.open(join(temporaryFolder(), 'shard'), { writesJson: true });
  let files: string[] = [];
  for (let piece = 0; piece < 12; piece++) {
    fill(store, piece);
    await store.checkpoint();
    const now = blockFiles(store.folder);
    const merged = now.filter((name) => name.endsWith('m'));
    t.ok(merged.length > 0 || files.every((name) => now.includes(name)), `piece ${piece}`);
    files = now;
  }
  t.ok(bytesOf(store.folder) > 12 * PIECE_BYTES * 0.9);
  await store.stop();
});
