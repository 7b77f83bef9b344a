/** An element of a header such as Accept: a name, and how much it is wanted. */
export interface WeightedItem {
  /** In lower case, without parameters. */
  readonly name: string;
  /** From 0, not at all, to 1. */
  readonly weight: number;
}

/** Elements looked at; no honest client sends as many. */
const ITEMS_MAX = 100;
/** RFC 9110, 12.4.2: at most three digits, and nothing above 1. */
const WEIGHT = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

/**
 * Reads a list of names with weights (`q`), as in Accept and Accept-Encoding. Other parameters are
 * passed over, and so is an element that has no name, or a weight that is none.
 */
export function parseWeightedList(header: string): WeightedItem[] {
  const items: WeightedItem[] = [];
  for (const element of split(header, ',')) {
    const [name = '', ...parameters] = split(element, ';').map((part) => part.trim().toLowerCase());
    const weight = weightOf(parameters);
    if (name !== '' && weight !== undefined) items.push({ name, weight });
    if (items.length === ITEMS_MAX) break;
  }
  return items;
}

/** Undefined if there is a weight, but not a valid one. */
function weightOf(parameters: readonly string[]): number | undefined {
  const parameter = parameters.find((part) => /^q\s*=/.test(part));
  if (parameter === undefined) return 1;
  const text = parameter.slice(parameter.indexOf('=') + 1).trim();
  return WEIGHT.test(text) ? Number(text) : undefined;
}

/** Splits at a separator, but not within quotes. */
function split(text: string, separator: ',' | ';'): string[] {
  if (!text.includes('"')) return text.split(separator);
  const parts: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '"') isQuoted = !isQuoted;
    else if (character === '\\' && isQuoted) i++;
    else if (character === separator && !isQuoted) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}
