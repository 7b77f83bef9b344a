import t from 'tap';
import { copyBytes } from '../../src/routing/copy-bytes.js';
import { Random, seed } from '../helpers/random.js';

const AREA_BYTES = 1 << 17;
const COPIES = 400;

t.test(`bytes are copied, and no others are touched, seed ${seed}`, (t) => {
  const random = new Random(seed);
  const own = random.bytes(AREA_BYTES);
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 4, shared: true });
  const shared = new Uint8Array(memory.buffer);
  const source = shared.subarray(AREA_BYTES);
  source.set(random.bytes(AREA_BYTES));
  const target = shared.subarray(0, AREA_BYTES);
  const wanted = new Uint8Array(AREA_BYTES);
  for (let i = 0; i < COPIES; i++) {
    const bytes = random.below(random.pick([60, 2000, AREA_BYTES / 2]));
    const from = random.below(AREA_BYTES - bytes);
    const to = random.below(AREA_BYTES - bytes);
    const what = random.chance(0.5) ? own : source;
    copyBytes(what, from, from + bytes, target, to);
    for (let k = 0; k < bytes; k++) wanted[to + k] = what[from + k]!;
  }
  t.ok(Buffer.from(target).equals(wanted));
  copyBytes(own, 0, own.length, target, 0);
  t.ok(Buffer.from(target).equals(own), 'all of it');
  t.throws(() => copyBytes(own, 0, own.length, target, 1), 'there is no room for it');
  t.end();
});
