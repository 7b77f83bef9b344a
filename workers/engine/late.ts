import { HOLD_SLOTS } from '../kernel/layout.js';

/**
 * The second up to which a series is in time: it is late, or stale, when its newest sample ended more than
 * HOLD_SLOTS steps ago.
 */
export function lateAfterSec(lastSlot: number, stepSec: number): number {
  return (lastSlot + 1 + HOLD_SLOTS) * stepSec;
}
