import type { ParsedQuery, QueryItem } from '../../src/model/query-request.js';
import { slotOf } from '../../src/model/slot.js';
import { STRETCH_SERIES_MAX } from './combine.js';
import type { Metric } from './metrics.js';
import type { Element } from './select.js';

/** The clock is looked at after so many samples, at most some 50 µs of work; no stretch has more. */
export const SAMPLES_BETWEEN_LOOKS = 16_384;
/** Added to the address of a series that is the first of its result; addresses are even. */
const FIRST_OF_RESULT = 1;

/** A plan, as far as stretches are made of it. */
export interface StretchSource {
  readonly request: ParsedQuery;
  readonly items: readonly QueryItem[];
  elementsOf(index: number): readonly Element[];
  metricOf(item: QueryItem): Metric | undefined;
}

/** Results that are written at once: items of one step, one behind the other, of which each element is one series. */
export interface Stretch {
  readonly stepSec: number;
  /** Addresses of series as the kernel's `formatResults` wants them. */
  readonly list: Uint32Array;
  /** By item: how many of the list are of it and those before. */
  readonly ends: readonly number[];
}

/**
 * Makes the stretch that begins with an item, of at most `itemsMax`; undefined if that item has to be written by itself:
 * what it shows is computed, cut, or so much that it may take several turns.
 */
export function stretchAt(
  source: StretchSource,
  index: number,
  itemsMax: number,
): Stretch | undefined {
  const { request, items } = source;
  const stepSec = nativeStep(source, items[index]!);
  if (stepSec === undefined || !request.withPadding) return undefined;
  const slots = request.withData ? slotsOf(request, stepSec) : 1;
  const seriesMax = Math.min(STRETCH_SERIES_MAX, Math.floor(SAMPLES_BETWEEN_LOOKS / slots));
  const list: number[] = [];
  const ends: number[] = [];
  for (let at = index; at < index + itemsMax; at++) {
    if (nativeStep(source, items[at]!) !== stepSec) break;
    const elements = source.elementsOf(at);
    if (list.length + elements.length > seriesMax || !isPlain(elements)) break;
    elements.forEach(({ group }, position) => {
      list.push(group.series[0]! + (position === 0 ? FIRST_OF_RESULT : 0));
    });
    ends.push(list.length);
  }
  return ends.length > 0 ? { stepSec, list: Uint32Array.from(list), ends } : undefined;
}

/** Slots that a request shows. */
export function slotsOf({ fromSec, toSec }: ParsedQuery, stepSec: number): number {
  return slotOf(toSec, stepSec) - slotOf(fromSec, stepSec);
}

/** The step of what an item shows; undefined if it is scaled or resampled. */
function nativeStep({ request, metricOf }: StretchSource, item: QueryItem): number | undefined {
  const stepSec = metricOf(item)?.stepSec;
  if (stepSec === undefined || (item.scaleBy || 1) !== 1) return undefined;
  return request.withData && item.resolution > stepSec ? undefined : stepSec;
}

/** Whether each element is one series; a result without any is told otherwise. */
function isPlain(elements: readonly Element[]): boolean {
  const areSingle = elements.every(
    ({ group, error }) => error === '' && group.series.length === 1 && group.layered.length === 0,
  );
  return areSingle && elements.length > 0;
}
