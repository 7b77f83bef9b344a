import { compress } from 'zstd-napi';
import binding from 'zstd-napi/binding.js';

/** Level 1: the data is packed bits mostly, and higher ones win little. */
const OPTIONS = { compressionLevel: 1 };

/** Packs and unpacks whole buffers, in the calling thread. */
export const zstd = {
  compress: (bytes: Uint8Array): Uint8Array => compress(bytes, OPTIONS),
  /** Returns the bytes it wrote to `target`; throws if they do not fit, or make no sense. */
  decompress: (target: Uint8Array, stored: Uint8Array): number =>
    new binding.DCtx().decompress(target, stored),
};
