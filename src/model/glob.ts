/** Whether a text is a pattern: `*` stands for any characters, `?` for one. Others mean themselves. */
export function isGlob(text: string): boolean {
  return text.includes('*') || text.includes('?');
}

/**
 * Tells of texts whether a pattern matches all of them, case included. Brackets are no classes: they
 * belong to host lists. `?` is one UTF-16 unit.
 *
 * No regular expression, since patterns come from outside: the parts between stars are looked for
 * from left to right, each once, so the cost is at most that of finding the longest part in the text.
 */
export function globMatcher(pattern: string): (text: string) => boolean {
  const [first, ...others] = pattern.split('*');
  const prefix = partOf(first!);
  if (others.length === 0) {
    return (text) => text.length === prefix.length && prefix.isAt(text, 0);
  }
  const suffix = partOf(others.pop()!);
  const middle = others.filter((part) => part !== '').map(partOf);
  let lengthMin = prefix.length + suffix.length;
  for (const { length } of middle) lengthMin += length;
  return (text) => {
    if (text.length < lengthMin || !prefix.isAt(text, 0)) return false;
    const suffixStart = text.length - suffix.length;
    if (!suffix.isAt(text, suffixStart)) return false;
    let start = prefix.length;
    for (const part of middle) {
      const found = part.find(text, start);
      if (found < 0) return false;
      start = found + part.length;
    }
    return start <= suffixStart;
  };
}

/** What stands between two stars. */
interface Part {
  readonly length: number;
  isAt(text: string, start: number): boolean;
  /** Index of its first match at or behind `start`, -1 = none. */
  find(text: string, start: number): number;
}

function partOf(pattern: string): Part {
  return pattern.includes('?') ? wildPart(pattern) : plainPart(pattern);
}

function plainPart(pattern: string): Part {
  return {
    length: pattern.length,
    isAt: (text, start) => text.startsWith(pattern, start),
    find: (text, start) => text.indexOf(pattern, start),
  };
}

const QUESTION_MARK = 0x3f;

function wildPart(pattern: string): Part {
  const { length } = pattern;
  const isAt = (text: string, start: number): boolean => {
    if (start + length > text.length) return false;
    for (let i = 0; i < length; i++) {
      const unit = pattern.charCodeAt(i);
      if (unit !== QUESTION_MARK && unit !== text.charCodeAt(start + i)) return false;
    }
    return true;
  };
  const find = (text: string, start: number): number => {
    for (let at = start; at + length <= text.length; at++) if (isAt(text, at)) return at;
    return -1;
  };
  return { length, isAt, find };
}
