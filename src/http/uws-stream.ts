import type * as Uws from 'uWebSockets.js';
import type { AdapterStream } from './exchange.js';

/** What the library is given at once while it holds nothing back. */
const PIECE_BYTES = 256 * 1024;
/** What it is given to find out whether it still holds something back. */
const PROBE_BYTES = 1024;

/** The library's cork has room for 16 KiB; this and its size fit in. */
const CORKED_BYTES_MAX = 8 * 1024;

/** Told of what becomes of a stream. */
export interface UwsStreamListener {
  /** It is ended or aborted by its user. */
  settled(): void;
  /** Nothing more will be sent. */
  sent(): void;
  /** So many bytes more are on their way. */
  taken(bytes: number): void;
  guard(work: () => void): void;
}

/**
 * A chunked answer through uWebSockets.js, whose `write` keeps all that the socket has no room for,
 * without bound, and tells of that by false; how much it still has can not be asked. So it is given
 * pieces until it tells false, and the rest of the chunk waits here. When the socket can be written
 * to again, which on Linux is when a third of its buffer is free, what the library holds is sent
 * first, and a piece small enough to do no harm tells whether that was all.
 *
 * Time: a write that finds no room, here or in a cork, sets the library's timeout of ten seconds,
 * and a socket that can be written to again ends it. So a client is given up that takes less than a
 * third of the socket's buffer in that time; one that waits for us is not.
 */
export class UwsStream implements AdapterStream {
  isOpen = true;
  onDrain: (() => void) | undefined;
  readonly #response: Uws.HttpResponse;
  readonly #closes: boolean;
  readonly #listener: UwsStreamListener;
  /** Of the chunks taken, what the library has not been given. */
  #rest: Uint8Array | undefined;
  #isBehind = false;
  /** The library is known to hold nothing back. */
  #isDrained = true;
  #isEnding = false;

  /** `closes`: whether the connection is closed behind the answer. */
  constructor(response: Uws.HttpResponse, closes: boolean, listener: UwsStreamListener) {
    this.#response = response;
    this.#closes = closes;
    this.#listener = listener;
    response.onWritable(() => {
      listener.guard(() => this.#goOn());
      return true;
    });
  }

  write(chunk: Uint8Array): boolean {
    if (!this.isOpen) return true;
    this.#listener.taken(chunk.length);
    if (this.#isBehind) {
      // Its user does not wait, which costs memory, but not the order.
      this.#rest = Buffer.concat(this.#rest ? [this.#rest, chunk] : [chunk]);
      return false;
    }
    const start = this.#push(chunk);
    if (start < chunk.length) this.#rest = Uint8Array.prototype.slice.call(chunk, start);
    return !this.#isBehind;
  }

  end(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#isEnding = true;
    this.#listener.settled();
    if (!this.#isBehind) this.#finish();
  }

  abort(): void {
    if (!this.isOpen) return;
    this.lose();
    this.#listener.settled();
    this.#response.close();
  }

  lose(): void {
    this.isOpen = false;
    this.#isEnding = false;
    this.#rest = undefined;
  }

  /**
   * Sends what the library holds back; if not all is taken, its timeout begins anew. With a handler
   * of its own for that it does not send by itself when it can, but so does the end of a cork.
   */
  flush(): void {
    this.#response.cork(() => undefined);
  }

  /** Gives the library pieces until it falls behind; returns how many bytes it has been given. */
  #push(bytes: Uint8Array): number {
    let start = 0;
    while (start < bytes.length && !this.#isBehind) {
      const piece = bytes.subarray(start, start + (this.#isDrained ? PIECE_BYTES : PROBE_BYTES));
      this.#isDrained = this.#send(piece);
      this.#isBehind = !this.#isDrained;
      start += piece.length;
    }
    return start;
  }

  /**
   * False if the library has to hold something back. Small pieces are corked: so they are sent
   * together with their sizes. One that does not fit into the cork is lost by the library, all of
   * it, where the socket has no room for what is in the cork: its size is sent, and then the next.
   */
  #send(piece: Uint8Array): boolean {
    const response = this.#response;
    const bytes = piece as Uws.RecognizedString;
    if (piece.length > CORKED_BYTES_MAX) return response.write(bytes);
    let isDrained = false;
    response.cork(() => {
      isDrained = response.write(bytes);
    });
    return isDrained;
  }

  /** The socket can be written to. */
  #goOn(): void {
    this.flush();
    if (!this.#isBehind) return;
    this.#isBehind = false;
    const rest = this.#rest;
    if (rest) {
      const start = this.#push(rest);
      this.#rest = start < rest.length ? rest.subarray(start) : undefined;
    }
    if (this.#isBehind) return;
    if (this.#isEnding) this.#finish();
    else this.onDrain?.();
  }

  /** From here on the library sends what it holds by itself, and within its own timeout. */
  #finish(): void {
    this.#isEnding = false;
    this.#response.cork(() => {
      if (this.#closes) this.#response.end('', true);
      else this.#response.end();
    });
    this.#listener.sent();
  }
}
