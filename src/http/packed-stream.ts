import type { Encoding } from './accept-encoding.js';
import { makePacker, type Packer } from './compression.js';
import type { AnswerStream, HttpExchange } from './server.js';

/** Streams packed at a time; each takes one or two megabytes. */
const PACKED_STREAMS_MAX = 32;

let packedStreams = 0;

/** Whether one more stream may be packed; else it is better sent as it is. */
export function mayPackStream(): boolean {
  return packedStreams < PACKED_STREAMS_MAX;
}

/**
 * A stream that packs what is written to it. What the packer has taken is flushed at the end of
 * each turn, so that the client sees what there is, and many small pieces cost one flush. While the
 * client is behind the packer rests, and takes one more chunk.
 */
export class PackedStream implements AnswerStream {
  onDrain: (() => void) | undefined;
  readonly #target: AnswerStream;
  readonly #packer: Packer;
  #isEnded = false;
  #willFlush = false;

  /** @param target open, of the exchange; bears the encoding in its head */
  constructor(exchange: HttpExchange, target: AnswerStream, encoding: Encoding) {
    this.#target = target;
    this.#packer = makePacker(encoding);
    const { stream } = this.#packer;
    packedStreams++;
    exchange.whenOver(() => {
      packedStreams--;
      stream.destroy();
    });
    target.onDrain = () => stream.resume();
    stream.on('data', (packed: Buffer) => {
      if (!target.write(packed)) stream.pause();
    });
    stream.on('end', () => target.end());
    stream.on('error', (error) => exchange.guard(() => raise(error)));
    stream.on('drain', () => {
      if (this.isOpen) exchange.guard(() => this.onDrain?.());
    });
  }

  get isOpen(): boolean {
    return !this.#isEnded && this.#target.isOpen;
  }

  write(chunk: Uint8Array): boolean {
    if (!this.isOpen) return true;
    if (!this.#willFlush) {
      this.#willFlush = true;
      setImmediate(() => this.#flush());
    }
    // The packer works later, when the memory of the chunk may be used for something else.
    return this.#packer.stream.write(Buffer.from(chunk));
  }

  end(): void {
    if (!this.isOpen) return;
    this.#isEnded = true;
    this.#packer.stream.end();
  }

  abort(): void {
    if (this.#target.isOpen) this.#target.abort();
  }

  #flush(): void {
    this.#willFlush = false;
    if (this.isOpen) this.#packer.flush();
  }
}

function raise(error: Error): never {
  throw error;
}
