import { gunzipSync, gzipSync } from 'node:zlib';
import t from 'tap';
import { compress } from 'zstd-napi';
import { inflate, type PackedEncoding } from '../../src/http/inflate.js';
import { Random, seed } from '../helpers/random.js';

const KIB = 1024;
const all = (): undefined => undefined;

/** Cuts into parts at random places. */
function cut(body: Buffer, random: Random): Buffer[] {
  const parts: Buffer[] = [];
  for (let from = 0; from < body.length;) {
    const until = from + 1 + Math.floor(random.next() ** 3 * (body.length - from));
    parts.push(body.subarray(from, until));
    from = until;
  }
  return parts;
}

async function outcome(work: () => Promise<Buffer> | Buffer): Promise<string> {
  try {
    return (await work()).toString('latin1');
  } catch {
    return 'refused';
  }
}

t.test(`gzip in pieces is what it is at once, seed ${seed}`, async (t) => {
  const random = new Random(seed);
  const noise = random.bytes(300 * KIB);
  const small = gzipSync('a value=1\n');
  const large = gzipSync(Buffer.alloc(700 * KIB, 'line of a body\n'));
  const full = gzipSync(Buffer.alloc(128 * KIB, 'x'));
  const bodies: [string, Buffer[]][] = [
    ['small', [small]],
    ['large', [large]],
    ['exactly a piece', [full]],
    ['noise', [gzipSync(noise)]],
    ['empty inside', [gzipSync('')]],
    ['members', [small, large, full, gzipSync(''), small]],
    ['zeros behind', [small, Buffer.alloc(20)]],
    ['garbage behind', [small, Buffer.from('garbage')]],
    ['half a header behind', [small, Buffer.from([0x1f])]],
    ['a whole one behind zeros', [small, Buffer.alloc(3), small]],
    ['cut', [large.subarray(0, large.length - 9)]],
    ['cut in the second', [small, large.subarray(0, 50)]],
    ['nothing', []],
    ['a wrong sum', [Buffer.concat([small.subarray(0, -8), Buffer.alloc(8, 1)])]],
  ];
  for (const [title, parts] of bodies) {
    const body = Buffer.concat(parts);
    const wanted = await outcome(() => gunzipSync(body));
    const splits = [[body], parts, ...Array.from({ length: 10 }, () => cut(body, random))];
    for (const source of splits) {
      const found = await outcome(async () => Buffer.concat(await inflate(source, 'gzip', all)));
      if (found !== wanted) t.fail(`${title}, cut at ${source.map(({ length }) => length)}`);
    }
    t.pass(`${title}: ${wanted === 'refused' ? wanted : `${wanted.length} bytes`}`);
  }
});

t.test(`zstd in pieces, seed ${seed}`, async (t) => {
  const random = new Random(seed);
  for (const bytes of [0, 1, 128 * KIB - 1, 128 * KIB, 128 * KIB + 1, 700 * KIB]) {
    const plain = Buffer.alloc(bytes, 'line of a body\n');
    const frames = [compress(plain), compress(Buffer.from('b')), compress(plain)];
    const packed = Buffer.concat(frames);
    const wanted = Buffer.concat([plain, Buffer.from('b'), plain]);
    for (const source of [[packed], frames, cut(packed, random), cut(packed, random)]) {
      t.ok(Buffer.concat(await inflate(source, 'zstd', all)).equals(wanted), `${bytes} bytes`);
    }
    const short = packed.subarray(0, -1);
    await t.rejects(inflate([short], 'zstd', all), /not valid zstd/);
    await t.rejects(inflate(cut(short, random), 'zstd', all), /not valid zstd/);
  }
  await t.rejects(inflate([], 'zstd', all), /not valid zstd/);
});

t.test('tiny frames share a piece', async (t) => {
  const frame = compress(Buffer.from('x'));
  const body = Buffer.concat(Array.from({ length: 100_000 }, () => frame));
  const pieces = await inflate([body], 'zstd', all);
  t.equal(pieces.length, 1);
  t.equal(pieces[0]!.toString(), 'x'.repeat(100_000));
});

t.test('small bodies do not keep a large piece', async (t) => {
  const plain = Buffer.from('a value=1\n');
  for (const [encoding, body] of packed(plain)) {
    const [piece] = await inflate([body], encoding, all);
    t.equal(piece!.toString(), plain.toString());
    t.ok(piece!.buffer.byteLength <= 8 * KIB, `${encoding}: ${piece!.buffer.byteLength} bytes`);
  }
});

t.test('it ends where it is refused', async (t) => {
  const enough = new Error('enough');
  for (const [encoding, body] of packed(Buffer.alloc(64 * KIB * KIB))) {
    for (const bytesMax of [0, 100 * KIB, 1000 * KIB]) {
      let bytes = 0;
      const accept = (more: number): Error | undefined =>
        (bytes += more) > bytesMax ? enough : undefined;
      await t.rejects(inflate([body], encoding, accept), enough, encoding);
      t.ok(bytes <= bytesMax + 128 * KIB, `${bytes} bytes were made`);
      await new Promise((resolve) => setImmediate(resolve));
      t.ok(bytes <= bytesMax + 128 * KIB, 'and no more afterwards');
    }
  }
});

function packed(plain: Buffer): [PackedEncoding, Buffer][] {
  return [
    ['gzip', gzipSync(plain)],
    ['zstd', compress(plain)],
  ];
}
