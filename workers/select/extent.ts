import type { Group } from '../engine/select.js';
import type { Kernel } from '../kernel/kernel.js';
import { HOLD_SLOTS, SERIES_LAST_SLOT } from '../kernel/layout.js';
import type { Part } from './parts.js';

/** For a range of fewer slots it costs more to look at all series than to read what is not there. */
const LOOKED_AT_SLOTS = 4096;

/** Slots `first` … `end` of a range outside of which no series has samples, or one that still holds. */
export function extentOf(
  { kernel, words }: { readonly kernel: Kernel; readonly words: () => Uint32Array },
  parts: readonly Part[],
  firstSlot: number,
  slotCount: number,
): { first: number; end: number } {
  const end = firstSlot + slotCount;
  if (slotCount < LOOKED_AT_SLOTS) return { first: firstSlot, end };
  const view = words();
  let oldest = Infinity;
  let newest = -1;
  const look = (series: number): void => {
    oldest = Math.min(oldest, kernel.oldestSlot(series) >>> 0);
    newest = Math.max(newest, view[(series + SERIES_LAST_SLOT) >>> 2]!);
  };
  const lookAt = ({ series, layered }: Group): void => {
    series.forEach(look);
    for (const { own, below } of layered) {
      if (own !== 0) look(own);
      lookAt(below);
    }
  };
  for (const { units } of parts) {
    if (units.plain) lookAt(units.plain);
    else for (const { group } of units.list) lookAt(group);
  }
  return { first: Math.max(firstSlot, oldest), end: Math.min(end, newest + HOLD_SLOTS) };
}
