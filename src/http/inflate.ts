import { setImmediate as nextTurn } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import binding from 'zstd-napi/binding.js';
import { StoreError } from '../model/errors.js';

/** Memory is taken in pieces of this size. A collector's body is one piece: one turn of zlib. */
const PIECE_BYTES = 128 * 1024;
/** About two milliseconds of inflating. */
const ZSTD_TURN_BYTES = 2 * 1024 * 1024;
/** What a call costs beyond its bytes, told in bytes: frames can be tiny, and many. */
const ZSTD_CALL_BYTES = 1024;

export type PackedEncoding = 'gzip' | 'zstd';

/** Asked before so many bytes more are kept; an error ends the inflating, and is its outcome. */
export type Accept = (bytes: number) => Error | undefined;

/**
 * Undoes a Content-Encoding, piece by piece: a few bytes can become gigabytes, and neither format
 * says beforehand how many in a way to be trusted. Memory taken is at most twice of what was
 * accepted, and one piece.
 *
 * @throws what `accept` returned, or `bad-request` for a body that is not in that encoding.
 */
export async function inflate(
  source: readonly Buffer[],
  encoding: PackedEncoding,
  accept: Accept,
): Promise<Buffer[]> {
  let refusal: Error | undefined;
  const acceptOnce: Accept = (bytes) => (refusal ??= accept(bytes));
  try {
    return await (encoding === 'gzip' ? inflateGzip : inflateZstd)(source, acceptOnce);
  } catch (error) {
    if (refusal) throw refusal;
    throw new StoreError(
      'bad-request',
      `the body is not valid ${encoding}: ${(error as Error).message}`,
    );
  }
}

/** In zlib's own threads. */
function inflateGzip(source: readonly Buffer[], accept: Accept): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    const gunzip = createGunzip({ chunkSize: PIECE_BYTES });
    gunzip.on('data', (piece: Buffer) => {
      const refusal = accept(piece.length);
      if (refusal) gunzip.destroy(refusal);
      else pieces.push(withoutRest(piece));
    });
    gunzip.on('error', reject);
    gunzip.on('end', () => {
      // What follows the last member is never read, and would keep the stream open.
      gunzip.destroy();
      resolve(pieces);
    });
    for (const chunk of source) gunzip.write(chunk);
    gunzip.end();
  });
}

/**
 * A context between two bodies. Its memory, some hundred kilobytes, would else wait for a collection
 * of garbage. One that has seen much is not kept, since its window may be as large as a body.
 */
let spareContext: binding.DCtx | undefined;

/** In the front's own thread; other requests have their turn in between. */
async function inflateZstd(source: readonly Buffer[], accept: Accept): Promise<Buffer[]> {
  const context = spareContext ?? new binding.DCtx();
  spareContext = undefined;
  const pieces: Buffer[] = [];
  let target = Buffer.allocUnsafe(PIECE_BYTES);
  let used = 0;
  let expected = 1;
  let work = 0;
  for (const chunk of source) {
    let rest: Uint8Array = chunk;
    // An output that was filled may have left something inside the context.
    for (let isFilled = false; rest.length > 0 || (isFilled && expected !== 0);) {
      const [hint, produced, consumed] = context.decompressStream(target.subarray(used), rest);
      const refusal = accept(produced);
      if (refusal) throw refusal;
      expected = hint;
      used += produced;
      rest = rest.subarray(consumed);
      isFilled = used === target.length;
      if (isFilled) {
        pieces.push(target);
        target = Buffer.allocUnsafe(PIECE_BYTES);
        used = 0;
      }
      work += produced + consumed + ZSTD_CALL_BYTES;
      if (work >= ZSTD_TURN_BYTES) {
        work = 0;
        await nextTurn();
      }
    }
  }
  if (expected !== 0) throw new Error('it ends inside a frame');
  if (pieces.length === 0) spareContext = context;
  if (used > 0) pieces.push(withoutRest(target.subarray(0, used)));
  return pieces;
}

/** A view keeps all of the memory it looks into: a small one is copied out. */
function withoutRest(piece: Buffer): Buffer {
  return piece.length < PIECE_BYTES / 2 ? Buffer.from(piece) : piece;
}
