import { Transform, type TransformCallback } from 'node:stream';
import binding from 'zstd-napi/binding.js';
import { OneATurn } from './one-a-turn.js';

/** Level 3 takes a quarter more time for hardly less. */
export const ZSTD_LEVEL = 1;
/** About a millisecond of packing: so much is done before others have their turn. */
const TURN_BYTES = 256 * 1024;
/** So little is packed at once. */
const AT_ONCE_BYTES_MAX = 32 * 1024;
/** What the library recommends: a block, packed. */
const TARGET_BYTES = binding.cStreamOutSize();
/** Written in the place of bytes, it makes a flush. */
const FLUSH = Buffer.alloc(0);
const SPARE_CONTEXTS_MAX = 4;

/** Contexts of packers that have ended: their memory, about a megabyte, would else be garbage. */
const spareContexts: binding.CCtx[] = [];

/** All packers have one turn together: ingest is to have more time than they. */
const turns = new OneATurn();

/** Packs in the front's own thread, where others have their turn between slices of a chunk. */
export class ZstdPacker extends Transform {
  #context: binding.CCtx | undefined;
  #target = Buffer.allocUnsafe(TARGET_BYTES);

  constructor() {
    super();
    this.#context = spareContexts.pop() ?? new binding.CCtx();
    this.#context.setParameter(binding.CParameter.compressionLevel, ZSTD_LEVEL);
  }

  /** Makes that all that was written can be unpacked. */
  flush(): void {
    this.write(FLUSH);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (chunk === FLUSH) {
      this.#packThen(chunk, binding.EndDirective.flush, done);
      return;
    }
    const goOn = (rest: Buffer): void => {
      this.#packThen(rest.subarray(0, TURN_BYTES), binding.EndDirective.continue, (error) => {
        if (error || !this.#context || rest.length <= TURN_BYTES) done(error);
        else turns.add(() => goOn(rest.subarray(TURN_BYTES)));
      });
    };
    if (chunk.length <= AT_ONCE_BYTES_MAX) goOn(chunk);
    else turns.add(() => goOn(chunk));
  }

  override _flush(done: TransformCallback): void {
    this.#packThen(FLUSH, binding.EndDirective.end, done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const context = this.#context;
    this.#context = undefined;
    if (context && spareContexts.length < SPARE_CONTEXTS_MAX) {
      context.reset(binding.ResetDirective.sessionAndParameters);
      spareContexts.push(context);
    }
    done(error);
  }

  #packThen(bytes: Uint8Array, directive: binding.EndDirective, done: TransformCallback): void {
    try {
      this.#pack(bytes, directive);
    } catch (error) {
      done(error as Error);
      return;
    }
    done();
  }

  /** Ends early if it is destroyed meanwhile: its context may belong to another one then. */
  #pack(bytes: Uint8Array, directive: binding.EndDirective): void {
    const isFlush = directive !== binding.EndDirective.continue;
    let rest = bytes;
    let left = 1;
    while (this.#context && (rest.length > 0 || (isFlush && left > 0))) {
      const target = this.#target;
      const [more, produced, consumed] = this.#context.compressStream2(target, rest, directive);
      left = more;
      rest = rest.subarray(consumed);
      if (produced === 0) continue;
      // A view keeps all of the memory it looks into: a small piece is copied out.
      const isLarge = produced >= TARGET_BYTES / 2;
      if (isLarge) this.#target = Buffer.allocUnsafe(TARGET_BYTES);
      const packed = target.subarray(0, produced);
      this.push(isLarge ? packed : Buffer.from(packed));
    }
  }
}
