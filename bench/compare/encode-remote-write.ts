import type { Batch } from '../workload.js';
import { hundredthsOf } from '../workload.js';
import { partsOf } from './series.js';

/**
 * Prometheus' remote write 1.0: a WriteRequest as protobuf in a snappy block. Only values and
 * times differ between the rounds of a host, and both have a fixed length, so that a batch is
 * encoded once and written over in place. The block holds one literal: snappy without compression,
 * which any decoder reads faster than a compressed one; it costs bytes on the loopback.
 */

/** Milliseconds since 1970 take six bytes of seven bits from 2004 to 2109. */
const STAMP_BYTES = 6;
const LITERAL_WITH_4_BYTES = 63 << 2;

/** A batch of a host as one request; values and times are written over in place. */
export interface RemoteWriteBatch {
  readonly bytes: Buffer;
  readonly valueAt: Uint32Array;
  readonly stampAt: Uint32Array;
}

/** Encodes a batch with all values and times 0. */
export function encodeRemoteWrite(batch: Batch, path: string): RemoteWriteBatch {
  const valueAt = new Uint32Array(batch.lineCount);
  const stampAt = new Uint32Array(batch.lineCount);
  const pieces: Buffer[] = [];
  let at = 0;
  let line = 0;
  for (const name of batch.lineOf.keys()) {
    const { metric, type, id } = partsOf(name);
    const labels = [
      ['__name__', metric],
      ['cluster', batch.cluster],
      ['hostname', batch.host],
      ['type', type],
      ...(id === '' ? [] : [['type_id', id]]),
    ] as [string, string][];
    const sample = Buffer.alloc(1 + 8 + 1 + STAMP_BYTES);
    sample[0] = 0x09;
    sample[9] = 0x10;
    const series = Buffer.concat([...labels.map(labelOf), field(2, sample)]);
    const piece = field(1, series);
    at += piece.length;
    stampAt[line] = at - STAMP_BYTES;
    valueAt[line] = at - STAMP_BYTES - 1 - 8;
    pieces.push(piece);
    line++;
  }
  const message = Buffer.concat(pieces);
  const size = Buffer.alloc(5);
  size[0] = LITERAL_WITH_4_BYTES;
  size.writeUInt32LE(message.length - 1, 1);
  const block = Buffer.concat([varint(message.length), size, message]);
  const head = Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-protobuf\r\n` +
      'Content-Encoding: snappy\r\nX-Prometheus-Remote-Write-Version: 0.1.0\r\n' +
      `Content-Length: ${block.length}\r\n\r\n`,
  );
  const shift = head.length + block.length - message.length;
  for (const offsets of [valueAt, stampAt]) {
    for (let i = 0; i < offsets.length; i++) offsets[i]! += shift;
  }
  return { bytes: Buffer.concat([head, block]), valueAt, stampAt };
}

/** Writes the numbers of a round, and its time, into an encoded batch. */
export function stampRemoteWrite(
  { bytes, valueAt, stampAt }: RemoteWriteBatch,
  batch: Batch,
  round: number,
  timeSec: number,
  seed: number,
): void {
  const values = hundredthsOf(batch, round, seed);
  const stamp = varint(timeSec * 1000);
  if (stamp.length !== STAMP_BYTES) throw new Error(`the time ${timeSec} does not fit its place`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let line = 0; line < values.length; line++) {
    view.setFloat64(valueAt[line]!, values[line]! / 100, true);
    for (let i = 0; i < STAMP_BYTES; i++) bytes[stampAt[line]! + i] = stamp[i]!;
  }
}

function labelOf([name, value]: [string, string]): Buffer {
  return field(1, Buffer.concat([field(1, Buffer.from(name)), field(2, Buffer.from(value))]));
}

/** A field with a length. */
function field(number: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2]), varint(content.length), content]);
}

/** Also above 2³², where shifts of integers end. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}
