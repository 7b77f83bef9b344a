import { setImmediate as nextTurn } from 'node:timers/promises';
import { gunzip } from 'node:zlib';
import binding from 'zstd-napi/binding.js';
import { StoreError } from '../model/errors.js';
import type { HttpExchange } from './server.js';

const ZSTD_PIECE_BYTES = 128 * 1024;
/** About two milliseconds of inflating. */
const ZSTD_TURN_BYTES = 2 * 1024 * 1024;

/** Collects a body of at most `bytesMax`, as sent. */
export function collectBody(
  exchange: HttpExchange,
  bytesMax: number,
  setting: string,
  done: (body: Buffer | StoreError) => void,
): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let finished = false;
  const finish = (result: Buffer | StoreError): void => {
    if (finished) return;
    finished = true;
    done(result);
  };
  if (Number(exchange.header('content-length')) > bytesMax) {
    finish(tooLarge(bytesMax, setting));
    return;
  }
  exchange.onData = (chunk, isLast) => {
    if (finished) return;
    bytes += chunk.length;
    if (bytes > bytesMax) {
      finish(tooLarge(bytesMax, setting));
      return;
    }
    // The chunk is gone when this returns.
    chunks.push(Buffer.from(chunk));
    if (isLast) finish(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
  };
}

export function tooLarge(bytesMax: number, setting: string): StoreError {
  return new StoreError(
    'body-too-large',
    `the body is larger than ${setting} (${bytesMax} bytes); send smaller ones`,
  );
}

/** How a body is packed, '' for not at all. Throws `unsupported-encoding` before any is read. */
export function contentEncoding(exchange: HttpExchange): PackedEncoding | '' {
  const encoding = exchange.header('content-encoding').trim().toLowerCase();
  if (encoding === '' || encoding === 'identity') return '';
  if (encoding === 'gzip' || encoding === 'x-gzip') return 'gzip';
  if (encoding === 'zstd') return 'zstd';
  throw new StoreError(
    'unsupported-encoding',
    `Content-Encoding "${encoding.slice(0, 60)}" is not supported; gzip, zstd and identity are`,
  );
}

export type PackedEncoding = 'gzip' | 'zstd';

/** Undoes a Content-Encoding; the result may have at most `bytesMax`. */
export async function inflate(
  body: Buffer,
  encoding: PackedEncoding,
  bytesMax: number,
  setting: string,
): Promise<Buffer> {
  try {
    return await (encoding === 'gzip' ? inflateGzip : inflateZstd)(body, bytesMax);
  } catch (error) {
    if (error === TOO_LARGE || (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw tooLarge(bytesMax, setting);
    }
    throw new StoreError(
      'bad-request',
      `the body is not valid ${encoding}: ${(error as Error).message}`,
    );
  }
}

const TOO_LARGE = new Error('too large');

function inflateGzip(body: Buffer, bytesMax: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    gunzip(body, { maxOutputLength: bytesMax }, (error, result) => {
      if (error) reject(error);
      else resolve(result);
    });
  });
}

/**
 * Frame by frame into pieces of fixed size, since a frame need not tell how large it becomes and a
 * few bytes can become gigabytes: memory taken never passes `bytesMax` by more than a piece. Other
 * requests have their turn in between, since this works in the front's own thread.
 */
async function inflateZstd(body: Buffer, bytesMax: number): Promise<Buffer> {
  const context = new binding.DCtx();
  const pieces: Buffer[] = [];
  let bytes = 0;
  let bytesThisTurn = 0;
  let source: Uint8Array = body;
  for (;;) {
    const target = Buffer.allocUnsafe(ZSTD_PIECE_BYTES);
    const [expected, produced, consumed] = context.decompressStream(target, source);
    bytes += produced;
    if (bytes > bytesMax) throw TOO_LARGE;
    if (produced > 0) pieces.push(target.subarray(0, produced));
    source = source.subarray(consumed);
    // An output that was filled may have left something inside the context.
    if (source.length === 0 && (expected === 0 || produced < target.length)) {
      if (expected !== 0) throw new Error('it ends inside a frame');
      return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, bytes);
    }
    bytesThisTurn += produced;
    if (bytesThisTurn >= ZSTD_TURN_BYTES) {
      bytesThisTurn = 0;
      await nextTurn();
    }
  }
}
