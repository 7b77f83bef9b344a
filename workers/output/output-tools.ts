import type { AnswerWriter } from '../engine/answer-writer.js';
import type { Kernel } from '../kernel/kernel.js';
import { HEAP_BASE } from '../kernel/layout.js';
import type { ResultSeries } from './output.js';

/** What outputs of a shard write with. */
export interface OutputTools {
  readonly kernel: Kernel;
  readonly memory: WebAssembly.Memory;
  readonly writer: AnswerWriter;
}

/** Writes bytes that lie outside the shard's memory. */
export function writeBytes({ memory, writer }: OutputTools, bytes: Uint8Array): void {
  writer.need(bytes.length);
  fixedRegions(memory).set(bytes, writer.at);
  writer.at += bytes.length;
}

/** The memory below the heap: such a view stays good when that grows, however large it is. */
export function fixedRegions(memory: WebAssembly.Memory): Buffer {
  return Buffer.from(memory.buffer, 0, HEAP_BASE);
}

/** The slot of a stored series that its first value lies in. */
export function firstSlot({ fromSec, stepSec }: ResultSeries): number {
  return Math.round(fromSec / stepSec);
}

/** An address from `address` on that Float64 may lie at. */
export function align(address: number): number {
  return Math.ceil(address / 8) * 8;
}
