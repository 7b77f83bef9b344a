import type { Conversion } from '../../../src/units/conversion.js';

/** Lines counted and when the last one came, by tally. */
export type Tallies = Map<number, { lines: number; lastSec: number }>;

/** The value that is stored for a number's text: by exact decimals where only the point moves. */
export function converted(text: string, by: Conversion | undefined): number {
  const number = text.replace(/[iu]$/, '');
  if (!by) return Number(number);
  const [digits, exponent] = number.toLowerCase().split('e');
  const moved = Number(`${digits}e${Number(exponent ?? 0) + by.shift}`);
  const product = moved * by.multiplier;
  return (by.addend === 0 ? product : product + by.addend) / by.divisor;
}

/** A line that counts in a tally, and if that is a row's in the one of all rows. */
export function tallied(tallies: Tallies, tally: number, all: number, nowSec: number): void {
  for (const counted of tally > all ? [tally, all] : [tally]) {
    const { lines } = tallies.get(counted) ?? { lines: 0 };
    tallies.set(counted, { lines: lines + 1, lastSec: nowSec });
  }
}
