import { STRETCH_SERIES_MAX } from './combine.js';
import type { Element } from './select.js';

/** Added to the address of a series that is the first of its result; addresses are even. */
const FIRST_OF_RESULT = 1;

/** What the item at an index of a plan asks for. */
export interface StretchItem {
  readonly elements: readonly Element[];
  /** Of its metric; undefined: its results can not be written with those of others. */
  readonly stepSec: number | undefined;
}

/** Results that are written at once: items of one step, one behind the other, of which each element is one series. */
export interface Stretch {
  readonly stepSec: number;
  /** Addresses of series as the kernel's `formatResults` wants them. */
  readonly list: Uint32Array;
  /** By item: how many of the list are of it and those before. */
  readonly ends: readonly number[];
}

/** Makes the stretch that begins with an item; undefined if that one has to be written alone. */
export function stretchAt(
  index: number,
  itemAt: (index: number) => StretchItem | undefined,
): Stretch | undefined {
  const list: number[] = [];
  const ends: number[] = [];
  const stepSec = itemAt(index)?.stepSec;
  if (stepSec === undefined) return undefined;
  for (let item = itemAt(index); item?.stepSec === stepSec; item = itemAt(++index)) {
    const { elements } = item;
    if (list.length + elements.length > STRETCH_SERIES_MAX || !isPlain(elements)) break;
    elements.forEach(({ group }, position) => {
      list.push(group.series[0]! + (position === 0 ? FIRST_OF_RESULT : 0));
    });
    ends.push(list.length);
  }
  return ends.length > 0 ? { stepSec, list: Uint32Array.from(list), ends } : undefined;
}

/** Whether each element is one series; a result without any is told otherwise. */
function isPlain(elements: readonly Element[]): boolean {
  const areSingle = elements.every(
    ({ group, error }) => error === '' && group.series.length === 1 && group.layered.length === 0,
  );
  return areSingle && elements.length > 0;
}
