import { parseUnit } from '../units/unit.js';

/** Places named in one warning; the rest are counted. */
const PLACES_MAX = 3;

/**
 * A sentence for each unit that is not understood, however often it is written.
 *
 * @param units where each is written, such as `metrics.load.unit`, and its text.
 */
export function unitWarnings(units: Iterable<readonly [place: string, unit: string]>): string[] {
  const placesOf = new Map<string, string[]>();
  for (const [place, unit] of units) {
    if (parseUnit(unit)) continue;
    const places = placesOf.get(unit);
    if (places) places.push(place);
    else placesOf.set(unit, [place]);
  }
  return [...placesOf].map(([unit, places]) => {
    const more = places.length - PLACES_MAX;
    const where = `${places.slice(0, PLACES_MAX).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
    return `${where}: "${unit}" is not understood as a unit; it is shown, but nothing is converted`;
  });
}
