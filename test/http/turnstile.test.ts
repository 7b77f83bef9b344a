import t from 'tap';
import { Turnstile } from '../../src/http/turnstile.js';

t.test('so many at a time, in their order, and a failure gives its place back', async (t) => {
  const turnstile = new Turnstile(2);
  for (let round = 0; round < 2; round++) {
    const ends: (() => void)[] = [];
    const begun: number[] = [];
    const works = Array.from({ length: 6 }, (_, i) =>
      turnstile.run(async () => {
        begun.push(i);
        await new Promise<void>((end) => ends.push(end));
        if (i === 0) throw new Error('failed');
        return i;
      }),
    );
    const outcomes = Promise.allSettled(works);
    for (let i = 0; i < 6; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      t.equal(begun.length, Math.min(6, i + 2), `${i} have ended`);
      ends[i]!();
    }
    t.same(
      (await outcomes).map((outcome) =>
        outcome.status === 'fulfilled' ? outcome.value : 'failed',
      ),
      ['failed', 1, 2, 3, 4, 5],
    );
    t.same(begun, [0, 1, 2, 3, 4, 5]);
  }
});
