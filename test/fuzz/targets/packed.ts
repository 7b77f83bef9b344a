import { gzipSync } from 'node:zlib';
import { compress } from 'zstd-napi';
import { inflate, type PackedEncoding } from '../../../src/http/inflate.js';
import { StoreError } from '../../../src/model/errors.js';
import type { Random } from '../../helpers/random.js';
import { NOW_SEC } from '../line-grammar.js';
import { mutateBytes } from '../mutate.js';
import { mustHold, shown, type Target, type TargetEntry } from '../target.js';

const BODY_BYTES_MAX = 2 * 1024 * 1024;
const GOOD = Buffer.from(`load,cluster=c,hostname=h value=1 ${NOW_SEC}\n`);
const PACK: Readonly<Record<PackedEncoding, (bytes: Buffer) => Buffer>> = {
  gzip: (bytes) => gzipSync(bytes),
  zstd: (bytes) => compress(bytes, { checksumFlag: true }),
};
const GOOD_PACKED = { gzip: PACK.gzip(GOOD), zstd: PACK.zstd(GOOD) };

type Inflate = typeof inflate;

function encodingOf(input: Buffer): PackedEncoding | undefined {
  const name = input.toString('latin1', 0, 4);
  return name === 'gzip' || name === 'zstd' ? name : undefined;
}

/** Encoding and body: whole, in several frames, a bomb, cut off, or with something behind. */
function generate(random: Random): Buffer {
  const encoding = random.pick(['gzip', 'zstd'] as const);
  const frames = Array.from({ length: random.pick([0, 1, 1, 1, 2, 5]) }, () => {
    const isBomb = random.chance(0.1);
    const raw = isBomb ? Buffer.alloc(4 * BODY_BYTES_MAX) : GOOD;
    return PACK[encoding](random.chance(0.1) ? Buffer.alloc(0) : raw);
  });
  let body = Buffer.concat(frames);
  if (random.chance(0.2)) body = body.subarray(0, random.below(body.length + 1));
  if (random.chance(0.2)) body = Buffer.concat([body, Buffer.alloc(random.below(99), 'x')]);
  return Buffer.concat([Buffer.from(encoding), body]);
}

/**
 * A body is unpacked the same in one piece as in many, or refused by name; no more is kept than was
 * accepted; and whatever came, the next good one is unpacked.
 */
function packedTarget(unpack: Inflate): Target {
  const attempt = async (source: Buffer[], encoding: PackedEncoding): Promise<string> => {
    let accepted = 0;
    const accept = (bytes: number): Error | undefined => {
      accepted += bytes;
      if (accepted <= BODY_BYTES_MAX) return undefined;
      return new StoreError('body-too-large', 'body-bytes-max');
    };
    try {
      const pieces = Buffer.concat(await unpack(source, encoding, accept));
      mustHold(pieces.length <= BODY_BYTES_MAX, () => `${pieces.length} bytes were kept`);
      return pieces.toString('latin1');
    } catch (error) {
      const code = error instanceof StoreError ? error.code : '';
      if (code !== 'bad-request' && code !== 'body-too-large') throw error;
      return `refused: ${code}`;
    }
  };
  return {
    name: 'packed-bodies',
    generate,
    mutate: mutateBytes,
    async run(input) {
      const encoding = encodingOf(input);
      if (!encoding) return;
      const body = input.subarray(4);
      const whole = await attempt([body], encoding);
      const pieces: Buffer[] = [];
      for (let at = 0; at < body.length; at += 100) pieces.push(body.subarray(at, at + 100));
      const cut = await attempt(pieces, encoding);
      // A bomb that is damaged as well is refused for what is seen first.
      const areRefused = [cut, whole].every((one) => one.startsWith('refused: '));
      mustHold(
        areRefused || cut === whole,
        () => `${cut.slice(0, 200)} for ${whole.slice(0, 200)}: ${shown(input)}`,
      );
      const good = await attempt([GOOD_PACKED[encoding]], encoding);
      mustHold(good === GOOD.toString(), () => `then a good body: ${good.slice(0, 200)}`);
    },
  };
}

export const packedBodies: TargetEntry = {
  name: 'packed-bodies',
  shortRuns: 120,
  make: () => packedTarget(inflate),
  mutants: {
    'a body may be larger than it may': () =>
      packedTarget((source, encoding) => inflate(source, encoding, () => undefined)),
    'pieces behind the first one are lost': () =>
      packedTarget((source, encoding, accept) => inflate(source.slice(0, 1), encoding, accept)),
  },
};
