import binding from 'zstd-napi/binding.js';

/** Level 1: the data is packed bits mostly, and higher ones win little. */
const LEVEL = 1;
const packer = new binding.CCtx();

/** Packs and unpacks whole buffers, in the calling thread. */
export const zstd = {
  /** Room that `pack` needs for so many bytes. */
  packedBytesMax: (bytes: number): number => binding.compressBound(bytes),
  /** Returns the bytes it wrote to `target`. */
  pack: (target: Uint8Array, bytes: Uint8Array): number => packer.compress(target, bytes, LEVEL),
  /** Returns the bytes it wrote to `target`; throws if they do not fit, or make no sense. */
  decompress: (target: Uint8Array, stored: Uint8Array): number =>
    new binding.DCtx().decompress(target, stored),
  /**
   * A frame that tells its size. In a context of its own: one that all share is of no use any more
   * after a frame that is cut off. Throws if it is damaged, or says to be larger than `bytesMax`.
   */
  unpack: (stored: Uint8Array, bytesMax: number): Buffer => {
    const bytes = binding.getFrameContentSize(stored);
    if (bytes === null || bytes > bytesMax) throw new Error('a frame tells a wrong size');
    const target = Buffer.allocUnsafe(bytes);
    const unpacked = new binding.DCtx().decompress(target, stored);
    if (unpacked !== bytes) throw new Error(`a frame has ${unpacked} bytes, and tells ${bytes}`);
    return target;
  },
};
