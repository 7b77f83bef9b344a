import t from 'tap';
import { createShardMemory, instantiateKernel } from '../../workers/kernel/kernel.js';
import { STAGING_BASE } from '../../workers/kernel/layout.js';
import { Random, seed } from '../helpers/random.js';
import { checksum } from './twins/checksum.js';

const memory = createShardMemory();
const kernel = instantiateKernel(memory);
const area = Buffer.from(memory.buffer, STAGING_BASE, 1 << 20);

function kernelChecksum(bytes: Uint8Array, offset: number): string {
  area.set(bytes, offset);
  const hash = BigInt.asUintN(64, kernel.checksum(STAGING_BASE + offset, bytes.length));
  return hash.toString(16).padStart(16, '0');
}

t.test('what others publish', (t) => {
  for (const [text, hash] of [
    ['', 'ef46db3751d8e999'],
    ['a', 'd24ec4f1a98c6e5b'],
    ['abc', '44bc2cf5ad770999'],
    ['Nobody inspects the spammish repetition', 'fbcea83c8a378bf1'],
  ] as const) {
    t.equal(kernelChecksum(Buffer.from(text), 0), hash, text);
    t.equal(checksum(Buffer.from(text)).toString(16), hash, `twin: ${text}`);
  }
  t.end();
});

t.test(`the same as its twin, seed ${seed}`, (t) => {
  const random = new Random(seed);
  const lengths = Array.from({ length: 201 }, (_, length) => length);
  let wrong = '';
  for (const length of [...lengths, 1000, 65_537, 300_001]) {
    const bytes = random.bytes(length);
    const should = checksum(Buffer.from(bytes)).toString(16).padStart(16, '0');
    for (const offset of [0, random.below(64), random.below(100_000)]) {
      const is = kernelChecksum(bytes, offset);
      if (is !== should) wrong ||= `${is} for ${should}, ${length} bytes at ${offset}`;
    }
  }
  t.equal(wrong, '');
  t.end();
});
