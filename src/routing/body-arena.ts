import { ARENA_BASE, ARENA_BYTES } from '../../workers/kernel/layout.js';

/** Smallest piece handed out; a collector's body is about 100 KB. */
const LEAF_BYTES = 16384;
const ORDER_MAX = 7;

/** Largest piece: bodies above it are cut at line ends. */
export const ARENA_PIECE_BYTES_MAX = LEAF_BYTES << ORDER_MAX;

/**
 * Buddy allocator over a shard's body arena; only the front uses it. Pieces freed last are handed
 * out first, so a steady load touches few pages.
 */
export class BodyArena {
  readonly #free: number[][] = Array.from({ length: ORDER_MAX + 1 }, () => []);
  /** By leaf, where a piece begins there. */
  readonly #orderOf = new Uint8Array(ARENA_BYTES / LEAF_BYTES);
  #bytesInUse = 0;

  constructor() {
    for (let at = ARENA_BYTES - ARENA_PIECE_BYTES_MAX; at >= 0; at -= ARENA_PIECE_BYTES_MAX) {
      this.#free[ORDER_MAX]!.push(at);
    }
  }

  get bytesInUse(): number {
    return this.#bytesInUse;
  }

  /** Address of a piece of at least `bytes`, 0 if there is none now. */
  allocate(bytes: number): number {
    let order = 0;
    while (LEAF_BYTES << order < bytes) order++;
    let from = order;
    while (from <= ORDER_MAX && this.#free[from]!.length === 0) from++;
    if (from > ORDER_MAX) return 0;
    const at = this.#free[from]!.pop()!;
    while (from > order) {
      from--;
      this.#free[from]!.push(at + (LEAF_BYTES << from));
    }
    this.#orderOf[at / LEAF_BYTES] = order;
    this.#bytesInUse += LEAF_BYTES << order;
    return ARENA_BASE + at;
  }

  /** Bytes of the piece at an address. */
  sizeOf(address: number): number {
    return LEAF_BYTES << this.#orderOf[(address - ARENA_BASE) / LEAF_BYTES]!;
  }

  release(address: number): void {
    let at = address - ARENA_BASE;
    let order = this.#orderOf[at / LEAF_BYTES]!;
    this.#bytesInUse -= LEAF_BYTES << order;
    while (order < ORDER_MAX) {
      const buddy = at ^ (LEAF_BYTES << order);
      const index = this.#free[order]!.lastIndexOf(buddy);
      if (index < 0) break;
      this.#free[order]!.splice(index, 1);
      at = Math.min(at, buddy);
      order++;
    }
    this.#free[order]!.push(at);
  }
}
