import { internText } from '../engine/intern.js';
import { SAVED_BYTES, SAVED_ID, SAVED_METRIC, SAVED_SIZE } from '../kernel/layout.js';

/** Behind it the names of a level, then its series; see FORMAT.md. */
export const LEVEL_HEADER_BYTES = 16;
/** Names end with a newline each, which no name has. */
export const NAME_END = '\n';
const NEWLINE = 10;

/** A level of a section of series, with where its series lie in that section. */
export interface LevelRecord {
  /** It was saved at, counted from the first one of the log behind the checkpoint. */
  readonly frame: number;
  readonly cluster: string;
  readonly host: string;
  /** Types and ids of the levels below the host, in turn. */
  readonly path: readonly string[];
  /** How many series it says it has. */
  readonly seriesCount: number;
  /** Byte of the section where they begin. */
  readonly at: number;
  /** Behind its last byte. */
  readonly until: number;
}

/** State of a series; the fields behind are read from `at` on. */
export interface SavedSeries {
  /** Number of the series in log and checkpoints. */
  readonly id: number;
  /** Index of its metric in the manifest. */
  readonly metric: number;
  /** Byte of the section. */
  readonly at: number;
  readonly bytes: number;
}

/** The levels in a section of series. Throws if they make no sense. */
export function* readLevels(section: Buffer): Generator<LevelRecord> {
  const bytes = section.length;
  // A view like that of lines, which names are taken from as well.
  const text = new Uint8Array(section.buffer, section.byteOffset, bytes);
  let at = 0;
  while (at < bytes) {
    const size = bytes - at < LEVEL_HEADER_BYTES ? 0 : section.readUInt32LE(at);
    if (size < LEVEL_HEADER_BYTES || at + size > bytes) throw new Error('a level makes no sense');
    yield readLevel(section, text, at, at + size);
    at += size;
  }
}

function readLevel(section: Buffer, text: Uint8Array, from: number, until: number): LevelRecord {
  const frame = section.readUInt32LE(from + 4);
  const seriesCount = section.readUInt32LE(from + 8);
  const namesBytes = section.readUInt32LE(from + 12);
  const namesAt = from + LEVEL_HEADER_BYTES;
  if (namesAt + namesBytes > until) throw new Error('the names of a level make no sense');
  const namesEnd = namesAt + namesBytes;
  const names: string[] = [];
  for (let name = namesAt, end = namesAt; end < namesEnd; end++) {
    if (text[end] !== NEWLINE) continue;
    // Most there are already: of other levels.
    names.push(internText(text, name, end));
    name = end + 1;
  }
  const [cluster = '', host = ''] = names;
  const path = names.slice(2);
  const at = Math.min((namesEnd + 3) & ~3, until);
  return { frame, cluster, host, path, seriesCount, at, until };
}

/** The saved series of a level, in their order. Throws if they make no sense. */
export function* readSeries(section: Buffer, level: LevelRecord): Generator<SavedSeries> {
  const { seriesCount, until } = level;
  let { at } = level;
  for (let i = 0; i < seriesCount; i++) {
    const bytes = at + SAVED_BYTES > until ? 0 : section.readUInt32LE(at + SAVED_SIZE);
    if (bytes < SAVED_BYTES || at + bytes > until) throw new Error('a series makes no sense');
    const id = section.readUInt32LE(at + SAVED_ID);
    yield { id, metric: section.readUInt16LE(at + SAVED_METRIC), at, bytes };
    at += bytes;
  }
}
