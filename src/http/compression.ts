import type { Transform } from 'node:stream';
import {
  brotliCompressSync,
  constants,
  createBrotliCompress,
  createGzip,
  gzipSync,
  type BrotliOptions,
} from 'node:zlib';
import { compress } from 'zstd-napi';
import type { Encoding } from './accept-encoding.js';
import { Turnstile } from './turnstile.js';
import { ZSTD_LEVEL, ZstdPacker } from './zstd-packer.js';

/*
 * Levels, by 570 KB of JSON with numbers of two decimals, on one core:
 *
 *           zstd 1  zstd 3  br 1    br 2    br 4    gzip 1  gzip 2  gzip 3
 *   time    2.0 ms  2.5 ms  2.6 ms  4.3 ms  7.8 ms  4.2 ms  4.9 ms  7.6 ms
 *   of it   34.6 %  35.3 %  36.2 %  33.6 %  33.7 %  37.6 %  36.5 %  35.4 %
 */
const GZIP_LEVEL = 1;
const BROTLI_QUALITY = 2;
/** Windows of 256 KB: what is alike in an answer is near, and an encoder takes memory for them. */
const BROTLI_WINDOW_BITS = 18;
/** Up to it an answer is packed at once: in 0.2 ms by zstd, 0.5 ms by the others. */
const AT_ONCE_BYTES_MAX = 64 * 1024;
/** Made in one piece where it fits, so that there are few turns. */
const PIECE_BYTES = 128 * 1024;
/** Half of the threads that zlib has: the disk needs some, too. */
const PACKINGS_MAX = 2;

const packings = new Turnstile(PACKINGS_MAX);

/** Packs what is written to its stream. */
export interface Packer {
  readonly stream: Transform;
  /** Makes that all that was written so far can be unpacked. */
  flush(): void;
}

/** A packer for a stream of its own; `stream.destroy` gives its memory back. */
export function makePacker(encoding: Encoding, bytesExpected = 0): Packer {
  if (encoding === 'zstd') {
    const stream = new ZstdPacker();
    return { stream, flush: () => stream.flush() };
  }
  if (encoding === 'br') {
    const options = brotliOptions(bytesExpected);
    const stream = createBrotliCompress({ ...options, chunkSize: PIECE_BYTES });
    return { stream, flush: () => stream.flush(constants.BROTLI_OPERATION_FLUSH) };
  }
  const stream = createGzip({ level: GZIP_LEVEL, chunkSize: PIECE_BYTES });
  return { stream, flush: () => stream.flush(constants.Z_SYNC_FLUSH) };
}

/**
 * Packs an answer: a small one at once, a large one in other threads or in turns, and of those not
 * more than a few at a time. The bytes are not read any more when this returns.
 */
export function pack(bytes: Uint8Array, encoding: Encoding): Buffer | Promise<Buffer> {
  if (bytes.length <= AT_ONCE_BYTES_MAX) return packAtOnce(bytes, encoding);
  const copy = Buffer.from(bytes);
  return packings.run(() => packInTurns(copy, encoding));
}

function packAtOnce(bytes: Uint8Array, encoding: Encoding): Buffer {
  if (encoding === 'zstd') return compress(bytes, { compressionLevel: ZSTD_LEVEL });
  if (encoding === 'br') return brotliCompressSync(bytes, brotliOptions(bytes.length));
  return gzipSync(bytes, { level: GZIP_LEVEL });
}

function packInTurns(bytes: Buffer, encoding: Encoding): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    const { stream } = makePacker(encoding, bytes.length);
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('error', reject);
    stream.on('end', () => {
      stream.destroy();
      resolve(Buffer.concat(pieces));
    });
    stream.end(bytes);
  });
}

function brotliOptions(bytes: number): BrotliOptions {
  return {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
      [constants.BROTLI_PARAM_LGWIN]: BROTLI_WINDOW_BITS,
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes,
    },
  };
}
