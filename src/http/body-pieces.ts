/** A piece of a body that grows by chunks is at most this large, if no chunk is. */
const PIECE_BYTES_MAX = 64 * 1024;

/**
 * Chunks of a body, copied one behind the other. Chunks can be as small as a byte, which an object
 * for each would make a hundred: small ones share a piece, as large as what came before it, so
 * that no more than twice the bytes are taken.
 */
export class BodyPieces {
  readonly #full: Buffer[] = [];
  #last: Buffer | undefined;
  #lastUsed = 0;
  bytes = 0;

  /** Copies a chunk, all of it. */
  add(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    const room = this.#last ? this.#last.length - this.#lastUsed : 0;
    const head = Math.min(room, chunk.length);
    if (head > 0) this.#append(chunk.subarray(0, head));
    if (head < chunk.length) {
      this.#open(chunk.length - head);
      this.#append(chunk.subarray(head));
    }
  }

  /** All of it, in order; views into the pieces. */
  list(): Buffer[] {
    return this.#last ? [...this.#full, this.#last.subarray(0, this.#lastUsed)] : this.#full;
  }

  #append(bytes: Uint8Array): void {
    this.#last!.set(bytes, this.#lastUsed);
    this.#lastUsed += bytes.length;
    this.bytes += bytes.length;
  }

  #open(bytes: number): void {
    if (this.#last) this.#full.push(this.#last);
    this.#last = Buffer.allocUnsafe(Math.max(bytes, Math.min(this.bytes, PIECE_BYTES_MAX)));
    this.#lastUsed = 0;
  }
}
