import type { SparedHosts } from '../free-bounds.js';
import {
  RECORD_HEADER_BYTES,
  RECORD_REGRID,
  RECORD_SAMPLES,
  SAMPLES_HEADER_BYTES,
} from '../kernel/layout.js';

/** A record of a frame, with where what is in it lies. */
export interface LogRecord {
  /** One of `RECORD_*`. */
  readonly kind: number;
  /** Samples, or bytes, by the kind. */
  readonly count: number;
  /** Byte where its content begins, behind the header that its kind has. */
  readonly contentAt: number;
  /** Byte where the next one begins. */
  readonly next: number;
}

/** The record that begins at byte `at` of a frame which ends at `until`; undefined if it makes no sense. */
export function recordAt(frame: Buffer, at: number, until: number): LogRecord | undefined {
  if (at + RECORD_HEADER_BYTES > until) return undefined;
  const word = frame.readUInt32LE(at);
  const kind = word & 0xff;
  const count = word >>> 8;
  if (kind < RECORD_SAMPLES || kind > RECORD_REGRID) return undefined;
  const isSamples = kind === RECORD_SAMPLES;
  const contentAt = at + (isSamples ? SAMPLES_HEADER_BYTES : RECORD_HEADER_BYTES);
  const next = contentAt + (isSamples ? count * 8 : (count + 3) & ~3);
  return next > until ? undefined : { kind, count, contentAt, next };
}

/** What a record of kind RECORD_FREE holds, as JSON. */
export interface FreeRecord {
  readonly selectors: readonly (readonly string[])[];
  readonly toSec: number;
  /** What was freed had been written to the archive by this run. */
  readonly archiveRun?: number;
  /** Hosts of which less was written and freed. */
  readonly spared?: SparedHosts;
}

/** Series number and second of a record of samples. */
export function runOf(frame: Buffer, { contentAt }: LogRecord): { id: number; timeSec: number } {
  const at = contentAt - SAMPLES_HEADER_BYTES;
  return { id: frame.readUInt32LE(at + 4), timeSec: frame.readUInt32LE(at + 8) };
}
