import { parseWeightedList, type WeightedItem } from './weighted-list.js';

/**
 * Which of the media types offered a client wants most, by its Accept header (RFC 9110, 12.5.1). Of
 * several that it wants equally, the first one offered. A client that names nothing, or nothing
 * that can be understood, takes anything. Parameters such as `charset` make no difference.
 *
 * @param header '' if absent
 * @param offered in lower case, the one preferred first
 * @returns undefined if the client wants none of them
 */
export function chooseMediaType(header: string, offered: readonly string[]): string | undefined {
  if (header === '') return offered[0];
  const ranges = parseWeightedList(header).filter(({ name }) => isMediaRange(name));
  if (ranges.length === 0) return offered[0];
  let chosen: string | undefined;
  let chosenWeight = 0;
  for (const type of offered) {
    const weight = weightOf(type, ranges);
    if (weight <= chosenWeight) continue;
    chosen = type;
    chosenWeight = weight;
  }
  return chosen;
}

/** `*` alone is what some clients send for any type. */
function isMediaRange(name: string): boolean {
  return name === '*' || /^(?:\*\/\*|[^\s/*]+\/(?:\*|[^\s/*]+))$/.test(name);
}

/** The weight of the range that fits a type most closely, 0 if none does. */
function weightOf(type: string, ranges: readonly WeightedItem[]): number {
  const anyOfKind = `${type.slice(0, type.indexOf('/'))}/*`;
  const find = (...names: string[]): WeightedItem | undefined =>
    ranges.find(({ name }) => names.includes(name));
  return (find(type) ?? find(anyOfKind) ?? find('*/*', '*'))?.weight ?? 0;
}
