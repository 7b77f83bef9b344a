import { ReadError, type ByteSource } from './byte-source.js';
import { timeFault, type Column, type Report } from './column.js';
import { doubleOfFloat32 } from './float32.js';
import { seriesName } from './series-name.js';

export const BIN_MAGIC = 0xcc5b0001;
/** The low 16 bits are the version. */
const VERSION_MASK = 0xffff;
/** A host has two levels below it; deeper ones are read, but not much deeper. */
const DEPTH_MAX = 8;
/** Values are read in pieces: no file makes us take memory for what it only says to have. */
const PIECE_VALUES = 8192;
/** A metric takes at least its name's length, two times and a count; a child its name's and two counts. */
const METRIC_BYTES_MIN = 22;
const CHILD_BYTES_MIN = 10;

/**
 * Reads a `.bin` checkpoint, column by column, long ones in several. There are no checksums: what
 * makes no sense is reported, and costs the rest of the file where nothing tells how to go on.
 */
export function* readBinCheckpoint(source: ByteSource, report: Report): Generator<Column> {
  const magic = source.u32();
  if (magic !== BIN_MAGIC) throw new ReadError(0, magicFault(magic));
  // Times of the file as a whole: each column has its own, which are not trusted less.
  source.skip(16);
  yield* readLevel(source, [], report);
  if (source.offset < source.size) {
    throw new ReadError(source.offset, `${source.size - source.offset} bytes behind the end`);
  }
}

function magicFault(magic: number): string {
  const text = `0x${magic.toString(16).padStart(8, '0')}`;
  if (magic >>> 16 === BIN_MAGIC >>> 16) {
    return `version ${magic & VERSION_MASK} of the format is not known (${text})`;
  }
  return `not a checkpoint: it begins with ${text}`;
}

function* readLevel(source: ByteSource, path: string[], report: Report): Generator<Column> {
  if (path.length > DEPTH_MAX) throw new ReadError(source.offset, 'levels are too deep');
  const metrics = readCount(source, METRIC_BYTES_MIN, 'metrics');
  for (let i = 0; i < metrics; i++) yield* readMetric(source, path, report);
  const children = readCount(source, CHILD_BYTES_MIN, 'levels');
  for (let i = 0; i < children; i++) {
    const name = readName(source);
    yield* readLevel(source, [...path, name], report);
  }
}

function readCount(source: ByteSource, bytesMin: number, what: string): number {
  const at = source.offset;
  const count = source.u32();
  if (count * bytesMin > source.size - source.offset) {
    throw new ReadError(at, `${count} ${what} do not fit in what is left of the file`);
  }
  return count;
}

function readName(source: ByteSource): string {
  return source.take(source.u16()).toString();
}

function* readMetric(
  source: ByteSource,
  path: readonly string[],
  report: Report,
): Generator<Column> {
  const at = source.offset;
  const name = seriesName(readName(source), path);
  const stepSec = source.i64();
  const startSec = source.i64();
  const count = source.u32();
  const fault = typeof name === 'string' ? name : timeFault(startSec, stepSec);
  if (fault !== '') report(at, fault);
  for (let done = 0; done < count;) {
    // The last values of a file that is cut off are there all the same.
    const piece = Math.min(count - done, PIECE_VALUES, Math.max(1, source.available() >>> 2));
    const bytes = source.take(4 * piece);
    if (fault === '' && typeof name !== 'string') {
      const values = new Float64Array(piece);
      for (let i = 0; i < piece; i++) values[i] = doubleOfFloat32(bytes.readFloatLE(4 * i));
      yield { name, startSec: startSec + done * stepSec, stepSec, values };
    }
    done += piece;
  }
}
