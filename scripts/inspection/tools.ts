import { statSync } from 'node:fs';
import type { BlockView } from '../../workers/checkpoint/block-runs.js';
import { SectionReader } from '../../workers/checkpoint/section-file.js';
import { createShardMemory, instantiateKernel, type Kernel } from '../../workers/kernel/kernel.js';
import { QUERY_SCRATCH_BASE, STAGING_BASE, STAGING_BYTES } from '../../workers/kernel/layout.js';
import { LogReader } from '../../workers/log/log-reader.js';
import type { FileReport, SeriesReport } from './report.js';
import type { Selector } from './selector.js';

/** Slots of a block at most, and the multiple of four that the kernel writes. */
const SLOTS_MAX = 128;
/** Where a block is laid out as it is in memory, behind the values. */
const BLOCK_BASE = QUERY_SCRATCH_BASE + SLOTS_MAX * 8;

/**
 * A file that the store writes. To teach the script another one: an object of this type in a file
 * beside this one, and its name in `KINDS` (kinds.ts).
 */
export interface FileKind {
  readonly name: string;
  /** By its name, which damage does not change. */
  readonly hasName: (name: string) => boolean;
  /** By its first bytes, where the name says nothing. */
  readonly begins: (first: Buffer) => boolean;
  /** Reads all of the file; what is wrong goes into the report. Throws what the system says. */
  readonly inspect: (path: string, report: FileReport, tools: Tools) => void | Promise<void>;
}

/** Of the process: a memory is only given back when its collector gets to it. */
let memory: WebAssembly.Memory | undefined;

/** What was asked for, and the memory and kernel that all files are read with, one at a time. */
export class Tools {
  /** Series that are listed; undefined: none. */
  readonly selector: Selector | undefined;
  readonly withSamples: boolean;
  /** Shows a series that was asked for. */
  readonly show: (series: SeriesReport) => void;
  readonly kernel: Kernel;
  /** A section or frame at a time. */
  readonly area: Buffer;
  readonly #values: Float64Array;

  constructor(
    selector: Selector | undefined,
    withSamples: boolean,
    show: (series: SeriesReport) => void,
  ) {
    this.selector = selector;
    this.withSamples = withSamples;
    this.show = show;
    memory ??= createShardMemory();
    this.kernel = instantiateKernel(memory);
    this.area = Buffer.from(memory.buffer, STAGING_BASE, STAGING_BYTES);
    this.#values = new Float64Array(memory.buffer, QUERY_SCRATCH_BASE, SLOTS_MAX);
  }

  sectionReader(path: string): SectionReader {
    return new SectionReader(path, this.area, (at, bytes) =>
      this.kernel.checksum(STAGING_BASE + at, bytes),
    );
  }

  logReader(path: string): LogReader {
    return new LogReader(path, this.area, (offset, bytes) =>
      this.kernel.checksum(STAGING_BASE + offset, bytes),
    );
  }

  /** Values of a block, NaN where missing; good until the next one. */
  valuesOf({ at, startSlot, slots }: BlockView): Float64Array {
    this.kernel.unpackBlock(STAGING_BASE + at, startSlot, BLOCK_BASE);
    this.kernel.decodeBlock(BLOCK_BASE, QUERY_SCRATCH_BASE);
    return this.#values.subarray(0, slots);
  }
}

/** A report that says nothing yet. */
export function newReport(file: string, kind: string): FileReport {
  // A running store may have removed it meanwhile: then reading it says so.
  const bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  return { file, kind, version: '', bytes, facts: {}, sections: [], damages: [] };
}
