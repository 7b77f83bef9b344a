import type { WrittenHost } from '../check.js';

/** What a series is named by, beside its host. */
export interface SeriesParts {
  readonly metric: string;
  readonly type: string;
  /** Empty for the node itself. */
  readonly id: string;
}

const TYPES = /^(hwthread|accelerator|memoryDomain|socket|node)(.*)$/;

/** `cpu_load hwthread7`, as a batch names its lines, in parts. */
export function partsOf(lineName: string): SeriesParts {
  const [metric, level] = lineName.split(' ') as [string, string];
  const found = TYPES.exec(level);
  if (!found) throw new Error(`${lineName} names no level`);
  return { metric, type: found[1]!, id: found[2]! };
}

/** Of each batch the number of its first series, where series are numbered from 1 on. */
export function firstSeriesOf(batches: readonly WrittenHost[]): number[] {
  let next = 1;
  return batches.map(({ lineCount }) => {
    const first = next;
    next += lineCount;
    return first;
  });
}

/** All metrics of the workload. */
export function metricsOf(batches: readonly WrittenHost[]): string[] {
  const names = batches.flatMap(({ lineOf }) => [...lineOf.keys()].map((n) => partsOf(n).metric));
  return [...new Set(names)].sort();
}
