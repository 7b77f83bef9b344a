import {
  RUN_CLUSTER,
  RUN_CLUSTER_BYTES,
  RUN_HOST,
  RUN_HOST_BYTES,
  STATE_BASE,
} from '../../workers/kernel/layout.js';
import { StoreError } from '../model/errors.js';
import { ARENA_PIECE_BYTES_MAX, type BodyArena } from './body-arena.js';
import type { PartResult, ShardClient } from './shard-client.js';
import { summarize } from './summarize.js';
import type { WriteOptions, WriteSession, WriteSummary } from './store.js';

/** In front of the body: the default cluster's name. Behind it: a newline and room to read over. */
const HEAD_BYTES = 256;
const TAIL_BYTES = 64;
/** Piece for a body whose length is not known. */
const PIECE_BYTES_UNKNOWN = 131072;
const NEWLINE = 10;

/** A piece of a shard's body arena, with the generation it belongs to. */
interface Piece {
  readonly shard: ShardClient;
  readonly generation: number;
  readonly arena: BodyArena;
  readonly bytes: Uint8Array;
  readonly address: number;
  readonly capacity: number;
  used: number;
  /** Parts in flight that lie in it, plus one while it is being filled. */
  holders: number;
}

interface Run {
  readonly piece: Piece;
  readonly from: number;
  readonly until: number;
  readonly shard: ShardClient;
}

export interface WriteLimits {
  readonly writeWaitMsMax: number;
  readonly lineBytesMax: number;
}

/** How the session finds a shard: `shards[hash % shards.length]`. */
export type ShardOf = (cluster: string, host: string) => ShardClient;

/**
 * One body on its way into the shards. Bytes are copied once, into the arena of the shard that
 * the first line names; with several shards the body is then cut into runs of lines, and only
 * runs for another shard are copied again.
 */
export class ShardedWrite implements WriteSession {
  onDrain: (() => void) | undefined;
  readonly #options: WriteOptions;
  readonly #limits: WriteLimits;
  readonly #shards: readonly ShardClient[];
  readonly #shardOf: ShardOf;
  readonly #clusterName: Buffer;
  #home: ShardClient | undefined;
  #piece: Piece | undefined;
  #pending: Uint8Array[] = [];
  #runs: Run[] = [];
  #results: (PartResult | undefined)[] = [];
  #resultsMissing = 0;
  #bytesSeen = 0;
  #skipping = false;
  #published = false;
  #ended = false;
  #failure: StoreError | undefined;
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
    this.#clusterName = Buffer.from(options.cluster).subarray(0, HEAD_BYTES);
  }

  push(chunk: Uint8Array): boolean {
    if (this.#failure) return true;
    if (this.#pending.length > 0) {
      this.#pending.push(Uint8Array.prototype.slice.call(chunk));
      return false;
    }
    const taken = this.#fill(chunk);
    if (taken === chunk.length) return true;
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
      if (!this.#flushRuns()) return taken;
      this.#home ??= this.#guessHome(chunk.subarray(taken));
      this.#piece ??= this.#openPiece(this.#home, this.#wanted(chunk.length - taken));
      const piece = this.#piece;
      if (!piece) return taken;
      const room = piece.capacity - piece.used;
      if (room === 0) {
        if (!this.#cut(piece)) return taken;
        continue;
      }
      const count = Math.min(room, chunk.length - taken);
      const part = count === chunk.length ? chunk : chunk.subarray(taken, taken + count);
      piece.bytes.set(part, piece.address + HEAD_BYTES + piece.used);
      piece.used += count;
      taken += count;
      this.#bytesSeen += count;
    }
    return taken;
  }

  #wanted(atLeast: number): number {
    const left = this.#options.bytesExpected - this.#bytesSeen;
    return left > 0 ? Math.max(left, atLeast) : Math.max(atLeast, PIECE_BYTES_UNKNOWN);
  }

  #openPiece(shard: ShardClient, bodyBytes: number): Piece | undefined {
    if (!shard.ready) return undefined;
    const bytes = Math.min(bodyBytes + HEAD_BYTES + TAIL_BYTES, ARENA_PIECE_BYTES_MAX);
    const address = shard.arena.allocate(bytes);
    if (address === 0) return undefined;
    shard.bytes.set(this.#clusterName, address);
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

  /** A full piece: its whole lines go to the shards, the line begun moves to a new piece. */
  #cut(piece: Piece): boolean {
    const start = piece.address + HEAD_BYTES;
    const lastNewline = piece.bytes.subarray(start, start + piece.used).lastIndexOf(NEWLINE);
    const rest = piece.used - (lastNewline + 1);
    if (rest > this.#limits.lineBytesMax) {
      this.#enqueue(piece, lastNewline + 1);
      this.#rejectLongLine();
      this.#piece = undefined;
      this.#release(piece);
      return true;
    }
    const next = this.#openPiece(piece.shard, Math.max(this.#wanted(0), rest * 2));
    if (!next) return false;
    next.bytes.copyWithin(next.address + HEAD_BYTES, start + lastNewline + 1, start + piece.used);
    next.used = rest;
    this.#enqueue(piece, lastNewline + 1);
    this.#piece = next;
    this.#release(piece);
    return true;
  }

  #rejectLongLine(): void {
    this.#skipping = true;
    const reason = `line is longer than line-bytes-max (${this.#limits.lineBytesMax} bytes)`;
    const first = [{ line: 1, column: 1, reason }];
    this.#results.push({ written: 0, ignored: 0, rejected: 1, lines: 1, first });
  }

  /** Cuts the first `bytes` of a piece into runs and queues them. */
  #enqueue(piece: Piece, bytes: number): void {
    if (bytes === 0) return;
    const start = piece.address + HEAD_BYTES;
    const end = start + bytes;
    if (this.#shards.length === 1) {
      this.#addRun({ piece, from: start, until: end, shard: piece.shard });
    } else {
      let from = start;
      let run: Run | undefined;
      while (from < end) {
        const until = piece.shard.kernel.nextRun(from, end);
        const shard = this.#shardOfRun(piece);
        if (run && run.shard === shard) run = { ...run, until };
        else {
          if (run) this.#addRun(run);
          run = { piece, from, until, shard };
        }
        from = until;
      }
      if (run) this.#addRun(run);
    }
    this.#flushRuns();
  }

  #addRun(run: Run): void {
    run.piece.holders++;
    this.#runs.push(run);
  }

  #shardOfRun(piece: Piece): ShardClient {
    const words = new Uint32Array(piece.bytes.buffer, STATE_BASE, 64);
    const text = (at: number, bytes: number): string =>
      unescapeTag(
        Buffer.from(piece.bytes.subarray(words[at / 4]!, words[at / 4]! + words[bytes / 4]!)),
      );
    const cluster = text(RUN_CLUSTER, RUN_CLUSTER_BYTES) || this.#options.cluster;
    return this.#shardOf(cluster, text(RUN_HOST, RUN_HOST_BYTES));
  }

  /** Publishes queued runs in order; false if one found no room. */
  #flushRuns(): boolean {
    while (this.#runs.length > 0) {
      const run = this.#runs[0]!;
      if (!this.#dispatch(run)) return false;
      this.#runs.shift();
    }
    return true;
  }

  #dispatch(run: Run): boolean {
    const { piece, shard } = run;
    if (!shard.hasRoom || piece.generation !== piece.shard.generation) return false;
    let target = piece;
    let from = run.from;
    const bytes = run.until - run.from;
    if (shard !== piece.shard) {
      const copy = this.#openPiece(shard, bytes);
      if (!copy) return false;
      copy.bytes.set(piece.bytes.subarray(run.from, run.until), copy.address + HEAD_BYTES);
      target = copy;
      from = copy.address + HEAD_BYTES;
      this.#release(piece);
    }
    if (target.bytes[from + bytes - 1] !== NEWLINE) target.bytes[from + bytes] = NEWLINE;
    const index = this.#results.length;
    this.#results.push(undefined);
    this.#resultsMissing++;
    this.#published = true;
    shard.publish(
      {
        address: from,
        bytes,
        cluster: target.address,
        clusterBytes: this.#clusterName.length,
        precision: this.#options.precision,
        done: (result) => {
          this.#release(target);
          this.#partDone(index, result);
        },
      },
      Math.floor(Date.now() / 1000),
    );
    return true;
  }

  #partDone(index: number, result: PartResult | StoreError): void {
    this.#resultsMissing--;
    if (result instanceof StoreError) {
      this.#fail(result);
      return;
    }
    this.#results[index] = result;
    this.#complete();
  }

  #release(piece: Piece): void {
    if (--piece.holders === 0) piece.arena.release(piece.address);
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
      this.#enqueue(piece, piece.used);
      this.#release(piece);
    }
    if (!this.#flushRuns()) {
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
    const shard = this.#runs[0]?.shard ?? this.#home!;
    shard.whenRoom(() => this.#advance());
  }

  /** Nothing taken yet: the client may try again. Else the body must go on, or be half taken. */
  #timedOut(): void {
    this.#timer = undefined;
    if (this.#published) return;
    this.#fail(
      new StoreError(
        'queue-full',
        `the ingest queue was full for ${this.#limits.writeWaitMsMax} ms (write-wait-ms-max); ` +
          'nothing of this body was taken, send it again later',
      ),
    );
  }

  #fail(error: StoreError): void {
    if (!this.#failure) {
      this.#failure = error;
      clearTimeout(this.#timer);
      this.#pending = [];
      for (const run of this.#runs) this.#release(run.piece);
      this.#runs = [];
      if (this.#piece) this.#release(this.#piece);
      this.#piece = undefined;
      this.onDrain?.();
    }
    this.#complete();
  }

  #complete(): void {
    if (!this.#settle || this.#resultsMissing > 0) return;
    if (this.#failure) this.#settle.reject(this.#failure);
    else if (this.#ended && !this.#piece && this.#runs.length === 0 && this.#pending.length === 0) {
      this.#settle.resolve(summarize(this.#results as PartResult[]));
    }
  }

  #guessHome(chunk: Uint8Array): ShardClient {
    if (this.#shards.length === 1) return this.#shards[0]!;
    const text = Buffer.from(chunk.subarray(0, 512)).toString('latin1');
    const cluster = /,cluster=([^, \n]+)/.exec(text)?.[1] ?? this.#options.cluster;
    const host = /,host(?:name)?=([^, \n]+)/.exec(text)?.[1] ?? '';
    return this.#shardOf(cluster, host);
  }
}

/** A tag's value as it is meant: backslashes before comma, blank and equals sign taken away. */
function unescapeTag(raw: Buffer): string {
  const text = raw.toString();
  return text.includes('\\') ? text.replace(/\\([,= ])/g, '$1') : text;
}
