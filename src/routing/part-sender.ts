import { StoreError } from '../model/errors.js';
import {
  HEAD_BYTES,
  isLost,
  openPiece,
  pieceBytes,
  releasePiece,
  type Piece,
} from './arena-piece.js';
import { copyBytes } from './copy-bytes.js';
import { LineMap } from './line-map.js';
import { RunReader, type Run } from './run-reader.js';
import type { PartResult } from './part-ring.js';
import type { ShardClient } from './shard-client.js';
import { inBody, summarize } from './summarize.js';
import type { RejectedLine, WriteOptions, WriteSummary } from './store.js';

/** Runs at least this long stay where they are; to copy shorter ones costs less than a part. */
const IN_PLACE_BYTES_MIN = 16384;
/** Bytes of a piece in which runs are gathered, if the block has as many left. */
const GATHER_BYTES = 130_000;
const NEWLINE = 10;
const HASH = 35;
const BLANK_MAX = 32;
const FORBIDDEN = 'the token does not allow to write to this cluster';
/** Rejected lines that a part names. */
const EXAMPLES_MAX = 10;

/** Whole lines in a piece that wait to be sent. */
interface Block {
  readonly piece: Piece;
  at: number;
  readonly end: number;
  /** Read ahead: the run at `at`. */
  run: Run | undefined;
}

/** A line that was refused before it had an end. */
interface LongLine {
  readonly reason: string;
}

/** A part that is not published yet: runs for one shard, one behind the other. */
interface OpenPart {
  readonly piece: Piece;
  readonly lineMap: LineMap;
  /** Its last run is. */
  isOpen: boolean;
}

/**
 * Sends the blocks of one body, in their order, to the shards as parts. With one shard a block is
 * a part. With several it is cut into runs of lines for one shard: long ones are parts as they
 * are, if they lie in the memory of their shard; short ones are gathered there.
 */
export class PartSender {
  readonly #options: WriteOptions;
  readonly #clusterName: Uint8Array;
  readonly #onSettled: (error: StoreError | undefined) => void;
  readonly #reader: RunReader;
  /** Blocks are cut into runs: there are several shards, or clusters that may not be written to. */
  readonly #isCut: boolean;
  readonly #queue: (Block | LongLine)[] = [];
  readonly #open = new Map<ShardClient, OpenPart>();
  #results: (PartResult | undefined)[] = [];
  /** The body's line the next run begins with. */
  #line = 1;
  #forbidden = 0;
  partsInFlight = 0;
  hasPublished = false;

  /**
   * `clusterName` is the name of the options' cluster in bytes. `onSettled` is called when a part
   * is done, or can not be.
   */
  constructor(
    shards: readonly ShardClient[],
    options: WriteOptions,
    clusterName: Uint8Array,
    onSettled: (error: StoreError | undefined) => void,
  ) {
    this.#options = options;
    this.#clusterName = clusterName;
    this.#onSettled = onSettled;
    const { cluster, clusters } = options;
    this.#reader = new RunReader(shards, cluster, clusterName, clusters);
    this.#isCut = shards.length > 1 || (clusters ?? null) !== null;
  }

  /** Bytes of the arena that what waits to be sent takes. */
  get bytesQueued(): number {
    return this.#queue.reduce(
      (sum, next) => ('piece' in next ? sum + pieceBytes(next.piece) : sum),
      0,
    );
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0 && this.#open.size === 0;
  }

  /** Queues the first `bytes` of a piece; it is held until they are sent. */
  add(piece: Piece, bytes: number): void {
    if (bytes === 0) return;
    piece.holders++;
    const at = piece.address + HEAD_BYTES;
    this.#queue.push({ piece, at, end: at + bytes, run: undefined });
  }

  addLongLine(reason: string): void {
    this.#queue.push({ reason });
  }

  /** Sends what there is room for. Returns the shard to wait for, or why waiting is in vain. */
  flush(): ShardClient | StoreError | undefined {
    while (this.#queue.length > 0) {
      const next = this.#queue[0]!;
      if ('reason' in next) this.#rejectLine(next);
      else {
        const stuck = this.#isCut ? this.#sendRuns(next) : this.#sendWhole(next);
        if (stuck) {
          // What is gathered must not take the room that others wait for.
          this.#publishOpen();
          return stuck;
        }
        releasePiece(next.piece);
      }
      this.#queue.shift();
    }
    return this.#publishOpen();
  }

  /** Forgets what is not published. */
  drop(): void {
    for (const next of this.#queue) if ('piece' in next) releasePiece(next.piece);
    for (const { piece } of this.#open.values()) releasePiece(piece);
    this.#queue.length = 0;
    this.#open.clear();
  }

  /** Of the parts that are done. */
  summary(): WriteSummary {
    const results = this.#results.filter((result) => result !== undefined);
    return { ...summarize(results), forbidden: this.#forbidden };
  }

  #rejectLine({ reason }: LongLine): void {
    const first = [{ line: 1, column: 1, reason }];
    const result = { written: 0, ignored: 0, rejected: 1, lines: 1, first };
    if (!this.#isCut) {
      this.#results.push(result);
      return;
    }
    const lineMap = new LineMap();
    lineMap.add(this.#line++, 1);
    this.#results.push(inBody(result, lineMap));
  }

  #sendWhole({ piece, at, end }: Block): ShardClient | StoreError | undefined {
    if (isLost(piece)) return lost(piece);
    if (!piece.shard.hasRoom) return piece.shard;
    piece.holders++;
    this.#publish(piece, at, end, undefined);
    return undefined;
  }

  #sendRuns(block: Block): ShardClient | StoreError | undefined {
    const { piece, end } = block;
    const start = block.at;
    if (isLost(piece)) return lost(piece);
    this.#reader.forget();
    while (block.at < end) {
      const run = block.run ?? this.#reader.read(piece, block.at, end);
      block.run = run;
      let ahead: Run | undefined;
      while (run.until < end) {
        ahead = this.#reader.read(piece, run.until, end);
        if (ahead.shard !== run.shard || ahead.isAllowed !== run.isAllowed) break;
        run.until = ahead.until;
        run.lines += ahead.lines;
        run.isOpen ||= ahead.isOpen;
        ahead = undefined;
      }
      const bytes = run.until - block.at;
      const isWhole = block.at === start && run.until === end;
      const isInPlace = run.shard === piece.shard && (isWhole || bytes >= IN_PLACE_BYTES_MIN);
      if (!run.isAllowed) this.#refuse(block, run);
      else {
        const stuck = isInPlace ? this.#sendInPlace(block, run) : this.#gather(block, run);
        if (stuck) return stuck;
      }
      this.#line += run.lines;
      block.at = run.until;
      block.run = ahead;
    }
    return undefined;
  }

  /** Lines of a cluster that may not be written to go nowhere; blank ones and remarks do not count. */
  #refuse({ piece: { bytes }, at }: Block, run: Run): void {
    const first: RejectedLine[] = [];
    let rejected = 0;
    let line = this.#line;
    for (let from = at; from < run.until; line++) {
      let p = from;
      while (p < run.until && bytes[p] !== NEWLINE && bytes[p]! <= BLANK_MAX) p++;
      if (p < run.until && bytes[p] !== NEWLINE && bytes[p] !== HASH) {
        rejected++;
        if (first.length < EXAMPLES_MAX) first.push({ line, column: 1, reason: FORBIDDEN });
      }
      const newline = bytes.indexOf(NEWLINE, p);
      from = newline < 0 ? run.until : newline + 1;
    }
    this.#forbidden += rejected;
    this.#results.push({ written: 0, ignored: 0, rejected, lines: 0, first });
  }

  /** Fast path: the run is copied no more. Lines of the same shard before it go first. */
  #sendInPlace({ piece, at }: Block, run: Run): ShardClient | StoreError | undefined {
    const stuck = this.#publishOpenOf(run.shard);
    if (stuck) return stuck;
    if (!run.shard.hasRoom) return run.shard;
    const lineMap = new LineMap();
    lineMap.add(this.#line, run.lines);
    piece.holders++;
    this.#publish(piece, at, run.until, lineMap);
    return undefined;
  }

  #gather({ piece, at, end }: Block, run: Run): ShardClient | StoreError | undefined {
    const { shard } = run;
    const bytes = run.until - at;
    let open = this.#open.get(shard);
    if (open && (open.isOpen || open.piece.capacity - open.piece.used <= bytes)) {
      const stuck = this.#publishOpenOf(shard);
      if (stuck) return stuck;
      open = undefined;
    }
    if (!open) {
      const wanted = Math.max(bytes, Math.min(end - at, GATHER_BYTES));
      const target = openPiece(shard, wanted, this.#clusterName);
      if (!target) return shard;
      open = { piece: target, lineMap: new LineMap(), isOpen: false };
      this.#open.set(shard, open);
    }
    const target = open.piece;
    copyBytes(piece.bytes, at, run.until, target.bytes, target.address + HEAD_BYTES + target.used);
    target.used += bytes;
    open.isOpen = run.isOpen;
    open.lineMap.add(this.#line, run.lines);
    return undefined;
  }

  #publishOpen(): ShardClient | StoreError | undefined {
    let first: ShardClient | StoreError | undefined;
    for (const shard of this.#open.keys()) first ??= this.#publishOpenOf(shard);
    return first;
  }

  #publishOpenOf(shard: ShardClient): ShardClient | StoreError | undefined {
    const open = this.#open.get(shard);
    if (!open) return undefined;
    const { piece, lineMap } = open;
    if (isLost(piece)) return lost(piece);
    if (!shard.hasRoom) return shard;
    this.#open.delete(shard);
    const from = piece.address + HEAD_BYTES;
    this.#publish(piece, from, from + piece.used, lineMap);
    return undefined;
  }

  /** Publishes lines of a piece, which has been held for the part. */
  #publish(piece: Piece, from: number, end: number, lineMap: LineMap | undefined): void {
    if (piece.bytes[end - 1] !== NEWLINE) piece.bytes[end] = NEWLINE;
    const index = this.#results.length;
    this.#results.push(undefined);
    this.partsInFlight++;
    this.hasPublished = true;
    const part = {
      address: from,
      bytes: end - from,
      cluster: piece.address,
      clusterBytes: this.#clusterName.length,
      precision: this.#options.precision,
      done: (result: PartResult | StoreError) => {
        releasePiece(piece);
        this.partsInFlight--;
        if (result instanceof StoreError) {
          this.#onSettled(result);
          return;
        }
        this.#results[index] = lineMap ? inBody(result, lineMap) : result;
        this.#onSettled(undefined);
      },
    };
    piece.shard.publish(part, Math.floor(Date.now() / 1000));
  }
}

/** The memory a piece lay in is gone, and what the shard had stored with it. */
export function lost(piece: Piece): StoreError {
  const text = `shard ${piece.shard.index} was restarted while the body arrived`;
  return new StoreError('shard-unavailable', text);
}
