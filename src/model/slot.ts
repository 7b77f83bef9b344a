/** Latest second that has a place: slots and times of samples are 32-bit. */
export const TIME_SEC_MAX = 0xffffffff;

/**
 * The slot of a time: the nearest point of the epoch grid of `stepSec`, ties to the lower one.
 * Slot s is shown at second s * stepSec.
 */
export function slotOf(timeSec: number, stepSec: number): number {
  return Math.floor((timeSec + stepSec - 1 - Math.floor(stepSec / 2)) / stepSec);
}
