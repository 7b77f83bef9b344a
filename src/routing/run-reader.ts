import {
  RUN_CLUSTER,
  RUN_CLUSTER_BYTES,
  RUN_HOST,
  RUN_HOST_BYTES,
  RUN_LINES,
  STATE_BASE,
} from '../../workers/kernel/layout.js';
import type { Piece } from './arena-piece.js';
import { HASH_START, hashByte, hashHost } from './hash.js';
import type { ShardClient } from './shard-client.js';

const BACKSLASH = 92;
const POINT = 46;
const ASCII_MAX = 127;

/** Lines one behind the other that belong to one shard. */
export interface Run {
  readonly shard: ShardClient;
  until: number;
  lines: number;
}

/** Tells of the lines in a shard's memory which shard they are for. */
export class RunReader {
  readonly #shards: readonly ShardClient[];
  readonly #cluster: string;
  readonly #clusterName: Uint8Array;
  #memory: ArrayBufferLike | undefined;
  #words: Uint32Array = new Uint32Array(0);

  /** `cluster` is for lines that name none. */
  constructor(shards: readonly ShardClient[], cluster: string) {
    this.#shards = shards;
    this.#cluster = cluster;
    this.#clusterName = Buffer.from(cluster);
  }

  /** The run from the line at `from`: lines of one host. */
  read(piece: Piece, from: number, end: number): Run {
    const until = piece.shard.kernel.nextRun(from, end);
    if (piece.bytes.buffer !== this.#memory) {
      this.#memory = piece.bytes.buffer;
      this.#words = new Uint32Array(this.#memory, STATE_BASE, 64);
    }
    const shard = this.#shards[this.#hash(piece.bytes) % this.#shards.length]!;
    return { shard, until, lines: this.#words[RUN_LINES / 4]! };
  }

  #hash(bytes: Uint8Array): number {
    const words = this.#words;
    const cluster = words[RUN_CLUSTER / 4]!;
    const clusterEnd = cluster + words[RUN_CLUSTER_BYTES / 4]!;
    const host = words[RUN_HOST / 4]!;
    const hostEnd = host + words[RUN_HOST_BYTES / 4]!;
    // Fast path: names that are the same bytes in the line and in a query.
    let hash = HASH_START;
    let isPlain = true;
    if (cluster === clusterEnd) {
      for (const byte of this.#clusterName) hash = hashByte(hash, byte);
    }
    for (let at = cluster; at < clusterEnd; at++) {
      const byte = bytes[at]!;
      if (byte === BACKSLASH || byte > ASCII_MAX) isPlain = false;
      hash = hashByte(hash, byte);
    }
    hash = hashByte(hash, POINT);
    for (let at = host; at < hostEnd; at++) {
      const byte = bytes[at]!;
      if (byte === BACKSLASH || byte > ASCII_MAX) isPlain = false;
      hash = hashByte(hash, byte);
    }
    if (isPlain) return hash >>> 0;
    // Slow path: escapes, and bytes that need not be UTF-8.
    const text = (from: number, until: number): string =>
      unescapeTag(Buffer.from(bytes.subarray(from, until)));
    return hashHost(text(cluster, clusterEnd) || this.#cluster, text(host, hostEnd));
  }
}

/** A tag's value as it is meant: backslashes before comma, blank and equals sign taken away. */
function unescapeTag(raw: Buffer): string {
  const text = raw.toString();
  return text.includes('\\') ? text.replace(/\\([,= ])/g, '$1') : text;
}
