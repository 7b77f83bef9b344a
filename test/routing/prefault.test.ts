import { readFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { prefault } from '../../src/routing/prefault.js';
import { createShardMemory } from '../../workers/kernel/kernel.js';
import { HEAP_BASE, HEAP_END_MAX, HEAP_PAGE_BYTES } from '../../workers/kernel/layout.js';

const HEAP_BYTES = 96 * 1024 * 1024;
const TURNS_MAX = 100_000;

/** Of this process, in bytes. */
function residentBytes(): number {
  const pages = readFileSync('/proc/self/statm', 'latin1').split(' ')[1];
  return Number(pages) * 4096;
}

async function until(isDone: () => boolean): Promise<boolean> {
  for (let turn = 0; turn < TURNS_MAX && !isDone(); turn++) await nextTurn();
  return isDone();
}

t.test('the heap is given by the system before it is used, and keeps what it has', async (t) => {
  const memory = createShardMemory();
  const before = residentBytes();
  prefault(memory, HEAP_BYTES, () => false);
  t.equal(memory.buffer.byteLength, HEAP_BASE + HEAP_BYTES, 'it has grown at once');
  const words = new Uint32Array(memory.buffer);
  const marks = Array.from({ length: HEAP_BYTES / 4096 }, (_, i) => (HEAP_BASE + i * 4096) >>> 2);
  // As a shard does: from the start up, while the pages are being touched.
  for (const [i, mark] of marks.entries()) if (i % 4 !== 0 && i % 7 === 0) words[mark] = i;
  t.ok(await until(() => residentBytes() - before > 0.9 * HEAP_BYTES), 'all of it is there');
  const kept = marks.every((mark, i) => words[mark] === (i % 4 !== 0 && i % 7 === 0 ? i : 0));
  t.ok(kept, 'nothing is written over');
});

t.test('it ends at the first page that the shard has taken', async (t) => {
  const memory = createShardMemory();
  const before = residentBytes();
  memory.grow(HEAP_BYTES / 65_536);
  const taken = HEAP_BASE + Math.floor(HEAP_BYTES / 2 / HEAP_PAGE_BYTES) * HEAP_PAGE_BYTES;
  new Uint32Array(memory.buffer)[taken >>> 2] = 64;
  let looks = 0;
  prefault(memory, HEAP_BYTES, () => ++looks < 0);
  t.ok(await until(() => looks === HEAP_BYTES / 2 / HEAP_PAGE_BYTES), `${looks} pages`);
  for (let turn = 0; turn < 20; turn++) await nextTurn();
  t.equal(looks, HEAP_BYTES / 2 / HEAP_PAGE_BYTES, 'no more');
  t.ok(residentBytes() - before < 0.7 * HEAP_BYTES, 'the lower half is not touched');
});

t.test('it ends when the shard has restored what there was', async (t) => {
  const memory = createShardMemory();
  let looks = 0;
  prefault(memory, HEAP_BYTES, () => ++looks > 10);
  await until(() => looks > 10);
  for (let turn = 0; turn < 20; turn++) await nextTurn();
  t.equal(looks, 11);
});

t.test('more than a heap can have, or the system gives, is left alone', (t) => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true });
  prefault(memory, HEAP_BYTES, () => t.fail('there is no such memory'));
  t.equal(memory.buffer.byteLength, 65_536);
  const large = createShardMemory();
  let looks = 0;
  prefault(large, 2 * HEAP_END_MAX, () => ++looks > 1);
  t.ok(large.buffer.byteLength <= HEAP_END_MAX);
  t.equal(looks, 2);
  t.end();
});
