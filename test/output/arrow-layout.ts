/**
 * Messages of an Arrow IPC stream, read byte by byte without any library: a second opinion on their
 * layout. FlatBuffers are read as far as Message.fbs and Schema.fbs need it.
 */
export interface ArrowMessage {
  /** 1 = schema, 3 = record batch. */
  readonly headerType: number;
  readonly metadataBytes: number;
  readonly rows: number;
  readonly nodes: readonly (readonly [length: number, nulls: number])[];
  readonly buffers: readonly (readonly [offset: number, bytes: number])[];
  readonly body: Buffer;
}

/** A table of a FlatBuffer. */
class Table {
  readonly #bytes: Buffer;
  readonly #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** Address of a field, 0 if it is left out. */
  field(index: number): number {
    const vtable = this.#at - this.#bytes.readInt32LE(this.#at);
    const entry = 4 + index * 2;
    if (entry >= this.#bytes.readUInt16LE(vtable)) return 0;
    const offset = this.#bytes.readUInt16LE(vtable + entry);
    return offset === 0 ? 0 : this.#at + offset;
  }

  /** Address that a field points at. */
  target(index: number): number {
    const at = this.field(index);
    if (at === 0) throw new Error(`field ${index} is missing`);
    return at + this.#bytes.readUInt32LE(at);
  }

  long(index: number): number {
    const at = this.field(index);
    if (at % 8 !== 0) throw new Error(`field ${index} is not aligned`);
    return at === 0 ? 0 : Number(this.#bytes.readBigInt64LE(at));
  }

  pairs(index: number): [number, number][] {
    const at = this.target(index);
    if ((at + 4) % 8 !== 0) throw new Error(`vector ${index} is not aligned`);
    return Array.from({ length: this.#bytes.readUInt32LE(at) }, (_, i) => {
      const pair = at + 4 + i * 16;
      return [
        Number(this.#bytes.readBigInt64LE(pair)),
        Number(this.#bytes.readBigInt64LE(pair + 8)),
      ];
    });
  }
}

/** All messages of a stream; throws where one breaks a rule of the format. */
export function readMessages(stream: Buffer): ArrowMessage[] {
  const messages: ArrowMessage[] = [];
  let at = 0;
  for (;;) {
    if (at % 8 !== 0) throw new Error(`a message begins at ${at}`);
    if (stream.readUInt32LE(at) !== 0xffffffff) throw new Error(`no marker at ${at}`);
    const metadataBytes = stream.readInt32LE(at + 4);
    at += 8;
    if (metadataBytes === 0) break;
    if (metadataBytes % 8 !== 0) throw new Error(`${metadataBytes} bytes of metadata`);
    // A copy, so that addresses count from the FlatBuffer's begin, and it is alone.
    const metadata = Buffer.from(stream.subarray(at, at + metadataBytes));
    at += metadataBytes;
    const message = new Table(metadata, metadata.readUInt32LE(0));
    if (metadata.readInt16LE(message.field(0)) !== 4) throw new Error('not version 5');
    const headerType = metadata.readUInt8(message.field(1));
    const bodyBytes = message.long(3);
    if (bodyBytes % 8 !== 0) throw new Error(`${bodyBytes} bytes of body`);
    const body = stream.subarray(at, at + bodyBytes);
    at += bodyBytes;
    const header = new Table(metadata, message.target(2));
    const isBatch = headerType === 3;
    messages.push({
      headerType,
      metadataBytes,
      rows: isBatch ? header.long(0) : 0,
      nodes: isBatch ? header.pairs(1) : [],
      buffers: isBatch ? header.pairs(2) : [],
      body,
    });
    if (isBatch) checkBuffers(messages.at(-1)!);
  }
  if (at !== stream.length) throw new Error(`${stream.length - at} bytes behind the end`);
  return messages;
}

/** Buffers lie one behind the other, each from a multiple of 8 on, and between them is nothing but 0. */
function checkBuffers({ buffers, body }: ArrowMessage): void {
  let end = 0;
  for (const [offset, bytes] of buffers) {
    if (offset % 8 !== 0 || offset !== Math.ceil(end / 8) * 8)
      throw new Error(`buffer at ${offset}`);
    if (body.subarray(end, offset).some((byte) => byte !== 0)) throw new Error('bytes in between');
    end = offset + bytes;
  }
  if (Math.ceil(end / 8) * 8 !== body.length) throw new Error(`body ends at ${body.length}`);
  if (body.subarray(end).some((byte) => byte !== 0)) throw new Error('bytes behind the last one');
}
