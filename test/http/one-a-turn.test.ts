import t from 'tap';
import { OneATurn } from '../../src/http/one-a-turn.js';

t.test('one work a turn, in their order', async (t) => {
  const turns = new OneATurn();
  for (let round = 0; round < 2; round++) {
    const done: number[] = [];
    for (let i = 0; i < 4; i++) {
      turns.add(() => {
        done.push(i);
        // What is added amid a work comes after all that wait.
        if (i === 1) turns.add(() => done.push(9));
      });
    }
    t.same(done, [], 'none at once');
    for (let i = 1; i <= 5; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      t.equal(done.length, i);
    }
    t.same(done, [0, 1, 2, 3, 9]);
  }
});
