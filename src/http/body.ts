import { gunzip } from 'node:zlib';
import { DecompressStream } from 'zstd-napi';
import { StoreError } from '../model/errors.js';
import type { HttpExchange } from './server.js';

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

/** Undoes a Content-Encoding; the result may have at most `bytesMax`. */
export async function inflate(
  body: Buffer,
  encoding: string,
  bytesMax: number,
  setting: string,
): Promise<Buffer> {
  if (encoding === '' || encoding === 'identity') return body;
  try {
    if (encoding === 'gzip' || encoding === 'x-gzip') return await inflateGzip(body, bytesMax);
    if (encoding === 'zstd') return await inflateZstd(body, bytesMax);
  } catch (error) {
    if (error === TOO_LARGE || (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw tooLarge(bytesMax, setting);
    }
    throw new StoreError(
      'bad-request',
      `the body is not valid ${encoding}: ${(error as Error).message}`,
    );
  }
  throw new StoreError(
    'unsupported-encoding',
    `Content-Encoding ${encoding} is not supported; gzip, zstd and identity are`,
  );
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

/** Streamed, since a frame need not tell how large it becomes. */
function inflateZstd(body: Buffer, bytesMax: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const stream = new DecompressStream();
    const chunks: Buffer[] = [];
    let bytes = 0;
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bytesMax) stream.destroy(TOO_LARGE);
      else chunks.push(chunk);
    });
    stream.on('end', () => resolve(Buffer.concat(chunks)));
    stream.on('error', reject);
    stream.end(body);
  });
}
