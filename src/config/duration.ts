/** Nanoseconds of each unit that Go's `time.ParseDuration` knows. */
const UNIT_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3, // U+00B5, micro sign
  μs: 1e3, // U+03BC, Greek letter mu
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

const PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy;

/**
 * Reads a Go duration ("48h", "1h30m", "-1.5s", "0") and returns seconds. The reference's
 * configuration files write times this way.
 *
 * @throws RangeError that says what a duration looks like.
 */
export function parseGoDuration(text: string): number {
  const negative = text.startsWith('-');
  const unsigned = /^[-+]/.test(text) ? text.slice(1) : text;
  if (unsigned === '0') return 0;

  let nanoseconds = 0;
  let end = 0;
  for (const part of unsigned.matchAll(PART)) {
    nanoseconds += Number(part[1]) * UNIT_NS[part[2]];
    end = part.index + part[0].length;
  }
  if (end === 0 || end !== unsigned.length) {
    throw new RangeError(
      `"${text}" is not a duration; write a number and a unit (h, m, s, ms), as "48h" or "1h30m"`,
    );
  }
  return (negative ? -nanoseconds : nanoseconds) / 1e9;
}
