import type { ResampleAlgorithm } from '../../src/model/query-request.js';
import type { Kernel } from '../kernel/kernel.js';
import {
  RESAMPLE_AVERAGE,
  RESAMPLE_COUNT,
  RESAMPLE_FIRST,
  RESAMPLE_LAST,
  RESAMPLE_LTTB,
  RESAMPLE_M4,
  RESAMPLE_MAX,
  RESAMPLE_MIN,
  RESAMPLE_MINMAX,
  RESAMPLE_MINMAXLTTB,
  RESAMPLE_SIMPLE,
  RESAMPLE_SUM,
} from '../kernel/layout.js';

/** The kernel's numbers of the algorithms. */
export const RESAMPLE_CODES: Readonly<Record<ResampleAlgorithm, number>> = {
  lttb: RESAMPLE_LTTB,
  minmaxlttb: RESAMPLE_MINMAXLTTB,
  minmax: RESAMPLE_MINMAX,
  m4: RESAMPLE_M4,
  average: RESAMPLE_AVERAGE,
  min: RESAMPLE_MIN,
  max: RESAMPLE_MAX,
  sum: RESAMPLE_SUM,
  first: RESAMPLE_FIRST,
  last: RESAMPLE_LAST,
  count: RESAMPLE_COUNT,
  simple: RESAMPLE_SIMPLE,
};

/** Cell [k * stepSec, (k + 1) * stepSec) of the epoch grid that a slot begins in. */
export function cellOf(slot: number, slotSec: number, stepSec: number): number {
  return Math.floor((slot * slotSec) / stepSec);
}

/** How many cells `count` slots from `firstSlot` on reach into; steps and slots of any length. */
export function cellCount(
  firstSlot: number,
  count: number,
  slotSec: number,
  stepSec: number,
): number {
  if (count <= 0) return 0;
  const first = cellOf(firstSlot, slotSec, stepSec);
  return cellOf(firstSlot + count - 1, slotSec, stepSec) - first + 1;
}

/**
 * Makes one value of the slots that begin in each cell of the epoch grid, as `resample` of the
 * kernel does: `count` Float64 at address `values`, the first of slot `firstSlot`, become
 * `cellCount` values at `out`, the first of cell `cellOf(firstSlot, …)`. Returns how many. The
 * first and last cell may be cut by the range: to have them whole, begin and end at a cell's border.
 * Steps are seconds below 2^31.
 */
export function resampleOnGrid(
  kernel: Kernel,
  algorithm: ResampleAlgorithm,
  values: number,
  count: number,
  firstSlot: number,
  slotSec: number,
  stepSec: number,
  out: number,
): number {
  const firstCell = cellOf(firstSlot, slotSec, stepSec);
  const offsetSec = firstSlot * slotSec - firstCell * stepSec;
  const cells = cellCount(firstSlot, count, slotSec, stepSec);
  const code = RESAMPLE_CODES[algorithm];
  return kernel.resample(code, values, count, offsetSec, stepSec, slotSec, cells, out);
}
