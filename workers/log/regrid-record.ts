import type { Kernel } from '../kernel/kernel.js';
import { RECORD_HEADER_BYTES, RECORD_REGRID } from '../kernel/layout.js';

const CONTENT_BYTES = 12;
/** Bytes that it takes in a frame. */
export const REGRID_RECORD_BYTES = RECORD_HEADER_BYTES + CONTENT_BYTES;

/** A series is put onto the grid of another step, and goes on under another number. */
export interface RegridRecord {
  readonly oldId: number;
  readonly newId: number;
  readonly stepSec: number;
}

/** `bytes` is the shard's memory from its start; the caller has seen to the room. */
export function logRegrid(kernel: Kernel, bytes: Buffer, record: RegridRecord): void {
  const at = kernel.logRecord(RECORD_REGRID, CONTENT_BYTES);
  if (at === 0) return;
  bytes.writeUInt32LE(record.oldId, at);
  bytes.writeUInt32LE(record.newId, at + 4);
  bytes.writeUInt32LE(record.stepSec, at + 8);
}

/** Undefined if it makes no sense. */
export function readRegridRecord(record: Buffer): RegridRecord | undefined {
  if (record.length !== CONTENT_BYTES) return undefined;
  const [oldId, newId, stepSec] = [0, 4, 8].map((at) => record.readUInt32LE(at));
  return stepSec === 0 ? undefined : { oldId: oldId!, newId: newId!, stepSec: stepSec! };
}
