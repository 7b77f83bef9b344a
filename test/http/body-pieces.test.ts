import t from 'tap';
import { BodyPieces } from '../../src/http/body-pieces.js';
import { Random, seed } from '../helpers/random.js';

t.test(`chunks of any size are the same bytes, seed ${seed}`, async (t) => {
  const random = new Random(seed);
  for (let round = 0; round < 200; round++) {
    const pieces = new BodyPieces();
    const chunks: Buffer[] = [];
    const chunkBytesMax = 10 ** (1 + (round % 5));
    for (let count = random.below(50); count > 0; count--) {
      const chunk = Buffer.alloc(random.below(chunkBytesMax), round + count);
      chunks.push(Buffer.from(chunk));
      pieces.add(chunk);
      // As in a server: the chunk is gone afterwards.
      chunk.fill(0);
    }
    const expected = Buffer.concat(chunks);
    if (pieces.bytes !== expected.length || !Buffer.concat(pieces.list()).equals(expected)) {
      t.fail(`round ${round}`);
    }
  }
  t.same(new BodyPieces().list(), [], 'none');
});

t.test('many small chunks take few pieces and at most twice the memory', async (t) => {
  const pieces = new BodyPieces();
  const chunk = Buffer.from('x');
  for (let i = 0; i < 1_000_000; i++) pieces.add(chunk);
  const list = pieces.list();
  t.equal(Buffer.concat(list).toString(), 'x'.repeat(1_000_000));
  t.ok(list.length < 50, `${list.length} pieces`);
  const last = list.at(-1)!;
  t.ok(last.buffer.byteLength <= 64 * 1024, `the last has ${last.buffer.byteLength} bytes`);
});
