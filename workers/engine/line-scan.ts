// Where things of a line begin and end; nothing here looks at or beyond `end`.
const TAB = 9;
const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const QUOTE = 34;
const COMMA = 44;
const EQUALS = 61;
const BACKSLASH = 92;

/** Behind blanks and tabs. */
export function skipBlanks(bytes: Uint8Array, from: number, end: number): number {
  let p = from;
  while (p < end && (bytes[p] === SPACE || bytes[p] === TAB)) p++;
  return p;
}

/** Whether the line ends here: the end, a newline, or a carriage return before one of these. */
export function isLineEnd(bytes: Uint8Array, p: number, end: number): boolean {
  if (p >= end || bytes[p] === NEWLINE) return true;
  return bytes[p] === RETURN && (p + 1 >= end || bytes[p + 1] === NEWLINE);
}

/** Behind the next newline, or the end. */
export function newlineAfter(bytes: Uint8Array, from: number, end: number): number {
  let p = from;
  while (p < end && bytes[p] !== NEWLINE) p++;
  return p < end ? p + 1 : end;
}

/**
 * Behind the closing quote of the text whose opening one is at `quote`, 0 if it is never closed.
 * A quote with anything but a separator behind it closes nothing: so one that was forgotten costs
 * its own line and does not swallow the lines up to the next quote.
 */
export function quoteEnd(bytes: Uint8Array, quote: number, end: number): number {
  for (let p = quote + 1; p < end; p++) {
    const byte = bytes[p];
    if (byte === BACKSLASH) p++;
    else if (byte === QUOTE) {
      const isClosed =
        isLineEnd(bytes, p + 1, end) || bytes[p + 1] === COMMA || bytes[p + 1] === SPACE;
      return isClosed ? p + 1 : 0;
    }
  }
  return 0;
}

/**
 * Behind the newline that ends the line, which may have others inside quoted fields. `from` is where its name
 * begins: there and in tags a quote is a letter as any other, or one would take the lines up to the next with
 * it. The front has the same rule, in `behindNewline` of workers/kernel/assembly/route.ts.
 */
export function logicalLineEnd(bytes: Uint8Array, from: number, end: number): number {
  let p = from;
  while (p < end && bytes[p] !== SPACE && bytes[p] !== NEWLINE) {
    p += bytes[p] === BACKSLASH && bytes[p + 1] !== NEWLINE ? 2 : 1;
  }
  while (p < end && bytes[p] !== NEWLINE) {
    if (bytes[p] === QUOTE && bytes[p - 1] === EQUALS) {
      const closed = quoteEnd(bytes, p, end);
      if (closed === 0) return newlineAfter(bytes, p, end);
      p = closed;
    } else p++;
  }
  return p < end ? p + 1 : end;
}

/** How many physical lines lie in `from` … `until`; a last one without a newline counts. */
export function countLines(bytes: Uint8Array, from: number, until: number): number {
  let count = 0;
  for (let p = from; p < until; p++) {
    if (bytes[p] === NEWLINE) count++;
  }
  return until > from && bytes[until - 1] !== NEWLINE ? count + 1 : Math.max(count, 1);
}
