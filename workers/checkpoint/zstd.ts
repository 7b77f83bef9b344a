import binding from 'zstd-napi/binding.js';

/**
 * Faster ones find less. Level 1 codes what they leave, packed bits mostly, once more: 2 % smaller, and twice the
 * time to unpack.
 */
const LEVEL = -1;
const packer = new binding.CCtx();
let unpacker = new binding.DCtx();

/**
 * In one context for all: those of their own are 100 KB each of memory that V8 does not know of, so that it collects them
 * late. One that has failed may be of no use any more.
 */
function decompress(target: Uint8Array, stored: Uint8Array): number {
  try {
    return unpacker.decompress(target, stored);
  } catch (error) {
    unpacker = new binding.DCtx();
    throw error;
  }
}

/** Packs and unpacks whole buffers, in the calling thread. */
export const zstd = {
  /** Room that `pack` needs for so many bytes. */
  packedBytesMax: (bytes: number): number => binding.compressBound(bytes),
  /** Returns the bytes it wrote to `target`. */
  pack: (target: Uint8Array, bytes: Uint8Array): number => packer.compress(target, bytes, LEVEL),
  /** Returns the bytes it wrote to `target`; throws if they do not fit, or make no sense. */
  decompress,
  /** A frame that tells its size. Throws if it is damaged, or says to be larger than `bytesMax`. */
  unpack: (stored: Uint8Array, bytesMax: number): Buffer => {
    const bytes = binding.getFrameContentSize(stored);
    if (bytes === null || bytes > bytesMax) throw new Error('a frame tells a wrong size');
    const target = Buffer.allocUnsafe(bytes);
    const unpacked = decompress(target, stored);
    if (unpacked !== bytes) throw new Error(`a frame has ${unpacked} bytes, and tells ${bytes}`);
    return target;
  },
};
