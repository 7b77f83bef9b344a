import {
  RUN_CLUSTER,
  RUN_CLUSTER_BYTES,
  RUN_HOST,
  RUN_HOST_BYTES,
  RUN_IS_OPEN,
  RUN_LINES,
  STATE_BASE,
} from '../../workers/kernel/layout.js';
import type { ClusterSet } from '../auth/identity.js';
import type { Piece } from './arena-piece.js';
import { HASH_START, hashByte, hashHost } from '../model/hash.js';
import type { ShardClient } from './shard-client.js';

const BACKSLASH = 92;
const POINT = 46;
const ASCII_MAX = 127;

const NO_NAMES: readonly Uint8Array[] = [];
const NO_WORDS = new Uint32Array(0);

/** Lines one behind the other that belong to one shard. */
export interface Run {
  readonly shard: ShardClient;
  /** Its cluster is one of those that may be written to. */
  readonly isAllowed: boolean;
  until: number;
  lines: number;
  /** A text in quotes has no end: lines from elsewhere in the body may not be put behind it. */
  isOpen: boolean;
}

/** Tells of the lines in a shard's memory which shard they are for. */
export class RunReader {
  readonly #shards: readonly ShardClient[];
  readonly #cluster: string;
  /** Of the default cluster and the point behind it. */
  readonly #clusterHash: number;
  readonly #allowed: ClusterSet;
  readonly #allowedNames: readonly Uint8Array[];
  /** Where the last run ended, 0 = it does not matter. */
  #until = 0;
  #memory: ArrayBufferLike | undefined;
  #words: Uint32Array = NO_WORDS;

  /** `cluster` is for lines that name none; `clusterName` its bytes; `allowed` null = any. */
  constructor(
    shards: readonly ShardClient[],
    cluster: string,
    clusterName: Uint8Array,
    allowed: ClusterSet = null,
  ) {
    this.#shards = shards;
    this.#allowed = allowed;
    this.#allowedNames = allowed === null ? NO_NAMES : plainNames(allowed);
    this.#cluster = cluster;
    let hash = HASH_START;
    for (const byte of clusterName) hash = hashByte(hash, byte);
    this.#clusterHash = hashByte(hash, POINT);
  }

  /**
   * Readers of other bodies may have been at work since the last run, and other bytes may lie
   * where it ended. Must be called then, or the next run is read with the tags of another line.
   */
  forget(): void {
    this.#until = 0;
  }

  /** The run from the line at `from`: lines of one host. `end` is the same for all of a block. */
  read(piece: Piece, from: number, end: number): Run {
    const isNext = from === this.#until ? 1 : 0;
    // With a limit nothing may depend on where a shard takes a quoted field to end.
    const isStrict = this.#allowed === null ? 0 : 1;
    const until = piece.shard.kernel.nextRun(from, end, isNext, isStrict);
    this.#until = until;
    if (piece.bytes.buffer !== this.#memory) {
      this.#memory = piece.bytes.buffer;
      this.#words = new Uint32Array(this.#memory, STATE_BASE, 64);
    }
    const shard = this.#shards[this.#hash(piece.bytes) % this.#shards.length]!;
    const isAllowed = this.#allowed === null || this.#isAllowed(piece.bytes, this.#allowed);
    const isOpen = this.#words[RUN_IS_OPEN / 4] !== 0;
    return { shard, isAllowed, until, lines: this.#words[RUN_LINES / 4]!, isOpen };
  }

  /** Lines without a cluster are the business of the shard, which has the default one, or rejects them. */
  #isAllowed(bytes: Uint8Array, allowed: ReadonlySet<string>): boolean {
    const from = this.#words[RUN_CLUSTER / 4]!;
    const length = this.#words[RUN_CLUSTER_BYTES / 4]!;
    if (length === 0) return this.#cluster === '' || allowed.has(this.#cluster);
    // Fast path: the very bytes of a name.
    if (this.#allowedNames.some((name) => isAt(bytes, from, length, name))) return true;
    return allowed.has(unescapeTag(Buffer.from(bytes.subarray(from, from + length))));
  }

  #hash(bytes: Uint8Array): number {
    const words = this.#words;
    const cluster = words[RUN_CLUSTER / 4]!;
    const clusterEnd = cluster + words[RUN_CLUSTER_BYTES / 4]!;
    const host = words[RUN_HOST / 4]!;
    const hostEnd = host + words[RUN_HOST_BYTES / 4]!;
    // Fast path: names that are the same bytes in the line and in a query.
    let hash: number | undefined = this.#clusterHash;
    if (cluster < clusterEnd) {
      hash = hashPlain(HASH_START, bytes, cluster, clusterEnd);
      if (hash !== undefined) hash = hashByte(hash, POINT);
    }
    if (hash !== undefined) hash = hashPlain(hash, bytes, host, hostEnd);
    if (hash !== undefined) return hash >>> 0;
    // Slow path: escapes, and bytes that need not be UTF-8.
    const text = (from: number, until: number): string =>
      unescapeTag(Buffer.from(bytes.subarray(from, until)));
    return hashHost(text(cluster, clusterEnd) || this.#cluster, text(host, hostEnd));
  }
}

/** Bytes of those that look the same in a line. */
function plainNames(names: Iterable<string>): Uint8Array[] {
  return [...names].filter((name) => !name.includes('\\')).map((name) => Buffer.from(name));
}

function isAt(bytes: Uint8Array, from: number, length: number, name: Uint8Array): boolean {
  if (length !== name.length) return false;
  for (let i = 0; i < length; i++) if (bytes[from + i] !== name[i]) return false;
  return true;
}

/** The hash with a name's bytes; undefined if they are not plain: escaped, or not ASCII. */
function hashPlain(
  hash: number,
  bytes: Uint8Array,
  from: number,
  until: number,
): number | undefined {
  for (let at = from; at < until; at++) {
    const byte = bytes[at]!;
    if (byte === BACKSLASH || byte > ASCII_MAX) return undefined;
    hash = hashByte(hash, byte);
  }
  return hash;
}

/** A tag's value as it is meant: backslashes before comma, blank and equals sign taken away. */
function unescapeTag(raw: Buffer): string {
  const text = raw.toString();
  return text.includes('\\') ? text.replace(/\\([,= ])/g, '$1') : text;
}
