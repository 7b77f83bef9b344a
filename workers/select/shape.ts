import type { SelectRequest, Selection } from '../../src/model/selection.js';
import { cellCount, cellOf } from '../engine/resample.js';

type TimeSpan = Pick<SelectRequest, 'fromSec' | 'toSec'>;

/** Samples have times of 32 bits: what is asked for of the time behind it is not there. */
const TIME_SEC_MAX = 2 ** 32;
/** The kernel takes steps, and Arrow tells them, in 31 bits. */
const STEP_SEC_MAX = 2 ** 31 - 1;

/** The points of a result: what is read, and what is shown of it. */
export interface Shape {
  /** Native slots asked for: the first, and how many. */
  readonly firstSlot: number;
  readonly slotCount: number;
  readonly slotSec: number;
  /** Seconds between points, and the time of the first. */
  readonly stepSec: number;
  readonly fromSec: number;
  readonly pointCount: number;
}

/**
 * Points for a range `from` ≤ time < `to`: the slots within, or the cells of a longer step's epoch grid
 * that have some of them. A step below the metric's own gives the metric's.
 */
export function shapeOf(request: TimeSpan, selection: Selection, slotSec: number): Shape {
  const { fromSec } = request;
  const toSec = Math.max(fromSec, Math.min(request.toSec, TIME_SEC_MAX));
  const firstSlot = Math.ceil(fromSec / slotSec);
  const slotCount = Math.max(0, Math.ceil(toSec / slotSec) - firstSlot);
  const stepSec = stepOf({ fromSec, toSec }, selection, slotSec);
  if (stepSec === slotSec || slotCount === 0) {
    const fromSec = firstSlot * slotSec;
    return { firstSlot, slotCount, slotSec, stepSec, fromSec, pointCount: slotCount };
  }
  return {
    firstSlot,
    slotCount,
    slotSec,
    stepSec,
    fromSec: cellOf(firstSlot, slotSec, stepSec) * stepSec,
    pointCount: cellCount(firstSlot, slotCount, slotSec, stepSec),
  };
}

/** Seconds between points: as asked for, or the least multiple of a slot that gives no more than `points`. */
function stepOf(
  { fromSec, toSec }: TimeSpan,
  { stepSec, points }: Selection,
  slotSec: number,
): number {
  if (points === 0) return Math.max(stepSec, slotSec);
  const slots = (toSec - fromSec) / slotSec;
  const cells = (steps: number): number =>
    Math.floor((toSec - 1) / (steps * slotSec)) - Math.floor(fromSec / (steps * slotSec)) + 1;
  const stepsMax = Math.floor(STEP_SEC_MAX / slotSec);
  let steps = Math.max(1, Math.ceil(slots / points));
  // The grid may cut one cell in two at the ends.
  if (points > 1 && cells(steps) > points) steps = Math.max(1, Math.ceil(slots / (points - 1)));
  // One point for all of it: a cell with a border in the range is too short, however long it is.
  while (points === 1 && cells(steps) > 1 && steps < stepsMax) steps *= 2;
  return Math.min(steps, stepsMax) * slotSec;
}
