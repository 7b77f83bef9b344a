/** Sealed blocks (assembly/encode.ts, assembly/decode.ts): layout in ../FORMAT.md. */
export interface BlockExports {
  /**
   * Encodes `slots` (1 … 128) Float64 at `values` (NaN = missing, at least one present), the first
   * being slot `start`, to `out` (BLOCK_BYTES_MAX); returns the block's bytes, a multiple of 16.
   * `exponentHint` is the decimal exponent to try first.
   */
  encodeBlock(
    values: number,
    slots: number,
    start: number,
    exponentHint: number,
    out: number,
  ): number;
  /** Writes all slots of a block as Float64 to `out`, NaN where missing; bit for bit what was encoded. */
  decodeBlock(block: number, out: number): void;
  /** The same for slots `from` … `until` (exclusive, counted from the block's first) only. */
  decodeBlockRange(block: number, from: number, until: number, out: number): void;
  /** Bytes of a block with header and payload, a multiple of 16. */
  blockBytes(block: number): number;
  /** The same of one in a run of a checkpoint, whose header may be short. */
  savedBytes(saved: number): number;
  /**
   * Writes a block of a run of a checkpoint as it is in memory to `out` (BLOCK_BYTES_MAX). `next`: the slot behind
   * the block in front of it, or that of the run's header: it begins there if its header is short.
   */
  unpackBlock(saved: number, next: number, out: number): void;
}
