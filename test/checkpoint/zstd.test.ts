import t from 'tap';
import { zstd } from '../../workers/checkpoint/zstd.js';
import { Random, seed } from '../helpers/random.js';

const BYTES = 20_000;

function frameOf(bytes: Buffer): Buffer {
  const target = Buffer.alloc(zstd.packedBytesMax(bytes.length));
  return target.subarray(0, zstd.pack(target, bytes));
}

t.test(`a frame that is damaged harms no other one, seed ${seed}`, (t) => {
  const random = new Random(seed);
  const contents = Buffer.concat([random.bytes(BYTES / 2), Buffer.alloc(BYTES / 2, 7)]);
  const frame = frameOf(contents);
  const target = Buffer.alloc(BYTES);
  let harmed = 0;
  for (let i = 0; i < 300; i++) {
    const damaged = Buffer.from(frame.subarray(0, random.below(frame.length)));
    if (i % 2 === 0 && damaged.length > 0) damaged[random.below(damaged.length)]! ^= 0x55;
    for (const attempt of [
      () => zstd.unpack(damaged, BYTES),
      () => zstd.decompress(target, damaged),
    ]) {
      try {
        attempt();
      } catch {
        // It is damaged.
      }
      if (!zstd.unpack(frame, BYTES).equals(contents)) harmed++;
      if (zstd.decompress(target, frame) !== BYTES || !target.equals(contents)) harmed++;
    }
  }
  t.equal(harmed, 0);
  t.end();
});

t.test('unpacking leaves no memory behind', (t) => {
  const frame = frameOf(Buffer.alloc(BYTES, 'abc'));
  const target = Buffer.alloc(BYTES);
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 30_000; i++) zstd.decompress(target, frame);
  const grownMb = (process.memoryUsage().rss - before) / 1024 / 1024;
  // A context for each leaves 40 MB and more.
  t.ok(grownMb < 20, `${grownMb} MB`);
  t.end();
});
