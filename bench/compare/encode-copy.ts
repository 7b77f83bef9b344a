import { hundredthsOf, type Batch } from '../workload.js';

/**
 * PostgreSQL's COPY in its binary form: rows of a series' number (int4), a time (timestamptz) and a
 * value (float8). All rows have one length, so that a batch is written over in place.
 */

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
/** Flags and the length of the header's extension, both 0. */
const HEADER_BYTES = SIGNATURE.length + 8;
const ROW_BYTES = 2 + (4 + 4) + (4 + 8) + (4 + 8);
const TIME_AT = 2 + 8 + 4;
const VALUE_AT = TIME_AT + 8 + 4;
const TRAILER_BYTES = 2;
/** Timestamps count microseconds from 2000. */
const EPOCH_2000_SEC = 946_684_800;

/** A batch whose series have the numbers from `firstSeries` on; values and times are 0. */
export function encodeCopy({ lineCount }: Batch, firstSeries: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + lineCount * ROW_BYTES + TRAILER_BYTES);
  SIGNATURE.copy(bytes);
  for (let line = 0; line < lineCount; line++) {
    const at = HEADER_BYTES + line * ROW_BYTES;
    bytes.writeInt16BE(3, at);
    bytes.writeInt32BE(4, at + 2);
    bytes.writeInt32BE(firstSeries + line, at + 6);
    bytes.writeInt32BE(8, at + TIME_AT - 4);
    bytes.writeInt32BE(8, at + VALUE_AT - 4);
  }
  bytes.writeInt16BE(-1, bytes.length - TRAILER_BYTES);
  return bytes;
}

/** Writes the numbers of a round, and its time, into an encoded batch. */
export function stampCopy(
  bytes: Buffer,
  batch: Batch,
  round: number,
  timeSec: number,
  seed: number,
): void {
  const values = hundredthsOf(batch, round, seed);
  // Above 2⁵³ only in 2285; two halves, since 64 bits at once are slow.
  const micros = (timeSec - EPOCH_2000_SEC) * 1_000_000;
  const high = Math.floor(micros / 2 ** 32);
  const low = micros % 2 ** 32;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let line = 0; line < values.length; line++) {
    const at = HEADER_BYTES + line * ROW_BYTES;
    view.setInt32(at + TIME_AT, high);
    view.setUint32(at + TIME_AT + 4, low);
    view.setFloat64(at + VALUE_AT, values[line]! / 100);
  }
}
