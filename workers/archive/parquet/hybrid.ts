/** So many equal numbers are written as a run. */
const RUN_MIN = 8;

/**
 * Writes numbers in Parquet's RLE/bit-packing hybrid into memory that grows with them. Source:
 * https://parquet.apache.org/docs/file-format/data-pages/encodings/ (RLE = 3).
 */
export class HybridWriter {
  #bytes = Buffer.alloc(4096);
  #at = 0;

  /** A page of dictionary indexes: their width in bits, then the numbers; valid until the next call. */
  page(indexes: Uint32Array, count: number, bits: number): Uint8Array {
    this.#begin(bits, count * 5 + 64);
    let at = 0;
    let packedFrom = 0;
    while (at < count) {
      let end = at + 1;
      while (end < count && indexes[end] === indexes[at]) end++;
      // Bit-packed numbers come in groups of eight: what fills up the last group is no part of the run.
      const filled = (RUN_MIN - ((at - packedFrom) % RUN_MIN)) % RUN_MIN;
      if (end - at - filled < RUN_MIN) {
        at = end;
        continue;
      }
      this.#packed(indexes, packedFrom, at + filled, bits);
      this.#run(indexes[at]!, end - at - filled, bits);
      packedFrom = end;
      at = end;
    }
    this.#packed(indexes, packedFrom, count, bits);
    return this.#bytes.subarray(0, this.#at);
  }

  /** A page of `[index, times]`, run by run. */
  runs(runs: Iterable<readonly [index: number, times: number]>, bits: number): Uint8Array {
    this.#begin(bits, 64);
    for (const [index, times] of runs) {
      this.#reserve(16);
      this.#run(index, times, bits);
    }
    return this.#bytes.subarray(0, this.#at);
  }

  #begin(bits: number, bytesMax: number): void {
    this.#at = 0;
    this.#reserve(bytesMax);
    this.#bytes[this.#at++] = bits;
  }

  #run(value: number, times: number, bits: number): void {
    this.#varint(times * 2);
    for (let shift = 0; shift < bits; shift += 8) this.#bytes[this.#at++] = value >>> shift;
  }

  #packed(values: Uint32Array, from: number, until: number, bits: number): void {
    if (from === until) return;
    const groups = Math.ceil((until - from) / RUN_MIN);
    this.#varint(groups * 2 + 1);
    const bytes = this.#bytes;
    let at = this.#at;
    let held = 0;
    let heldBits = 0;
    const end = from + groups * RUN_MIN;
    for (let i = from; i < end; i++) {
      held |= (i < until ? values[i]! : 0) << heldBits;
      heldBits += bits;
      while (heldBits >= 8) {
        bytes[at++] = held;
        held >>>= 8;
        heldBits -= 8;
      }
    }
    this.#at = at;
  }

  #varint(value: number): void {
    while (value >= 128) {
      this.#bytes[this.#at++] = (value & 127) | 128;
      value >>>= 7;
    }
    this.#bytes[this.#at++] = value;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const grown = Buffer.alloc(2 * (this.#at + bytes));
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
  }
}

/** Bits of the largest of `count` indexes; one at least, as not every reader takes none. */
export function bitsFor(count: number): number {
  return count <= 2 ? 1 : 32 - Math.clz32(count - 1);
}
