import { ARENA_BYTES } from '../../workers/kernel/layout.js';
import { StoreError } from '../model/errors.js';
import { HEAD_BYTES, isLost, openPiece, releasePiece, type Piece } from './arena-piece.js';
import { copyBytes } from './copy-bytes.js';
import { lost, PartSender } from './part-sender.js';
import type { ShardClient } from './shard-client.js';
import type { WriteOptions, WriteSession, WriteSummary } from './store.js';

/** Piece for a body whose length is not known. */
const PIECE_BYTES_UNKNOWN = 131072;
/** With several shards, what arrives leaves room for runs on their way to their shard. */
const ARRIVAL_BYTES_MAX = (ARENA_BYTES / 4) * 3;
const NEWLINE = 10;
const NO_NAME = Buffer.alloc(0);

export interface WriteLimits {
  readonly writeWaitMsMax: number;
  readonly lineBytesMax: number;
}

/** How the session finds a shard: `shards[hash % shards.length]`. */
export type ShardOf = (cluster: string, host: string) => ShardClient;

/**
 * One body on its way into the shards. Bytes are copied once, into the arena of the shard that
 * the first line names; with several shards only runs of lines for another shard, and short ones,
 * are copied again.
 */
export class ShardedWrite implements WriteSession {
  onDrain: (() => void) | undefined;
  readonly #options: WriteOptions;
  readonly #limits: WriteLimits;
  readonly #shards: readonly ShardClient[];
  readonly #shardOf: ShardOf;
  readonly #clusterName: Buffer;
  readonly #sender: PartSender;
  /** Some of what arrives is copied again: see {@link PartSender}. */
  readonly #isCut: boolean;
  #home: ShardClient | undefined;
  #piece: Piece | undefined;
  /** The line begun in a piece that was full, on its way to the next one. */
  #carry: Uint8Array | undefined;
  #pending: Uint8Array[] = [];
  #bytesSeen = 0;
  #skipping = false;
  #ended = false;
  #failure: StoreError | undefined;
  #awaited: ShardClient | undefined;
  #timer: NodeJS.Timeout | undefined;
  #settle:
    { resolve: (summary: WriteSummary) => void; reject: (error: StoreError) => void } | undefined;

  constructor(
    shards: readonly ShardClient[],
    shardOf: ShardOf,
    options: WriteOptions,
    limits: WriteLimits,
  ) {
    this.#shards = shards;
    this.#shardOf = shardOf;
    this.#options = options;
    this.#limits = limits;
    this.#clusterName = options.cluster === '' ? NO_NAME : Buffer.from(options.cluster);
    this.#isCut = shards.length > 1 || (options.clusters ?? null) !== null;
    this.#sender = new PartSender(shards, options, this.#clusterName, (error) => {
      if (error) this.#fail(error);
      else this.#complete();
    });
  }

  push(chunk: Uint8Array): boolean {
    if (this.#failure) return true;
    if (this.#pending.length > 0) {
      this.#pending.push(Uint8Array.prototype.slice.call(chunk));
      return false;
    }
    const taken = this.#fill(chunk);
    if (taken === chunk.length || this.#failure) return true;
    this.#pending.push(Uint8Array.prototype.slice.call(chunk, taken));
    this.#waitForRoom();
    return false;
  }

  finish(): Promise<WriteSummary> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#ended = true;
      this.#advance();
    });
  }

  abort(): void {
    this.#fail(new StoreError('bad-request', 'the client went away before the body was complete'));
  }

  /** Copies as much as there is room for; returns how many bytes of `chunk` are dealt with. */
  #fill(chunk: Uint8Array): number {
    let taken = 0;
    while (taken < chunk.length) {
      if (this.#skipping) {
        const newline = chunk.indexOf(NEWLINE, taken);
        if (newline < 0) return chunk.length;
        taken = newline + 1;
        this.#skipping = false;
        continue;
      }
      if (!this.#flush()) return taken;
      this.#home ??= this.#guessHome(chunk.subarray(taken));
      this.#piece ??= this.#openPiece(this.#home, chunk.length - taken);
      const piece = this.#piece;
      if (!piece) return taken;
      if (isLost(piece)) {
        this.#fail(lost(piece));
        return taken;
      }
      const room = piece.capacity - piece.used;
      if (room === 0) {
        this.#cut(piece);
        continue;
      }
      const count = Math.min(room, chunk.length - taken);
      copyBytes(chunk, taken, taken + count, piece.bytes, piece.address + HEAD_BYTES + piece.used);
      piece.used += count;
      taken += count;
      this.#bytesSeen += count;
    }
    return taken;
  }

  /** A piece for what is still to come, at least `atLeast` bytes; it begins with the carried line. */
  #openPiece(shard: ShardClient, atLeast: number): Piece | undefined {
    this.#awaited = shard;
    if (this.#isCut && shard.arena.bytesInUse >= ARRIVAL_BYTES_MAX) {
      if (this.#isAlone(shard)) this.#fail(tooLong());
      return undefined;
    }
    const left = this.#options.bytesExpected - this.#bytesSeen;
    const wanted = left > 0 ? Math.max(left, atLeast) : Math.max(atLeast, PIECE_BYTES_UNKNOWN);
    const carry = this.#carry;
    const piece = openPiece(shard, wanted + 2 * (carry?.length ?? 0), this.#clusterName);
    if (!piece && this.#isAlone(shard)) this.#fail(tooLong());
    if (piece && carry) {
      piece.bytes.set(carry, piece.address + HEAD_BYTES);
      piece.used = carry.length;
      this.#carry = undefined;
    }
    return piece;
  }

  /** A full piece: its whole lines go to the shards, the line begun moves to the next piece. */
  #cut(piece: Piece): void {
    const start = piece.address + HEAD_BYTES;
    const filled = piece.bytes.subarray(start, start + piece.used);
    const whole = filled.lastIndexOf(NEWLINE) + 1;
    this.#sender.add(piece, whole);
    const { lineBytesMax } = this.#limits;
    if (piece.used - whole > lineBytesMax) {
      this.#skipping = true;
      this.#sender.addLongLine(`line is longer than line-bytes-max (${lineBytesMax} bytes)`);
    } else if (whole < piece.used) this.#carry = filled.slice(whole);
    this.#piece = undefined;
    releasePiece(piece);
  }

  /** Whether nobody will make room: all that lies in a shard's arena is this body, and is held. */
  #isAlone(shard: ShardClient): boolean {
    const held = this.#isHeld ? this.#sender.bytesQueued : 0;
    return held > 0 && held === shard.arena.bytesInUse;
  }

  /** A body that does not tell its length may yet be refused, and then nothing of it is stored. */
  get #isHeld(): boolean {
    return this.#options.bytesExpected === 0 && !this.#ended;
  }

  /** Sends what there is room for; false if something is left, or all is lost. */
  #flush(): boolean {
    if (this.#isHeld) return true;
    const stuck = this.#sender.flush();
    if (!stuck) return true;
    if (stuck instanceof StoreError) this.#fail(stuck);
    else this.#awaited = stuck;
    return false;
  }

  /** Room may have appeared: goes on with what waits, then tells the socket. */
  #advance(): void {
    if (this.#failure) {
      this.#complete();
      return;
    }
    while (this.#pending.length > 0) {
      const chunk = this.#pending[0]!;
      const taken = this.#fill(chunk);
      if (this.#failure) return;
      if (taken < chunk.length) {
        this.#pending[0] = chunk.subarray(taken);
        this.#waitForRoom();
        return;
      }
      this.#pending.shift();
    }
    if (this.#ended && this.#piece) {
      const piece = this.#piece;
      this.#piece = undefined;
      this.#sender.add(piece, piece.used);
      releasePiece(piece);
    }
    if (!this.#flush()) {
      this.#waitForRoom();
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#ended) this.#complete();
    else this.onDrain?.();
  }

  #waitForRoom(): void {
    if (this.#failure) return;
    this.#timer ??= setTimeout(() => this.#timedOut(), this.#limits.writeWaitMsMax);
    this.#awaited!.whenRoom(() => this.#advance());
  }

  /**
   * Nothing taken yet: the client may try again. Else the body must go on, or be half taken; only
   * for a shard that is down there is no telling how long that is.
   */
  #timedOut(): void {
    this.#timer = undefined;
    const { writeWaitMsMax } = this.#limits;
    const shard = this.#awaited!;
    if (!shard.ready) {
      const text = `shard ${shard.index} was down for ${writeWaitMsMax} ms (write-wait-ms-max)`;
      this.#fail(new StoreError('shard-unavailable', text));
    } else if (this.#sender.hasPublished) {
      this.#timer = setTimeout(() => this.#timedOut(), writeWaitMsMax);
    } else {
      const text = `the ingest queue was full for ${writeWaitMsMax} ms (write-wait-ms-max)`;
      this.#fail(new StoreError('queue-full', text));
    }
  }

  #fail(error: StoreError): void {
    if (!this.#failure) {
      this.#failure = error;
      clearTimeout(this.#timer);
      this.#pending = [];
      this.#carry = undefined;
      this.#sender.drop();
      if (this.#piece) releasePiece(this.#piece);
      this.#piece = undefined;
      this.onDrain?.();
    }
    this.#complete();
  }

  #complete(): void {
    if (!this.#settle || this.#sender.partsInFlight > 0) return;
    if (this.#failure) this.#settle.reject(this.#withTaken(this.#failure));
    else if (this.#ended && !this.#piece && this.#sender.isEmpty && this.#pending.length === 0) {
      this.#settle.resolve(this.#sender.summary());
    }
  }

  /** An error that says what of the body was stored all the same. */
  #withTaken(error: StoreError): StoreError {
    const { code, message, status } = error;
    if (status !== 503) return error;
    const taken = this.#sender.hasPublished
      ? `${this.#sender.summary().written} samples of this body were taken before, send all of it`
      : 'nothing of this body was taken, send it';
    return new StoreError(code, `${message}; ${taken} again later`);
  }

  #guessHome(chunk: Uint8Array): ShardClient {
    if (this.#shards.length === 1) return this.#shards[0]!;
    const text = Buffer.from(chunk.subarray(0, 512)).toString('latin1');
    const cluster = /,cluster=([^, \n]+)/.exec(text)?.[1] ?? this.#options.cluster;
    const host = /,host(?:name)?=([^, \n]+)/.exec(text)?.[1] ?? '';
    return this.#shardOf(cluster, host);
  }
}

function tooLong(): StoreError {
  return new StoreError(
    'body-too-large',
    'the body has no Content-Length and does not fit into the memory for bodies; send smaller ones',
  );
}
