import { execFileSync } from 'node:child_process';
import { mkdirSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { logNumbers, logPath } from '../../workers/log/log-writer.js';
import { CLUSTER, DiskStore, T0, temporaryFolder, type Where } from '../checkpoint/disk-store.js';

const WHERE: Where = { metric: 'load', host: 'h' };
/** Longer than a log waits after a failure. */
const WAIT_MS = 1000;
const UNLIMITED = 'unlimited';

let aheadMs = 0;
const now = performance.now.bind(performance);
performance.now = () => now() + aheadMs;

/** The size that files of this process can have, as a full disk would bound it. */
function limitFiles(bytes: number | typeof UNLIMITED): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:${UNLIMITED}`]);
}

function canLimit(): boolean {
  try {
    limitFiles(UNLIMITED);
    return true;
  } catch {
    return false;
  }
}

function fill(store: DiskStore, from: number, until: number): void {
  for (let slot = from; slot < until; slot++) store.write(WHERE, T0 + slot * 60, slot / 10);
}

/** '' if a store has just the slots from 0 to `count` - 1. */
function difference(store: DiskStore, count: number): string {
  const slots = store.read(WHERE);
  for (let slot = 0; slot < count; slot++) {
    if (slots.get(T0 / 60 + slot) !== slot / 10) return `slot ${slot} is missing`;
  }
  return slots.size === count ? '' : `${slots.size} slots, not ${count}`;
}

t.test('a file that can not be made', async (t) => {
  const folder = join(temporaryFolder(), 'shard');
  mkdirSync(logPath(folder, 1), { recursive: true });
  // It counts as a file of the log, so the next number is taken.
  const first = await DiskStore.open(folder);
  const [problem] = first.summary.problems;
  t.match(problem, /log-00000001\.wal: EISDIR/, 'it can not be read');
  t.equal(first.durability.failure, '');
  fill(first, 0, 10);
  t.ok(first.flush());
  mkdirSync(logPath(folder, 3));
  await t.rejects(first.checkpoint(), /EEXIST.*log-00000003/, 'no room for the next file');
  fill(first, 10, 20);
  t.ok(first.flush(), 'it goes on in the one before');
  t.equal((await first.checkpoint()).isNothingNew, false, 'and behind what is in the way');
  fill(first, 20, 30);
  t.ok(first.flush());
  rmdirSync(logPath(folder, 3));
  const again = await DiskStore.open(await first.crash());
  t.equal(difference(again, 30), '');
  t.same(logNumbers(again.folder), [1, 4, 5]);
  await again.stop();
});

t.test('a write that fails', { skip: !canLimit() && 'prlimit is not there' }, async (t) => {
  // Its default action ends the process.
  process.on('SIGXFSZ', () => undefined);
  for (const roomBytes of [0, 1, 31, 32, 33, 500]) {
    const store = await DiskStore.open(join(temporaryFolder(), 'shard'));
    fill(store, 0, 20);
    t.ok(store.flush());
    const path = logPath(store.folder, 1);
    const { size } = statSync(path);
    fill(store, 20, 300);
    limitFiles(size + roomBytes);
    const isWritten = store.flush();
    const isWrittenAgain = store.flush();
    aheadMs += WAIT_MS;
    const isWrittenLater = store.flush();
    const { failure } = store.durability;
    const sizeAfter = statSync(path).size;
    let freeFailure = '';
    try {
      store.free([[CLUSTER]], T0 + 1e6);
    } catch (error) {
      freeFailure = (error as Error).message;
    }
    limitFiles(UNLIMITED);
    t.same([isWritten, isWrittenAgain, isWrittenLater], [false, false, false]);
    t.match(failure, /log-00000001\.wal: EFBIG/);
    t.match(freeFailure, /EFBIG/, 'nothing is freed');
    t.equal(sizeAfter, size, 'no half of a frame is left');
    aheadMs += WAIT_MS;
    t.equal(store.durability.failure, '', 'it is tried again');
    // Only the record of what is freed fails.
    limitFiles(statSync(path).size + roomBytes);
    let isFreed = true;
    try {
      store.free([[CLUSTER]], T0 + 1e6);
    } catch {
      isFreed = false;
    }
    limitFiles(UNLIMITED);
    aheadMs += WAIT_MS;
    t.equal(isFreed, roomBytes === 500);
    fill(store, 300, 310);
    t.ok(store.flush());
    const again = await DiskStore.open(await store.crash());
    t.same(again.summary.problems, []);
    t.equal(again.read(WHERE).size, store.read(WHERE).size, `with room for ${roomBytes} bytes`);
    if (!isFreed) t.equal(difference(again, 310), '');
    await again.stop();
  }
});
