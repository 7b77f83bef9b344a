import type { SelectRequest, Selection } from '../../src/model/selection.js';

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
export function shapeOf(request: SelectRequest, selection: Selection, slotSec: number): Shape {
  const firstSlot = Math.ceil(request.fromSec / slotSec);
  const slotCount = Math.max(0, Math.ceil(request.toSec / slotSec) - firstSlot);
  const stepSec = stepOf(request, selection, slotSec);
  if (stepSec === slotSec || slotCount === 0) {
    const fromSec = firstSlot * slotSec;
    return { firstSlot, slotCount, slotSec, stepSec, fromSec, pointCount: slotCount };
  }
  const firstCell = Math.floor((firstSlot * slotSec) / stepSec);
  const lastCell = Math.floor(((firstSlot + slotCount - 1) * slotSec) / stepSec);
  const pointCount = lastCell - firstCell + 1;
  return { firstSlot, slotCount, slotSec, stepSec, fromSec: firstCell * stepSec, pointCount };
}

function stepOf({ fromSec, toSec }: SelectRequest, selection: Selection, slotSec: number): number {
  const { stepSec, points } = selection;
  if (points === 0) return Math.max(stepSec, slotSec);
  // A multiple, so that all points but those at the ends stand for equally many samples.
  const steps = Math.max(1, Math.ceil((toSec - fromSec) / points / slotSec));
  // The grid may cut one cell in two at the ends.
  const cells =
    Math.floor((toSec - 1) / (steps * slotSec)) - Math.floor(fromSec / (steps * slotSec)) + 1;
  return (cells > points ? steps + Math.ceil(steps / points) : steps) * slotSec;
}
