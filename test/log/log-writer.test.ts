import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
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

t.test('a file of the log that is missing', async (t) => {
  // Four files with ten samples each, as starts without a checkpoint leave them.
  let store = await DiskStore.open(join(temporaryFolder(), 'shard'));
  for (let file = 0; file < 4; file++) {
    for (let slot = 10 * file; slot < 10 * file + 10; slot++) {
      store.write(WHERE, T0 + slot * 60, slot / 10);
      t.ok(store.flush());
    }
    const other: Where = { metric: 'power', host: `h${file}` };
    store.write(other, T0, file);
    t.ok(store.flush());
    store = await DiskStore.open(await store.crash());
    t.same(store.summary.problems, []);
  }
  const left = await store.crash();
  const numbers = logNumbers(left);
  t.equal(numbers.length, 5);
  for (const [index, number] of numbers.entries()) {
    const copy = join(temporaryFolder(), 'shard');
    cpSync(left, copy, { recursive: true });
    rmSync(logPath(copy, number));
    const again = await DiskStore.open(copy);
    const { problems } = again.summary;
    // The last one has no frame yet, and the last but one nothing behind it.
    const isSeen = index < 3;
    const first = 11 * index + 1;
    const told = `frames ${first} to ${first + 10} of the log are missing in front of it`;
    t.equal(problems.filter((problem) => problem.includes(told)).length, isSeen ? 1 : 0, told);
    t.match(problems[0] ?? '', isSeen ? logPath(copy, number + 1) : /^$/);
    // The series' own record is in the first file: without it the samples behind have no place.
    const lost = index === 0 ? 40 : index < 4 ? 10 : 0;
    t.equal(again.read(WHERE).size, 40 - lost, 'the rest is there');
    for (let file = 0; file < 4; file++) {
      t.equal(again.read({ metric: 'power', host: `h${file}` }).size, file === index ? 0 : 1);
    }
    if (isSeen) {
      const aside = readdirSync(join(copy, '..', 'aside'), { recursive: true, encoding: 'utf8' });
      for (const later of numbers.slice(index + 1)) {
        t.ok(
          aside.some((name) => name.endsWith(logPath('', later))),
          'what follows is kept aside',
        );
      }
      await again.checkpoint();
      const next = await DiskStore.open(await again.crash());
      t.same(next.summary.problems, [], 'told once');
      await next.stop();
    } else await again.stop();
  }
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
