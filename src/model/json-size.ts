import { StoreError } from './errors.js';

/** Shorter texts are parsed in a few milliseconds whatever they are, so they are not looked through. */
const CHARS_MIN = 65_536;
/** Requests are never deeper than five. */
const DEPTH_MAX = 16;
/** Lists, objects and commas: more than any request needs that its limits let through. */
const VALUES_MAX = 500_000;

/**
 * Refuses a long text that is made to be slow to parse: 10 MB of brackets keep `JSON.parse` busy for
 * two seconds and take 280 MB, where looking through them takes 20 ms. Whether the text is JSON is
 * not checked.
 */
export function checkJsonSize(text: string): void {
  if (text.length < CHARS_MIN) return;
  let depth = 0;
  let count = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (inString) {
      if (char === BACKSLASH) i++;
      else if (char === QUOTE) inString = false;
    } else if (char === QUOTE) inString = true;
    else if (char === COMMA) count++;
    else if (char === OPEN_BRACE || char === OPEN_BRACKET) {
      count++;
      if (++depth > DEPTH_MAX) throw tooLarge(`is nested deeper than ${DEPTH_MAX}`);
    } else if (char === CLOSE_BRACE || char === CLOSE_BRACKET) depth--;
  }
  if (count > VALUES_MAX) throw tooLarge(`has more than ${VALUES_MAX} values`);
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

function tooLarge(what: string): StoreError {
  return new StoreError('bad-request', `the request body ${what}; send several requests`);
}
