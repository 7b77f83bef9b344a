import { readFileSync } from 'node:fs';
import type { DurabilityExports } from './exports/durability.js';
import type { FormatExports } from './exports/format.js';
import type { ResampleExports } from './exports/resample.js';
import type { BlockExports } from './exports/block.js';
import type { AggregateExports } from './exports/aggregate.js';
import type { AnswerExports } from './exports/answer.js';
import type { ConvertExports } from './exports/convert.js';
import type { SeriesExports } from './exports/series.js';
import type { StatisticsExports } from './exports/statistics.js';
import type { TableExports } from './exports/table.js';
import { KERNEL_FILE } from '../../src/places.js';
import { HEAP_BASE } from './layout.js';

/** All functions of the kernel. Numbers in, numbers out; addresses are bytes from the start of memory. */
export type Kernel = FormatExports &
  ResampleExports &
  BlockExports &
  AggregateExports &
  StatisticsExports &
  AnswerExports &
  ConvertExports &
  DurabilityExports &
  TableExports &
  SeriesExports & { kernelVersion(): number };

const PAGE_BYTES = 65536;
/** 4 GiB: the most a 32-bit memory can have. */
const PAGES_MAX = 65536;

/** A shard's memory: the fixed regions at once, the heap as it grows. Untouched pages cost nothing. */
export function createShardMemory(): WebAssembly.Memory {
  return new WebAssembly.Memory({
    shared: true,
    initial: HEAP_BASE / PAGE_BYTES,
    maximum: PAGES_MAX,
  });
}

let kernelModule: WebAssembly.Module | undefined;

/** The kernel over a memory. Instances share no state but what lies in the memory itself. */
export function instantiateKernel(memory: WebAssembly.Memory): Kernel {
  kernelModule ??= new WebAssembly.Module(readFileSync(KERNEL_FILE));
  const instance = new WebAssembly.Instance(kernelModule, {
    env: {
      memory,
      abort: (_message: number, _file: number, line: number, column: number): never => {
        throw new Error(`kernel stopped at line ${line}, column ${column}`);
      },
    },
  });
  return instance.exports as unknown as Kernel;
}
