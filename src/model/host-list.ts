import { clip } from './clip.js';
import { StoreError } from './errors.js';
import { globMatcher, isGlob } from './glob.js';

/** Hosts that a list in a cluster.json may name: far more than there are. */
export const CLUSTER_HOSTS_MAX = 1_000_000;
/** A host's name is a tag, which is no longer; a pattern needs no more either. */
const NAME_CHARS_MAX = 128;
/** More digits than these are no exact number. */
const DIGITS_MAX = 15;

/** Numbers `low` … `high`, padded with zeros to `width` digits. */
interface NumberRange {
  readonly low: number;
  readonly high: number;
  readonly width: number;
}

/** One host list item: literals and brackets in their order. */
type Item = readonly (string | readonly NumberRange[])[];

/**
 * The names of a host list as Slurm and cc-backend write it: `a0101`, `a[0100-0185]`,
 * `f[0101-0188,0201-0288]`, `r[1-2]n[01-16]-ib`, several of them with commas between. Numbers are as
 * wide as the first one of their range. Names come in the order of the list, each once.
 *
 * @throws StoreError `bad-request` for a malformed list, a glob, and more than `hostsMax` names; these
 * are counted before they are made.
 */
export function expandHostList(expression: string, hostsMax: number): string[] {
  const names = namesOf([expression], hostsMax);
  const glob = names.find(isGlob);
  if (glob !== undefined) {
    const what = `"${clip(glob)}" is a pattern; name the hosts, such as a[0100-0185]`;
    throw new StoreError('bad-request', `host list "${clip(expression)}": ${what}`);
  }
  return [...new Set(names)];
}

/**
 * How many names and globs an expression stands for. None of them is made, so that many expressions
 * can be checked and counted before one takes memory.
 *
 * @throws StoreError `bad-request` for a malformed list.
 */
export function countHostList(expression: string): number {
  return parseItems(expression).reduce((count, item) => count + countOf(item), 0);
}

/** Hosts that lists, names and globs (`a01*`, `a010?`) stand for. */
export class HostSet {
  /** In sorted order, each once; undefined if a glob is among them. */
  readonly names: readonly string[] | undefined;
  readonly #exact: ReadonlySet<string>;
  readonly #globs: readonly ((host: string) => boolean)[];

  private constructor(exact: ReadonlySet<string>, globs: ReadonlySet<string>) {
    this.#exact = exact;
    this.#globs = [...globs].map(globMatcher);
    if (globs.size === 0) this.names = [...exact].sort();
  }

  /** @throws StoreError `bad-request`, as {@link expandHostList}; `hostsMax` is over all expressions. */
  static parse(expressions: readonly string[], hostsMax: number): HostSet {
    const exact = new Set<string>();
    const globs = new Set<string>();
    for (const name of namesOf(expressions, hostsMax)) (isGlob(name) ? globs : exact).add(name);
    return new HostSet(exact, globs);
  }

  /** Those that are named, globs or not. */
  get exactNames(): ReadonlySet<string> {
    return this.#exact;
  }

  has(host: string): boolean {
    return this.#exact.has(host) || this.#globs.some((matches) => matches(host));
  }
}

/** Names and globs of host lists. All are counted before the first is made. */
function namesOf(expressions: readonly string[], hostsMax: number): string[] {
  const items: Item[] = [];
  let count = 0;
  for (const expression of expressions) {
    for (const item of parseItems(expression)) {
      count += countOf(item);
      if (count > hostsMax) {
        const what = `it stands for more than ${hostsMax} hosts; name fewer, or use a pattern such as a01*`;
        throw new StoreError('bad-request', `host list "${clip(expression)}": ${what}`);
      }
      items.push(item);
    }
  }
  return items.flatMap(expand);
}

function countOf(item: Item): number {
  let count = 1;
  for (const part of item) {
    if (typeof part === 'string') continue;
    count *= part.reduce((sum, { low, high }) => sum + high - low + 1, 0);
  }
  return count;
}

function expand(item: Item): string[] {
  let names = [''];
  for (const part of item) {
    const texts = typeof part === 'string' ? [part] : part.flatMap(numbersOf);
    names = names.flatMap((name) => texts.map((text) => name + text));
  }
  return names;
}

function numbersOf({ low, high, width }: NumberRange): string[] {
  return Array.from({ length: high - low + 1 }, (_, i) => String(low + i).padStart(width, '0'));
}

/** Splits a list at the commas outside of brackets. */
function parseItems(expression: string): Item[] {
  const items: Item[] = [];
  let from = 0;
  while (from <= expression.length) {
    let until = from;
    let isInside = false;
    while (until < expression.length && (isInside || expression[until] !== ',')) {
      if (expression[until] === '[') isInside = true;
      else if (expression[until] === ']') isInside = false;
      until++;
    }
    items.push(parseItem(expression, from, until));
    from = until + 1;
  }
  return items;
}

/** The item at `from` … `until`. Blanks around it, as people write behind commas, are no part of it. */
function parseItem(expression: string, from: number, until: number): Item {
  const text = expression.slice(from, until);
  const start = from + text.length - text.trimStart().length;
  const end = until - (text.length - text.trimEnd().length);
  if (start >= end) throw malformed(expression, from, 'a host is missing');
  const parts: (string | NumberRange[])[] = [];
  let chars = 0;
  for (let at = start; at < end;) {
    const isBracket = expression[at] === '[';
    const close = isBracket ? closingBracket(expression, at, end) : literalEnd(expression, at, end);
    const part = isBracket ? parseRanges(expression, at, close) : expression.slice(at, close);
    chars += typeof part === 'string' ? part.length : widestOf(part);
    if (chars > NAME_CHARS_MAX) {
      const what = `a host's name has no more than ${NAME_CHARS_MAX} characters`;
      throw malformed(expression, start, what);
    }
    parts.push(part);
    at = isBracket ? close + 1 : close;
  }
  return parts;
}

function widestOf(ranges: readonly NumberRange[]): number {
  let widest = 0;
  for (const { high, width } of ranges) widest = Math.max(widest, width, String(high).length);
  return widest;
}

function literalEnd(expression: string, from: number, end: number): number {
  let at = from;
  while (at < end && expression[at] !== '[') {
    if (expression[at] === ']') throw malformed(expression, at, 'no bracket is open');
    at++;
  }
  return at;
}

function closingBracket(expression: string, open: number, end: number): number {
  const close = expression.indexOf(']', open);
  if (close < 0 || close >= end) throw malformed(expression, open, 'the bracket is not closed');
  return close;
}

/** What is in a bracket that opens at `open`. */
function parseRanges(expression: string, open: number, close: number): NumberRange[] {
  let at = open + 1;
  return expression
    .slice(at, close)
    .split(',')
    .map((text) => {
      const range = parseRange(expression, at, text);
      at += text.length + 1;
      return range;
    });
}

function parseRange(expression: string, at: number, text: string): NumberRange {
  const [first, last = first, ...more] = text.split('-').map((number) => number.trim());
  const isRange = isDigits(first!) && isDigits(last!) && more.length === 0;
  if (!isRange) {
    const what = `"${clip(text)}" is no number and no range; write such as [0100-0185,0201]`;
    throw malformed(expression, at, what);
  }
  if (first!.length > DIGITS_MAX || last!.length > DIGITS_MAX) {
    throw malformed(expression, at, `a number has no more than ${DIGITS_MAX} digits`);
  }
  const range = { low: Number(first), high: Number(last), width: first!.length };
  if (range.low > range.high) {
    throw malformed(expression, at, `${first}-${last} runs backwards; write the smaller one first`);
  }
  return range;
}

function isDigits(text: string): boolean {
  if (text === '') return false;
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) < 48 || text.charCodeAt(i) > 57) return false;
  }
  return true;
}

function malformed(expression: string, at: number, what: string): StoreError {
  const place = `host list "${clip(expression)}", character ${at + 1}`;
  return new StoreError('bad-request', `${place}: ${what}`);
}
