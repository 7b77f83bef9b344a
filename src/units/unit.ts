import { measureOf, type Measure } from './measures.js';
import { PREFIXES, type Prefix } from './prefixes.js';

/** One side of the slash. */
export interface UnitPart {
  /** The measure's canonical name, '' = none. */
  readonly measure: string;
  /** '' = none. */
  readonly prefix: Prefix;
}

/** A unit that was understood: `[prefix][measure][/[prefix]measure]`. */
export interface Unit extends UnitPart {
  /** What it is per; undefined = nothing. */
  readonly per: UnitPart | undefined;
}

/** Nothing that is a unit is longer; more is not looked at. */
const UNIT_CHARS_MAX = 64;

/**
 * Reads a unit by the grammar of README.md in this folder. A word is understood as a whole or not at
 * all: `bananas` begins with a byte and is none.
 *
 * @returns undefined if the text is not understood; '' and `none` are the unit of a plain number.
 */
export function parseUnit(text: string): Unit | undefined {
  if (text.length > UNIT_CHARS_MAX) return undefined;
  const parts = text.split('/').map((part) => part.trim());
  if (parts.length > 2) return undefined;
  const [above, below] = parts as [string, string?];
  const unit = parsePart(above);
  if (!unit) return undefined;
  if (below === undefined) return { ...unit, per: undefined };
  const per = parsePart(below);
  // `none/s` is as little a unit as `B/none`; a plain number per something is `1/s` or `/s`.
  if (!per || per.measure === '' || above === 'none') return undefined;
  return { ...unit, per };
}

/** The canonical text, such as `GB/s`; '' for a plain number. `parseUnit` reads it back. */
export function formatUnit(unit: Unit): string {
  const above = unit.prefix + unit.measure;
  if (!unit.per) return above;
  return `${above || '1'}/${unit.per.prefix}${unit.per.measure}`;
}

/**
 * The text of the form that cluster.json has, `{"base": "B/s", "prefix": "G"}`; '' = there is none.
 * It need not be a unit that is understood: old files have free text.
 */
export function unitOfBaseAndPrefix(base: string, prefix: string): string {
  return (prefix.trim() + base.trim()).trim();
}

function parsePart(word: string): UnitPart | undefined {
  const whole = measureOf(word);
  if (whole) return { measure: whole.name, prefix: '' };
  // Whoever uses no capitals means MHz, most likely, but it says a thousandth.
  if (word === 'mhz') return undefined;
  for (const [text, prefix] of PREFIXES) {
    if (!word.startsWith(text)) continue;
    const measure = measureOf(word.slice(text.length));
    if (measure?.takesPrefix) return { measure: measure.name, prefix: meant(prefix, measure) };
  }
  return undefined;
}

/** `m` before what is counted has always meant Mega in this field. */
function meant(prefix: Prefix, measure: Measure): Prefix {
  return prefix === 'm' && measure.isCounted ? 'M' : prefix;
}
