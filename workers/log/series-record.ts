import type { SeriesNames } from '../engine/parse-line.js';
import type { Kernel } from '../kernel/kernel.js';
import { RECORD_SERIES } from '../kernel/layout.js';

/** What is between the names: no name of line protocol has a newline. */
const SEPARATOR = '\n';
const NUMBERS_BYTES = 8;
/** UTF-8 has at most so many bytes for a unit of UTF-16. */
const UTF8_BYTES_MAX = 3;

export interface SeriesRecord {
  readonly id: number;
  readonly stepSec: number;
  readonly metric: string;
  readonly cluster: string;
  readonly host: string;
  /** Types and ids of the levels below the host. */
  readonly path: readonly string[];
}

/** Bytes a record of a new series takes at most. */
export function seriesRecordBytesMax(sample: SeriesNames): number {
  return NUMBERS_BYTES + namesOf(sample).length * UTF8_BYTES_MAX;
}

/** Logs a new series. `bytes` is the shard's memory from its start. */
export function logSeries(
  kernel: Kernel,
  bytes: Buffer,
  sample: SeriesNames,
  stepSec: number,
  id: number,
): void {
  const names = namesOf(sample);
  const size = NUMBERS_BYTES + Buffer.byteLength(names);
  const at = kernel.logRecord(RECORD_SERIES, size);
  if (at === 0) return;
  bytes.writeUInt32LE(id, at);
  bytes.writeUInt32LE(stepSec, at + 4);
  bytes.write(names, at + NUMBERS_BYTES);
}

/** Reads a record of a new series; undefined if it makes no sense. */
export function readSeriesRecord(record: Buffer): SeriesRecord | undefined {
  if (record.length < NUMBERS_BYTES) return undefined;
  const names = record.toString('utf8', NUMBERS_BYTES).split(SEPARATOR);
  const [metric, cluster, host, ...path] = names;
  if (metric === undefined || cluster === undefined || host === undefined) return undefined;
  const id = record.readUInt32LE(0);
  const stepSec = record.readUInt32LE(4);
  return path.length % 2 === 0 ? { id, stepSec, metric, cluster, host, path } : undefined;
}

function namesOf(sample: SeriesNames): string {
  const { metric, cluster, host, type, typeId, stype, stypeId } = sample;
  let names = metric + SEPARATOR + cluster + SEPARATOR + host;
  if (type !== '') names += SEPARATOR + type + SEPARATOR + typeId;
  if (stype !== '') names += SEPARATOR + stype + SEPARATOR + stypeId;
  return names;
}
