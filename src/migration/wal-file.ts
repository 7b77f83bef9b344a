import { crc32 } from 'node:zlib';
import { ReadError, type ByteSource } from './byte-source.js';
import { timeFault, type Column, type Report, type SeriesName } from './column.js';
import { doubleOfFloat32 } from './float32.js';
import { seriesName } from './series-name.js';

export const WAL_MAGIC = 0xcc1da701;
export const RECORD_MAGIC = 0xcc1da7a1;
const RECORD_HEADER_BYTES = 8;
const CHECKSUM_BYTES = 4;
/** Time, length of the metric's name, count of selectors, value. */
const PAYLOAD_BYTES_MIN = 15;
/** As the reference has it. */
const PAYLOAD_BYTES_MAX = 1 << 20;
const TIME_BYTES = 8;
const VALUE_BYTES = 4;

/**
 * Reads `current.wal`, a column of one value a record. Records have checksums, so that reading goes
 * on behind a damaged one at the next that is whole.
 */
export function* readWalFile(source: ByteSource, report: Report): Generator<Column> {
  if (source.size === 0) return;
  const magic = source.u32();
  if (magic !== WAL_MAGIC) {
    const isOurs = magic >>> 8 === WAL_MAGIC >>> 8;
    const text = `0x${magic.toString(16).padStart(8, '0')}`;
    throw new ReadError(0, isOurs ? `an unknown version (${text})` : `not a log (${text})`);
  }
  const names = new Map<string, SeriesName | string>();
  const values = new Float64Array(1);
  let isDamaged = false;
  for (let left = source.has(1); left; left = source.has(1)) {
    const at = source.offset;
    const payload = takeRecord(source);
    if (typeof payload === 'string') {
      if (!isDamaged) report(at, payload);
      isDamaged = true;
      source.skip(1);
      continue;
    }
    isDamaged = false;
    const key = payload.toString('latin1', TIME_BYTES, payload.length - VALUE_BYTES);
    const name = names.get(key) ?? nameOf(payload);
    if (!names.has(key)) {
      names.set(key, name);
      if (typeof name === 'string') report(at, name);
    }
    const startSec = Number(payload.readBigInt64LE());
    const fault = typeof name === 'string' ? '' : timeFault(startSec, 1);
    if (fault !== '') report(at, fault);
    if (typeof name === 'string' || fault !== '') continue;
    values[0] = doubleOfFloat32(payload.readFloatLE(payload.length - VALUE_BYTES));
    yield { name, startSec, stepSec: 1, values };
  }
}

/** The payload of the record that is next, which is taken; why it is none, then nothing is. */
function takeRecord(source: ByteSource): Buffer | string {
  if (!source.has(RECORD_HEADER_BYTES)) return 'the file ends within a record';
  const header = source.view(RECORD_HEADER_BYTES);
  const magic = header.readUInt32LE();
  if (magic !== RECORD_MAGIC) return `no record: 0x${magic.toString(16).padStart(8, '0')}`;
  const length = header.readUInt32LE(4);
  if (length < PAYLOAD_BYTES_MIN || length > PAYLOAD_BYTES_MAX) {
    return `a record of ${length} bytes makes no sense`;
  }
  const bytes = RECORD_HEADER_BYTES + length + CHECKSUM_BYTES;
  if (!source.has(bytes)) return 'the file ends within a record';
  const record = source.view(bytes);
  const payload = record.subarray(RECORD_HEADER_BYTES, RECORD_HEADER_BYTES + length);
  if (crc32(payload) !== record.readUInt32LE(bytes - CHECKSUM_BYTES)) {
    return "a record's checksum is wrong";
  }
  source.skip(bytes);
  return payload;
}

function nameOf(payload: Buffer): SeriesName | string {
  const end = payload.length - VALUE_BYTES;
  let at = TIME_BYTES;
  const text = (lengthBytes: number): string => {
    const length = at + lengthBytes <= end ? payload.readUIntLE(at, lengthBytes) : Infinity;
    const from = at + lengthBytes;
    at = from + length;
    return at <= end ? payload.toString('utf8', from, at) : '';
  };
  const metric = text(2);
  const selectors = at < end ? payload[at++]! : Infinity;
  const path: string[] = [];
  for (let i = 0; i < selectors && at < end; i++) path.push(text(1));
  if (at !== end || path.length !== selectors) return 'the names in a record make no sense';
  return seriesName(metric, path);
}
