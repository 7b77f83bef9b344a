import { brotliDecompressSync, createBrotliDecompress, createGunzip, gunzipSync } from 'node:zlib';
import { decompress, DecompressStream } from 'zstd-napi';

export const MB = 1024 * 1024;

export const unpack = {
  zstd: (bytes: Uint8Array): Uint8Array => decompress(bytes),
  br: (bytes: Uint8Array): Uint8Array => brotliDecompressSync(bytes),
  gzip: (bytes: Uint8Array): Uint8Array => gunzipSync(bytes),
};

export const makeUnpacker = {
  zstd: () => new DecompressStream(),
  br: () => createBrotliDecompress(),
  gzip: () => createGunzip(),
};

/** Numbers as they are in answers, 6 MB of them. */
export const NUMBERS = makeNumbers(6 * MB);

function makeNumbers(bytes: number): Buffer {
  const parts: string[] = [];
  for (let length = 0, i = 0; length < bytes; i++) {
    const part = `${((i * 7919) % 10_007) / 100},`;
    parts.push(part);
    length += part.length;
  }
  return Buffer.from(parts.join('').slice(0, bytes));
}
