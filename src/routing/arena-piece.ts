import { ARENA_PIECE_BYTES_MAX, type BodyArena } from './body-arena.js';
import type { ShardClient } from './shard-client.js';

/** In front of the body: the default cluster's name, which routes keep below 129 bytes. Behind it: a newline and room to read over. */
export const HEAD_BYTES = 256;
const TAIL_BYTES = 64;

/** A piece of a shard's body arena, with the generation it belongs to. */
export interface Piece {
  readonly shard: ShardClient;
  readonly generation: number;
  readonly arena: BodyArena;
  readonly bytes: Uint8Array;
  readonly address: number;
  /** Room for the body's bytes, which begin at `address + HEAD_BYTES`. */
  readonly capacity: number;
  used: number;
  /** Parts in flight that lie in it, plus one while it is being filled. */
  holders: number;
}

/** A piece for `bodyBytes`, or for the most there can be; undefined if there is no room now. */
export function openPiece(
  shard: ShardClient,
  bodyBytes: number,
  clusterName: Uint8Array,
): Piece | undefined {
  if (!shard.ready) return undefined;
  const bytes = Math.min(bodyBytes + HEAD_BYTES + TAIL_BYTES, ARENA_PIECE_BYTES_MAX);
  const address = shard.arena.allocate(bytes);
  if (address === 0) return undefined;
  shard.bytes.set(clusterName, address);
  return {
    shard,
    generation: shard.generation,
    arena: shard.arena,
    bytes: shard.bytes,
    address,
    capacity: shard.arena.sizeOf(address) - HEAD_BYTES - TAIL_BYTES,
    used: 0,
    holders: 1,
  };
}

/** Bytes of the arena that a piece takes. */
export function pieceBytes(piece: Piece): number {
  return piece.capacity + HEAD_BYTES + TAIL_BYTES;
}

export function releasePiece(piece: Piece): void {
  if (--piece.holders > 0) return;
  piece.arena.release(piece.address);
  piece.shard.roomAppeared();
}

/** Whether the memory a piece lies in is gone: its shard is down, or back with another one. */
export function isLost(piece: Piece): boolean {
  return !piece.shard.ready || piece.generation !== piece.shard.generation;
}
