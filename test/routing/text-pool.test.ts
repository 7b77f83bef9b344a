import t from 'tap';
import { TextPool } from '../../src/routing/text-pool.js';

t.test('memory is used again', (t) => {
  const pool = new TextPool();
  for (const bytes of [0, 1, 4096, 4097, 300_000, 1 << 20, 5_000_001]) {
    const memory = pool.take(bytes);
    t.ok(memory.length >= bytes, `${bytes} bytes`);
    const other = pool.take(bytes);
    t.not(other.buffer, memory.buffer, 'two at once are apart');
    pool.give(memory);
    t.equal(pool.take(bytes), memory);
    pool.give(memory);
    pool.give(other);
  }
  t.end();
});

t.test('only so much lies ready', (t) => {
  const pool = new TextPool();
  const all = Array.from({ length: 5 }, () => pool.take(8 << 20));
  for (const memory of all) pool.give(memory);
  const again = Array.from({ length: 5 }, () => pool.take(8 << 20));
  t.equal(again.filter((memory) => all.includes(memory)).length, 4);
  t.end();
});
