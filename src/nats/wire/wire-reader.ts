const NEWLINE = 10;
const LINE_END_BYTES = 2;
/** A line of the protocol is short; INFO of a large cluster is the longest. */
const LINE_BYTES_MAX = 256 * 1024;
/** Beside its payload a message has headers, which hold a token at most. */
const HEADER_BYTES_MAX = 64 * 1024;
/** Several messages of a collector; it stays in the cache of a core. */
const BUFFER_BYTES = 256 * 1024;
/** A read of less is not worth its system call. */
const SPACE_BYTES_MIN = 64 * 1024;

/** A message as the server sends it. Its views are valid until the handler returns. */
export interface WireMessage {
  readonly subject: string;
  /** '' = none. */
  readonly reply: string;
  /** `NATS/1.0 …` and lines of headers; undefined: it has none. */
  readonly header: Buffer | undefined;
  /** Its payload; empty if that is larger than is wanted. */
  readonly data: Buffer;
  /** The length of its payload, also where `data` does not have it. */
  readonly bytes: number;
}

export interface WireHandler {
  onMessage(sid: number, message: WireMessage): void;
  /** Any other line: its first word, in upper case, and the rest. */
  onLine(word: string, rest: string): void;
}

/**
 * Reads the protocol of a NATS server out of one buffer that is used again and again, so that nothing is
 * allocated for what arrives: messages of 100 KB, thousands a second, made the collector of garbage as busy
 * as all the rest.
 */
export class WireReader {
  readonly #handler: WireHandler;
  readonly #payloadBytesMax: () => number;
  #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #from = 0;
  #until = 0;
  /** Bytes of a message that is begun, from `#from` on; 0 = not known. */
  #wanted = 0;
  /** Of a payload that is passed over. */
  #skip = 0;

  /** A payload of more bytes than `payloadBytesMax` is passed over. */
  constructor(handler: WireHandler, payloadBytesMax: () => number) {
    this.#handler = handler;
    this.#payloadBytesMax = payloadBytesMax;
  }

  /** Where the next bytes are to be put; then call `read`. */
  space(): Buffer {
    const held = this.#until - this.#from;
    const needed = Math.max(this.#wanted, held + SPACE_BYTES_MIN);
    if (needed > this.#buffer.length || (held === 0 && this.#buffer.length > BUFFER_BYTES)) {
      // Grown for a large message, and small again after it.
      const size = needed > BUFFER_BYTES ? needed + SPACE_BYTES_MIN : BUFFER_BYTES;
      const next = Buffer.allocUnsafeSlow(size);
      this.#buffer.copy(next, 0, this.#from, this.#until);
      this.#buffer = next;
      this.#from = 0;
      this.#until = held;
    } else if (this.#buffer.length - this.#from < needed || held === 0) {
      this.#buffer.copyWithin(0, this.#from, this.#until);
      this.#from = 0;
      this.#until = held;
    }
    return this.#buffer.subarray(this.#until);
  }

  /** So many bytes were put into `space`. Throws where they are not the protocol. */
  read(bytes: number): void {
    this.#until += bytes;
    while (this.#readOne());
  }

  /** The same for bytes that lie elsewhere. */
  take(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      const space = this.space();
      const part = chunk.subarray(at, at + space.length);
      space.set(part);
      this.read(part.length);
      at += part.length;
    }
  }

  /** Whether there may be more to read. */
  #readOne(): boolean {
    const held = this.#until - this.#from;
    if (this.#skip > 0) {
      const passed = Math.min(this.#skip, held);
      this.#skip -= passed;
      this.#from += passed;
      return this.#skip === 0;
    }
    if (held < this.#wanted || held === 0) return false;
    const end = this.#buffer.indexOf(NEWLINE, this.#from);
    if (end < 0 || end >= this.#until) {
      if (held > LINE_BYTES_MAX) throw new Error('the server sends a line that does not end');
      return false;
    }
    const line = this.#buffer.toString('utf8', this.#from, end).trimEnd();
    const blank = line.search(/[ \t]/);
    const word = (blank < 0 ? line : line.slice(0, blank)).toUpperCase();
    const rest = blank < 0 ? '' : line.slice(blank + 1).trim();
    if (word === 'MSG' || word === 'HMSG') return this.#readMessage(word, rest, end + 1);
    this.#from = end + 1;
    this.#handler.onLine(word, rest);
    return true;
  }

  #readMessage(word: string, rest: string, start: number): boolean {
    const parts = rest.split(/[ \t]+/);
    const total = Number(parts.pop());
    const headerBytes = word === 'HMSG' ? Number(parts.pop()) : 0;
    const [subject = '', sid = '', reply = ''] = parts;
    const bytes = total - headerBytes;
    if (parts.length < 2 || !(headerBytes >= 0 && bytes >= 0)) {
      throw new Error(`the server sends "${word} ${rest}"`);
    }
    if (bytes > this.#payloadBytesMax() || headerBytes > HEADER_BYTES_MAX) {
      this.#wanted = 0;
      this.#skip = total + LINE_END_BYTES;
      this.#from = start;
      const data = this.#buffer.subarray(0, 0);
      this.#handler.onMessage(Number(sid), { subject, reply, header: undefined, data, bytes });
      return true;
    }
    const end = start + total + LINE_END_BYTES;
    if (end > this.#until) {
      this.#wanted = end - this.#from;
      return false;
    }
    this.#wanted = 0;
    this.#from = end;
    const payload = start + headerBytes;
    this.#handler.onMessage(Number(sid), {
      subject,
      reply,
      header: headerBytes > 0 ? this.#buffer.subarray(start, payload) : undefined,
      data: this.#buffer.subarray(payload, start + total),
      bytes,
    });
    return true;
  }
}
