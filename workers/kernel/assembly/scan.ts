// Where the parts of a line begin and end.

const NEWLINE: u32 = 10;
const SPACE: u32 = 32;
const QUOTE: u32 = 34;
const COMMA: u32 = 44;
const BACKSLASH: u32 = 92;

/** Address of the first unescaped space of a line, 0 if it has none. */
export function firstSpace(line: u32, end: u32): u32 {
  let p = line;
  const space = i8x16.splat(<i8>SPACE);
  const newline = i8x16.splat(<i8>NEWLINE);
  const backslash = i8x16.splat(<i8>BACKSLASH);
  while (p < end) {
    const bytes = v128.load(p);
    const hits = i8x16.bitmask(
      v128.or(
        i8x16.eq(bytes, space),
        v128.or(i8x16.eq(bytes, newline), i8x16.eq(bytes, backslash)),
      ),
    );
    if (!hits) {
      p += 16;
      continue;
    }
    p += ctz(hits);
    if (p >= end) return 0;
    const byte = <u32>load<u8>(p);
    if (byte == SPACE) return p;
    if (byte == NEWLINE) return 0;
    // A backslash escapes what follows, but never the end of a line.
    p += p + 1 < end && <u32>load<u8>(p + 1) == NEWLINE ? 1 : 2;
  }
  return 0;
}

/** Address of the first comma, `end` if there is none; reads up to 15 bytes behind. */
// @ts-ignore: decorator
@inline
export function firstComma(start: u32, end: u32): u32 {
  const comma = i8x16.splat(<i8>COMMA);
  for (let p = start; p < end; p += 16) {
    const hits = i8x16.bitmask(i8x16.eq(v128.load(p), comma));
    if (hits) return min(p + ctz(hits), end);
  }
  return end;
}

/** Behind the newline that ends the line, 0 if a quote makes that uncertain. */
export function skipLine(from: u32, end: u32): u32 {
  let p = from;
  const newline = i8x16.splat(<i8>NEWLINE);
  const quote = i8x16.splat(<i8>QUOTE);
  while (p < end) {
    const bytes = v128.load(p);
    const hits = i8x16.bitmask(v128.or(i8x16.eq(bytes, newline), i8x16.eq(bytes, quote)));
    if (hits) {
      p += ctz(hits);
      if (p >= end) return end;
      return <u32>load<u8>(p) == NEWLINE ? p + 1 : 0;
    }
    p += 16;
  }
  return end;
}
