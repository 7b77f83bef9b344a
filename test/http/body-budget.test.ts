import t from 'tap';
import { BodyBudget, HeldBytes } from '../../src/http/body-budget.js';

t.test('the bytes of several requests have one bound', async (t) => {
  const budget = new BodyBudget({ collectedBytesMax: 100 });
  for (let round = 0; round < 2; round++) {
    const first = new HeldBytes(budget);
    const second = new HeldBytes(budget);
    t.equal(first.take(60), undefined);
    t.equal(second.take(40), undefined, 'just fits');
    t.equal(budget.bytesHeld, 100);
    const full = second.take(1);
    t.match(full, { code: 'queue-full', status: 503 });
    t.match(
      full!.message,
      /collected-bytes-max \(100 bytes\); nothing of this body was taken, send/,
    );
    t.equal(budget.bytesHeld, 100, 'nothing is held of what was refused');
    t.equal(second.take(0), undefined);
    const tooMuch = first.take(41);
    t.match(tooMuch, { code: 'body-too-large', status: 413 }, 'it would not fit alone');
    t.match(tooMuch!.message, 'collected-bytes-max (100 bytes)');
    first.release();
    first.release();
    t.equal(budget.bytesHeld, 40, 'is given back once');
    t.equal(first.take(60), undefined);
    t.equal(budget.bytesHeld, 40, 'who was answered holds nothing');
    second.release();
    t.equal(budget.bytesHeld, 0);
    const alone = new HeldBytes(budget);
    t.equal(alone.neverFits(100), undefined);
    t.equal(alone.take(100), undefined, 'all of it for one');
    t.match(alone.neverFits(1), { code: 'body-too-large' });
    alone.release();
  }
});
